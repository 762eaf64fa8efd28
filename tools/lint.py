#!/usr/bin/env python3
"""Lint every module under rtl/ as its own top, with default parameters: Verilator -Wall, then slang through Yosys.

    lint.py [MODULE...]

What is meant to be waived is in tools/waivers.vlt (Verilator, by message).  Each module counts as one test a tool.
"""

import argparse
import concurrent.futures
import os
import subprocess
import sys

import flue_tools as ft

WARNING = ("%Warning", "%Error")


def run_verilator(module, path):
    program, root = ft.verilator()
    command = [program, "--lint-only", "-Wall", "-DFORMAL", "--assert", "--top-module", module]
    for d in ft.rtl_dirs():
        command += ["-y", d]
    command += [ft.ROOT / "tools" / "waivers.vlt", *ft.packages(), path]
    done = subprocess.run([str(c) for c in command], env={**os.environ, "VERILATOR_ROOT": str(root)}, cwd=ft.ROOT,
                          capture_output=True, text=True)
    return (done.stdout + done.stderr).strip() if done.returncode or done.stderr else ""


# slang runs in a process of its own: an error of the front end ends the process.
SLANG = """
import sys
from pyosys import libyosys as ys
ys.run_pass(sys.argv[1], ys.Design())
"""


def run_slang(module, path):
    dirs = " ".join(f"-y {d}" for d in ft.rtl_dirs())
    files = " ".join(str(f) for f in [ft.strict(), *ft.packages(), path])
    script = f"read_slang --single-unit --top {module} -Werror {dirs} --libext .sv {files}"
    done = subprocess.run([sys.executable, "-c", SLANG, script], cwd=ft.ROOT, capture_output=True, text=True)
    text = done.stdout + done.stderr
    wrong = [line for line in text.splitlines() if "warning:" in line or "error:" in line]
    return "\n".join(text.splitlines()[-40:]) if done.returncode or wrong else ""


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("modules", nargs="*", help="default: all")
    a = p.parse_args()
    ft.generate()
    known = ft.modules()
    for m in a.modules:
        if m not in known:
            sys.exit(f"lint: there is no module '{m}' under rtl/")
    chosen = a.modules or list(known)
    jobs = [(tool, m) for m in chosen for tool in (run_verilator, run_slang)]
    passed = failed = 0
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for (tool, module), text in zip(jobs, pool.map(lambda j: j[0](j[1], known[j[1]]), jobs)):
            name = tool.__name__.removeprefix("run_")
            if text:
                failed += 1
                print(f"FAIL {name}: {module}")
                print("\n".join(f"     {line}" for line in text.splitlines()[:40]))
            else:
                passed += 1
                print(f"ok   {name}: {module}")
    if not jobs:
        print("no module found")
        failed = 1
    ft.closing_line(passed, failed, 0)
    sys.exit(failed > 0)


main()
