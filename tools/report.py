#!/usr/bin/env python3
"""One self-contained HTML page of everything in build/reports/: build/reports/index.html."""

import html
import json
import statistics
import time

import flue_tools as ft

STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; color: #1d2733 }
h1 { font-size: 1.6rem } h2 { font-size: 1.2rem; margin-top: 2.2rem; border-bottom: 1px solid #d5dce4 }
table { border-collapse: collapse; margin: .6rem 0 } td, th { padding: .18rem .7rem .18rem 0; text-align: left }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums } th { border-bottom: 1px solid #9aa7b4 }
tr.bad td { color: #a40000; font-weight: 600 } .ok { color: #1a6b32 } .no { color: #a40000 } small { color: #5b6875 }
svg text { font: 12px system-ui, sans-serif; fill: #1d2733 }
"""


def load(name):
    path = ft.REPORTS / name
    return json.loads(path.read_text()) if path.exists() else None


def cell(value):
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    text = f"{value:,.3f}".rstrip("0").rstrip(".") if isinstance(value, float) else f"{value:,}" if number else str(value)
    return f'<td class="n">{text}</td>' if number else f"<td>{html.escape(text)}</td>"


def table(heads, rows, bad=lambda row: False):
    out = ["<table><tr>" + "".join(f"<th>{html.escape(h)}</th>" for h in heads) + "</tr>"]
    for row in rows:
        out.append(f'<tr class="{"bad" if bad(row) else ""}">' + "".join(cell(v) for v in row) + "</tr>")
    return "\n".join(out) + "</table>"


def bars(rows, unit, limit=None):
    """[(label, value)] as horizontal bars; `limit` draws a line at the goal."""
    top = max([v for _, v in rows] + [limit or 0]) or 1
    width, left, height = 560, 220, 22
    out = [f'<svg width="{left + width + 90}" height="{height * len(rows) + 8}" role="img">']
    for i, (label, value) in enumerate(rows):
        y = i * height
        out.append(f'<text x="{left - 8}" y="{y + 15}" text-anchor="end">{html.escape(label)}</text>')
        out.append(f'<rect x="{left}" y="{y + 4}" width="{width * value / top:.1f}" height="{height - 8}" fill="#4b7bb5"/>')
        out.append(f'<text x="{left + width * value / top + 6:.1f}" y="{y + 15}">{value:,.4g} {html.escape(unit)}</text>')
    if limit:
        x = left + width * limit / top
        out.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="0" y2="{height * len(rows)}" stroke="#a40000" stroke-dasharray="4 3"/>')
    return "\n".join(out) + "</svg>"


def tests(r):
    verdict = "ok" if not r["failed"] else "no"
    head = f'<p class="{verdict}">{r["passed"]} passed, {r["failed"]} failed, {r["skipped"]} skipped</p>'
    rows = [(s["name"], s["passed"], s["failed"], s["skipped"], s["seconds"]) for s in r["suites"]]
    return head + table(["suite", "passed", "failed", "skipped", "seconds"], rows, lambda row: row[2] > 0)


def demo(r):
    rows = [(k, v) for k, v in r.items() if not isinstance(v, (list, dict))]
    return table(["", "value"], rows, lambda row: row[0] == "equal" and row[1] is not True)


def label(params):
    return " ".join(f"{k}={v}" for k, v in params.items())


def synth(r):
    rows = []
    for e in r:
        clocks = e["fmax_mhz"]
        rows.append((e["block"], label(e["params"]), e["device"], e["lut4"], e["comb"], e["ff"], e["ebr"], e["mult"],
                     min(clocks) if clocks else "comb.", statistics.median(clocks) if clocks else "comb."))
    text = table(["block", "parameters", "device", "LUT4", "COMB", "FF", "RAM", "MULT", "MHz worst", "median"], rows)
    small = [(f"{e['block']} {label(e['params'])}", min(e["fmax_mhz"])) for e in r
             if e["fmax_mhz"] and e["device"] == "LFE5U-25F" and e["block"] != "adapter"]
    return text + ("<p>Worst seed on the 25F; the line is 125 MHz.</p>" + bars(small, "MHz", 125) if small else "")


def bench(r):
    text = table(["figure", "value", "unit", "conditions"], [(b["name"], b["value"], b["unit"], b["conditions"]) for b in r])
    beats = [(b["name"].removeprefix("beats_per_cycle/"), b["value"]) for b in r if b["name"].startswith("beats_per_cycle/")]
    return text + ("<p>Beats a cycle of the stream blocks; the line is 1.</p>" + bars(beats, "", 1) if beats else "")


def coverage(r):
    rows = [(f, v["total"], v["tested"], len(v["not_built"]), len(v["missing"])) for f, v in r.items()]
    text = table(["family", "total", "tested", "not built", "missing"], rows)
    missing = [i for v in r.values() for i in v["missing"]]
    return text + (f"<p><small>Missing: {html.escape(', '.join(missing))}</small></p>" if missing else "")


SECTIONS = [("test.json", "Tests", "make test", tests), ("demo-stateless.json", "Demonstration", "make demo", demo),
            ("bench.json", "Speed", "make bench", bench), ("synth.json", "Area and clock", "make synth", synth),
            ("coverage.json", "Requirements", "make coverage", coverage)]


def main():
    out = ["<!doctype html><html lang=en><meta charset=utf-8><title>flue: report</title>",
           f"<style>{STYLE}</style><h1>flue: what was measured</h1>",
           f"<p><small>Rendered {time.strftime('%Y-%m-%d %H:%M')} from build/reports/.</small></p>"]
    for name, title, command, render in SECTIONS:
        data = load(name)
        out.append(f"<h2>{title}</h2><p><small>from <code>{command}</code></small></p>")
        out.append(render(data) if data else f"<p>Not measured yet: run <code>{command}</code>.</p>")
    ft.REPORTS.mkdir(parents=True, exist_ok=True)
    path = ft.REPORTS / "index.html"
    path.write_text("\n".join(out) + "\n")
    print(f"report: {ft.rel(path)}")


main()
