#!/usr/bin/env python3
"""Collect the figures that the test and bench programs measure: build/reports/bench.json.

    bench.py [--list] [PROGRAM...]

A program that measures prints lines "BENCH name value unit conditions".  Run are: every unit bench, the system programs
(build/bin/system_*), build/bin/*_bench, and the demonstration; what prints no such line contributes nothing.  A name
that several programs give is kept as often as its conditions differ.  Those of the firmware (system_tree_speed_test) also
go into build/reports/firmware.json.
"""

import argparse
import json
import os
import re
import subprocess
import sys

import flue_tools as ft
import performance

LIMIT_S = 3600     # the engine alone takes 10 minutes of processor time
LINE = re.compile(r"^BENCH (\S+) (-?[\d.]+(?:e[+-]?\d+)?) (\S+)\s*(.*)$", re.M)


def programs():
    binaries = [p for p in sorted((ft.BUILD / "bin").glob("unit_*")) if not p.name.endswith("_waves")] + sorted((ft.BUILD / "bin").glob("*_bench"))
    measuring = [p for p in sorted((ft.BUILD / "bin").glob("system_*")) + sorted((ft.BUILD / "bin").glob("sim_*"))
                 if b"BENCH " in p.read_bytes()]
    scripts = [ft.ROOT / "sim" / "live" / "demo.sh"]
    return [p for p in dict.fromkeys(binaries + measuring + scripts) if os.access(p, os.X_OK) and p.is_file()]


def firmware(rows):
    """Cycles of a connection, bytes of the image and of bss (when the image was built here), deepest stack; missing ones are left out."""
    found = {r["name"].split("/")[1]: r["value"] for r in rows if r["name"].startswith("firmware/")}
    names = {"initiate_cycles": "initiate_cycles", "terminate_cycles": "terminate_cycles", "text_bytes": "image_bytes",
             "stack_bytes": "stack_bytes"}
    report = {key: int(found[name]) for key, name in names.items() if name in found}
    elf = ft.BUILD / "firmware" / "flue.elf"
    if elf.exists():
        done = subprocess.run(["riscv64-unknown-elf-size", str(elf)], capture_output=True, text=True)
        if done.returncode == 0:
            _, data, bss = done.stdout.splitlines()[1].split()[:3]
            report["data_bytes"] = int(data) + int(bss)
    return report


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--list", action="store_true", help="name the programs only")
    p.add_argument("programs", nargs="*", help="names that must occur in a program's name; default: all")
    a = p.parse_args()
    chosen = [q for q in programs() if not a.programs or any(n in q.name for n in a.programs)]
    if a.list:
        print("\n".join(ft.rel(q) for q in chosen))
        return
    report = ft.REPORTS / "bench.json"
    found = {}
    if a.programs and report.exists():
        found = {(r["name"], r["conditions"]): r for r in json.loads(report.read_text())}
    failed = 0
    env = {**os.environ, "FLUE_MODEL_DIR": str(ft.BUILD / "bin"), "FLUE_BENCH": "1"}
    for number, program in enumerate(chosen, 1):
        print(f"[{number}/{len(chosen)}] {program.name}", flush=True)
        try:
            done = subprocess.run([str(program)], cwd=ft.ROOT, capture_output=True, text=True, errors="replace",
                                  timeout=LIMIT_S, env=env, stdin=subprocess.DEVNULL)
            code, text = done.returncode, done.stdout
        except subprocess.TimeoutExpired:
            code, text = f"none after {LIMIT_S} s", ""
        if code != 0:
            failed += 1
            print(f"FAIL {program.name}: status {code}")
            print("\n".join("     " + line for line in text.splitlines()[-8:]))
            continue
        for name, value, unit, conditions in LINE.findall(text):
            row = {"name": name, "value": float(value), "unit": unit, "conditions": conditions.strip()}
            found[name, row["conditions"]] = row
            print(f"     {name} = {value} {unit} ({conditions.strip()})", flush=True)
    rows = sorted(found.values(), key=lambda r: (r["name"], r["conditions"]))
    ft.write_report("bench.json", rows)
    if any(r["name"].startswith("firmware/") for r in rows):
        ft.write_report("firmware.json", firmware(rows))
    if not failed and any("engine_speed" in q.name for q in chosen):
        performance.write(rows)
    print(f"{len(rows)} figures in build/reports/bench.json")
    sys.exit(failed > 0 or not rows)


main()
