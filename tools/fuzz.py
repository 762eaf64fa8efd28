#!/usr/bin/env python3
"""Run every fuzz target of sim/fuzz/ under libFuzzer with the address and undefined-behaviour sanitizers.

    fuzz.py [--seconds N] [--runs N] [TARGET...]

sim/fuzz/NAME_fuzz.c is linked with the other C files of its folder (but NAME_corpus.c, which writes the seeds), the C
models and the driver library; its corpus is
sim/fuzz/corpus/NAME/.  The corpus is replayed first, then mutated for N seconds; new inputs stay in build/fuzz/.
A crash leaves its input in build/fuzz/ and prints how to run it again.  Each target is two tests: replay and mutation.
"""

import argparse
import os
import shutil
import subprocess
import sys

import flue_tools as ft

FLAGS = ["-std=gnu17", "-g", "-O1", "-fno-omit-frame-pointer", "-fsanitize=fuzzer,address,undefined",
         "-fno-sanitize-recover=undefined"]


def build(target, source):
    root = ft.ROOT
    helpers = [f for f in (root / "sim" / "fuzz").glob("*.c") if not f.stem.endswith(("_fuzz", "_corpus"))]
    library = [f for folder in ("sim/model", "host/core", "host/linux", "host/ndis", "host/tree_text") for f in (root / folder).glob("*.c")
               if not f.stem.endswith("_test")] + [root / "firmware" / "image.c"]
    if target.startswith("fw_"):   # the firmware over its table model
        firmware = root / "firmware"
        library = [f for f in firmware.glob("*.c") if f.name != "image.c"] + [*(firmware / "host").glob("*.c"), firmware / "test/rig.c"]
        helpers = []
    out = ft.BUILD / "fuzz" / target
    out.parent.mkdir(parents=True, exist_ok=True)
    includes = [f"-I{root / d}" for d in ("host/include", "build/gen", "sim/model", "host/core", "host/linux", "host/tree_text",
                                         "sim/fuzz", "firmware", "firmware/host", "host/ndis", "host/test")]
    newest = max(f.stat().st_mtime for d in ("sim/model", "sim/fuzz", "host", "firmware") for f in (root / d).rglob("*.[ch]"))
    if out.exists() and out.stat().st_mtime > newest:
        return out, ""
    done = subprocess.run(["clang", *FLAGS, *includes, source, *helpers, *library, "-lm", "-lpthread", "-o", out],
                          capture_output=True, text=True)
    return out, done.stderr if done.returncode else ""


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("targets", nargs="*", help="default: all")
    p.add_argument("--seconds", type=int, default=60, help="mutation time for each target")
    p.add_argument("--seed", type=int, default=1)
    a = p.parse_args()
    sources = {f.stem.removesuffix("_fuzz"): f for f in sorted((ft.ROOT / "sim" / "fuzz").glob("*_fuzz.c"))}
    for t in a.targets:
        if t not in sources:
            sys.exit(f"fuzz: there is no sim/fuzz/{t}_fuzz.c")
    chosen = a.targets or list(sources)
    if not shutil.which("clang"):
        print("SKIP fuzz: clang is not installed")
        ft.closing_line(0, 0, len(chosen))
        return
    ft.generate()
    passed = failed = 0
    for target in chosen:
        program, error = build(target, sources[target])
        if error:
            failed += 1
            print(f"FAIL {target}: does not compile\n{error}")
            continue
        corpus = ft.ROOT / "sim" / "fuzz" / "corpus" / target
        found = ft.BUILD / "fuzz" / f"{target}.found"
        found.mkdir(exist_ok=True)
        seeds = [str(corpus)] if corpus.is_dir() else []
        common = [str(program), f"-artifact_prefix={found}-crash-", "-timeout=10", "-rss_limit_mb=2048",
                  f"-seed={a.seed}", "-verbosity=1", "-print_final_stats=1"]
        inputs = [str(f) for f in sorted(corpus.rglob("*")) if f.is_file()] if seeds else []
        steps = [("corpus", common + inputs, f"{len(inputs)} inputs")] if inputs else []
        steps.append(("mutation", common + [f"-max_total_time={a.seconds}", str(found)] + seeds, f"{a.seconds} s"))
        for step, command, what in steps:
            done = subprocess.run(command, capture_output=True, text=True, errors="replace", stdin=subprocess.DEVNULL,
                                  env={**os.environ, "UBSAN_OPTIONS": "print_stacktrace=1"})
            if done.returncode:
                failed += 1
                print(f"FAIL {target} {step}\n" + "\n".join(done.stderr.splitlines()[-40:]))
                print(f"     again: {ft.rel(program)} INPUT (inputs: {ft.rel(found)}-crash-*)")
            else:
                passed += 1
                print(f"ok   {target} {step}: {what}, seed {a.seed}", flush=True)
        if not inputs:
            failed += 1
            print(f"FAIL {target}: no corpus in {ft.rel(corpus)}")
    if not chosen:
        print("no fuzz target found")
        failed = 1
    ft.closing_line(passed, failed, 0)
    sys.exit(failed > 0)


main()
