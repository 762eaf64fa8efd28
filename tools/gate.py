#!/usr/bin/env python3
"""Gate mode: the netlist of the adapter under Verilator in the place of its RTL.

    gate.py [-G NAME=VALUE]... [arguments of the test]

Yosys maps the adapter (32 bits wide, tables of 8 connections; -G changes that) to cells of the ECP5, Verilator compiles the netlist
with the models of these cells (sim/gate), the C runtime loads it as it loads the RTL, and sim/system/gate_test.c runs on it.
Fails when a cell has no model.  The netlist is not made again while its sources are the same (build/synth/, build/gate/).
"""

import argparse
import json
import os
import subprocess
import sys
import time

import flue_tools as ft
import netlist as nl

MODELS = ft.ROOT / "sim" / "gate"
OUT = ft.BUILD / "gate"
PARAMS = {"W": "32", "REGIONS": "8", "CONNECTIONS": "8"}
# Without the pass that names what was mapped; each bit a net of its own, else Verilator sees loops where there are none.
STEPS = ("synth_ecp5 -noiopad -top {module} -run begin:check", "tee -q -o {folder}/stat.json stat -json", "splitnets",
         "write_verilog -noattr {folder}/netlist.v")


def make_netlist(params):
    """build/gate/netlist.v, touched only when it changes."""
    folder, wrong = nl.synthesize("gate", "flue_adapter", params, nl.modules(), STEPS)
    if wrong:
        sys.exit(f"gate: {wrong}")
    cells = nl.cells(folder)
    lacking = [f"{cell} ({count})" for cell, count in sorted(cells.items()) if not (MODELS / f"{cell}.v").exists()]
    if lacking:
        sys.exit(f"gate: the netlist has cells without a model in {ft.rel(MODELS)}: {', '.join(lacking)}")
    OUT.mkdir(parents=True, exist_ok=True)
    made_of = OUT / "made_of"
    if not made_of.exists() or made_of.read_text() != folder.name:
        (OUT / "netlist.v").write_bytes((folder / "netlist.v").read_bytes())
        made_of.write_text(folder.name)
    return cells


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("-G", action="append", default=[], dest="params", metavar="NAME=VALUE", help="a parameter of the adapter")
    a, rest = p.parse_known_args()
    for text in a.params:
        if "=" not in text:
            sys.exit(f"gate: -G '{text}' is not NAME=VALUE")
    params = {**PARAMS, **dict(text.split("=", 1) for text in a.params)}
    if params["W"] != "32":
        sys.exit(f"gate: -G W={params['W']}: the test drives an adapter of 32 bits")

    begin = time.monotonic()
    cells = make_netlist(params)
    print(f"netlist: {sum(cells.values())} cells, {cells.get('LUT4', 0)} LUT4, {cells.get('TRELLIS_FF', 0)} flip-flops, "
          f"{cells.get('DP16KD', 0)} block RAMs ({time.monotonic() - begin:.0f} s)", flush=True)
    begin = time.monotonic()
    subprocess.run(["make", "--no-print-directory", "-C", str(ft.ROOT), "build", "TARGETS=flue_model_gate system_gate_test"], check=True)
    print(f"compiled ({time.monotonic() - begin:.0f} s)", flush=True)
    begin = time.monotonic()
    done = subprocess.run([str(ft.BUILD / "bin" / "system_gate_test"), *rest], env={**os.environ, "FLUE_MODEL_DIR": str(OUT)})
    seconds = time.monotonic() - begin
    print(f"gate mode: {'held' if done.returncode == 0 else 'FAILED'} ({seconds:.0f} s)")
    ft.write_report("gate.json", {"params": params, "cells": cells, "seconds": round(seconds, 1), "passed": done.returncode == 0})
    sys.exit(done.returncode != 0)


main()
