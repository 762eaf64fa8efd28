#!/usr/bin/env python3
"""Run the registered test suites and count.

A suite is a program whose last line of output is "N passed, N failed, N skipped".  build/suites.tsv (written by CMake)
lists those that are built: name, kind, time limit, command.  Skips are explained; with CI=true a skip is a failure.
Writes build/reports/test.json and one log a suite in build/log/.  Exit status 0: nothing failed.
"""

import argparse
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import flue_tools as ft

CLOSING = re.compile(r"^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$")
KINDS = ["c", "unit", "system", "fuzz", "formal", "live"]


def suites():
    table = ft.BUILD / "suites.tsv"
    if not table.exists():
        sys.exit("run_tests: build/suites.tsv is missing: run 'make build'")
    rows = [line.split("\t") for line in table.read_text().splitlines() if line.strip()]
    found = [(name, kind, int(limit), command) for name, kind, limit, *command in rows]
    python = sys.executable
    found.append(("fuzz/corpus", "fuzz", 240, [python, "tools/fuzz.py", "--seconds", "5"]))
    found.append(("formal", "formal", 600, [python, "tools/formal.py", "--quick"]))
    return sorted(found, key=lambda s: (KINDS.index(s[1]), s[0]))


def run(command, limit, log):
    """(return code or None when the time limit passed, output)"""
    if not os.path.exists(command[0]):
        Path(log).write_text("")
        return 127, f"{ft.rel(command[0])} was not built\n"
    env = {**os.environ, "FLUE_MODEL_DIR": str(ft.BUILD / "bin"), "FLUE_BUILD": str(ft.BUILD)}
    with open(log, "wb") as out:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, cwd=ft.ROOT,
                                   env=env, start_new_session=True)
        try:
            code = process.wait(limit)
        except subprocess.TimeoutExpired:
            code = None
            os.killpg(process.pid, signal.SIGTERM)     # the suite's own process group: scripts clean up after themselves
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
    return code, Path(log).read_text(errors="replace")


def judge(code, output, limit):
    """(passed, failed, skipped, what is wrong with the suite itself)"""
    lines = [line for line in output.splitlines() if line.strip()]
    match = CLOSING.match(lines[-1].strip()) if lines else None
    counts = [int(n or 0) for n in match.groups()] if match else [0, 0, 0]
    if code is None:
        return counts[0], counts[1] + 1, counts[2], f"still running after {limit} s"
    if code == 127:
        return 0, 1, 0, "could not be started"
    if not match:
        return 0, 1, 0, f"ended (status {code}) without a closing line"
    if code != 0 and counts[1] == 0:
        return counts[0], 1, counts[2], f"counted no failure but ended with status {code}"
    if sum(counts) == 0:
        return 0, 1, 0, "ran no test"
    return (*counts, None)


def telling(output):
    """The lines a reader needs: what came just before each FAIL, and the end."""
    lines = [x for x in output.splitlines() if x.strip()]
    keep = set(range(len(lines) - 4, len(lines)))
    for n, line in enumerate(lines):
        if re.match(r"\s*(FAIL|not ok)\b", line) or "ERROR:" in line:
            keep.update(range(n - 6, n + 3))
    return [lines[n] for n in sorted(keep) if 0 <= n < len(lines)][:60]


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--kinds", default=",".join(KINDS), help="of " + ", ".join(KINDS))
    p.add_argument("--only", help="suites whose name contains this")
    a = p.parse_args()
    kinds = a.kinds.split(",")
    for kind in kinds:
        if kind not in KINDS:
            sys.exit(f"run_tests: --kinds: '{kind}' is not one of {', '.join(KINDS)}")
    strict = os.environ.get("CI") == "true"
    (ft.BUILD / "log").mkdir(parents=True, exist_ok=True)

    chosen = [s for s in suites() if s[1] in kinds and (not a.only or a.only in s[0])]
    results = []
    for number, (name, _, limit, command) in enumerate(chosen, 1):
        log = ft.BUILD / "log" / (name.replace("/", "_") + ".log")
        begin = time.monotonic()
        code, output = run(command, limit, log)
        seconds = time.monotonic() - begin
        passed, failed, skipped, trouble = judge(code, output, limit)
        verdict = "FAIL" if failed else "SKIP" if skipped and strict else "ok  "
        print(f"{verdict} [{number}/{len(chosen)}] {name}: {passed} passed, {failed} failed, {skipped} skipped, "
              f"{seconds:.1f} s", flush=True)
        for line in output.splitlines():
            if re.match(r"^\s*SKIP\b", line):
                print(f"       {line.strip()}")
        if failed:
            if trouble:
                print(f"       {trouble}")
            for line in telling(output):
                print(f"       | {line}")
            print(f"       whole output: {ft.rel(log)}")
        results.append({"name": name, "passed": passed, "failed": failed, "skipped": skipped,
                        "seconds": round(seconds, 2)})

    total = {key: sum(r[key] for r in results) for key in ("passed", "failed", "skipped")}
    if set(kinds) == set(KINDS) and not a.only:
        ft.write_report("test.json", {**total, "suites": results})
    if not results:
        print("no suite was chosen")
    if strict and total["skipped"]:
        print(f"CI: {total['skipped']} skipped tests count as failures")
    print(f"{sum(r['seconds'] for r in results):.0f} s in {len(results)} suites")
    ft.closing_line(**total)
    sys.exit(total["failed"] > 0 or not results or (strict and total["skipped"] > 0))


main()
