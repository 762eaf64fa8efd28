#!/usr/bin/env python3
"""docs/performance.md: the engine's goodput, the speed of its simulation and the time of a move, as `make bench` measured them.

    performance.py          write the page again from build/reports/bench.json
"""

import json

import flue_tools as ft

COUNTS = (1, 8, 64)
GOALS = {"send": 940, "receive": 940, "both_send": 900, "both_receive": 900}
GOAL_CYCLES = 200000
CLOCK_MHZ = 62.5
STEPS = {"hold": "entry and rings (HOLD, RINGS)", "load": "state (INITIATE, load_only)", "start": "START", "freeze": "TERMINATE, keep_entry",
         "release": "RELEASE"}
OTHERS = (0, 8)


def page(value):
    """value(name) is a figure."""
    out = ["# Performance of the TCP engine", "",
           "Written by `make bench` (`make bench BENCHES=engine_speed` measures only this, some 10 minutes); do not edit. The program is",
           "`sim/system/engine_speed_test.c`: the whole adapter in virtual time, driver, firmware and monitors at work, against the reference TCP.", "",
           "## Goodput", "",
           "W = 32, 62.5 MHz, a line of 1 Gb/s, round trip 0.2 ms, no loss; 50 ms each, after the first 100 ms. Mb/s of payload; segments of 1,448 bytes",
           "make 941.5 at most, less what pure ACKs of the other direction take.", "",
           "| connections | " + " | ".join(("send alone", "receive alone", "both at once: send", "both at once: receive")) + " |",
           "|---|---|---|---|---|"]
    for count in COUNTS:
        out.append(f"| {count} | " + " | ".join(f"{value(f'goodput/{way}/{count}'):.1f}" for way in GOALS) + " |")
    out.append("| goal | " + " | ".join(str(goal) for goal in GOALS.values()) + " |")
    below = [f"{way.replace('_', ', ')} with {count}" for way, goal in GOALS.items() for count in COUNTS if value(f"goodput/{way}/{count}") < goal]
    out += ["", f"Below the goal: {'; '.join(below)}." if below else "Every goal is met.", "", "## Simulation", "",
            f"Clock cycles simulated a second on one core, engine busy, monitors and assertions on, peers and programs in the same process; goal {GOAL_CYCLES:,}.",
            "Other work on the machine lowers the wall-clock figure, and less so that of processor time.", "",
            "| connections | both ways: of wall time | of processor time | time skipped, both ways | time skipped, no traffic |",
            "|---|---|---|---|---|"]
    for count in COUNTS:
        out.append(f"| {count} | {value(f'engine_sim/both/{count}'):,.0f} | {value(f'engine_sim_cpu/both/{count}'):,.0f} | "
                   f"{100 * value(f'engine_skipped/both/{count}'):.2f} % | {100 * value(f'engine_skipped/rest/{count}'):.2f} % |")
    out += ["", "## Time of a move, adapter part", "",
            "Adapter time from the command's doorbell to its completion, at 62.5 MHz: median and 99 % of 100 moves of one connection that has data in",
            "flight when it is frozen; the rest of the adapter at rest, and beside 8 connections that fill the line both ways.", "",
            "| step | at rest: cycles, median | 99 % | us, median | beside 8: cycles, median | 99 % | us, median |", "|---|---|---|---|---|---|---|"]
    for step, text in STEPS.items():
        cells = []
        for others in OTHERS:
            median, most = value(f"move_median/{step}/{others}"), value(f"move_p99/{step}/{others}")
            cells += [f"{median:,.0f}", f"{most:,.0f}", f"{median / CLOCK_MHZ:.0f}"]
        out.append(f"| {text} | " + " | ".join(cells) + " |")
    return "\n".join(out) + "\n"


def write(rows):
    figures = {r["name"]: r["value"] for r in rows}
    try:
        text = page(lambda name: figures[name])
    except KeyError as missing:
        print(f"docs/performance.md stays as it is: no figure {missing}")
        return
    (ft.ROOT / "docs" / "performance.md").write_text(text)
    print("docs/performance.md is written")


if __name__ == "__main__":
    write(json.loads((ft.REPORTS / "bench.json").read_text()))
