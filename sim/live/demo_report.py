"""The demonstration's figures: table, JSON, and one HTML page that needs no network."""

import html
import json

import live

COLORS = ("#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#ff7f0e", "#17becf", "#8c564b", "#e377c2")
WIDTH, HEIGHT, LEFT, TOP = 900, 260, 60, 20


def collect(a, seed, connections, results, wall_s, stat, resets, failures):
    rows = []
    for c, (host, peer) in zip(connections, results):
        view = c.view or {}
        rows.append({
            "connection": c.number + 1, "bytes_each_way": c.bytes, "sent_hash": host and host["sent_hash"],
            "received_hash": host and host["received_hash"],
            "equal": bool(host and peer and host["status"] == peer["status"] == 0
                          and host["sent_hash"] == peer["received_hash"] and peer["sent_hash"] == host["received_hash"]),
            "seconds": host and host["seconds"], "sent_adapter": view.get("sent_adapter", 0),
            "received_adapter": view.get("received_adapter", 0), "moves": c.moves, "frames_held": view.get("held", 0),
            "samples": c.samples})
    moves = [m for r in rows for m in r["moves"] if m["ok"]]
    return {"connections": rows, "moves_in": sum(m["to"] == "adapter" for m in moves),
            "moves_out": sum(m["to"] == "kernel" for m in moves), "wall_s": round(wall_s, 3), "resets": resets, "seed": seed,
            "width": a.width, "loss": a.loss, "fault": a.fault, "failures": failures, "stat": stat}


def times(report, where):
    """Median and largest wall time of the moves to a place, seconds; None without any."""
    took = sorted(m["took_s"] for r in report["connections"] for m in r["moves"] if m["ok"] and m["to"] == where)
    return (took[len(took) // 2], took[-1]) if took else None


def table(report):
    print(f"\n  {'connection':>10} {'content':>9} {'in adapter, sent':>17} {'received':>9} {'moves':>6} {'held':>5} {'seconds':>8}")
    for r in report["connections"]:
        print(f"  {r['connection']:>10} {'equal' if r['equal'] else 'DIFFERS':>9} {r['sent_adapter'] / r['bytes_each_way']:>17.1%}"
              f" {r['received_adapter'] / r['bytes_each_way']:>9.1%} {len(r['moves']):>6} {r['frames_held']:>5}"
              f" {r['seconds'] or 0:>8.1f}")
    for where, name in (("adapter", "into the adapter"), ("kernel", "back to the kernel")):
        if took := times(report, where):
            print(f"  {name}: median {took[0] * 1e3:.0f} ms, longest {took[1] * 1e3:.0f} ms of wall clock")
    total = sum(2 * r["bytes_each_way"] for r in report["connections"])
    print(f"  {total / 1e6:.1f} MB in {report['wall_s']:.1f} s of wall clock: {total * 8e-6 / report['wall_s']:.1f} Mb/s, resets"
          f" {report['resets']}\n")


def plot(row, end_s):
    """Goodput of one connection over time, both directions, moves marked."""
    samples = row["samples"]
    rates = [(t1, (a1 - a0) * 8e-6 / (t1 - t0), (b1 - b0) * 8e-6 / (t1 - t0))
             for (t0, a0, b0), (t1, a1, b1) in zip(samples, samples[5:]) if t1 > t0]
    top = max([max(a, b) for _, a, b in rates] + [0.1])
    x = lambda t: LEFT + t / end_s * (WIDTH - LEFT - 10)
    y = lambda v: TOP + (1 - max(0, v) / top) * (HEIGHT - TOP - 30)
    out = [f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img"><text x="4" y="14">{top:.1f} Mb/s</text>',
           f'<line x1="{LEFT}" y1="{y(0)}" x2="{WIDTH - 10}" y2="{y(0)}" stroke="#888"/>']
    for m in row["moves"]:
        color = "#2ca02c" if m["to"] == "adapter" else "#d62728"
        out.append(f'<line x1="{x(m["at_s"]):.1f}" y1="{TOP}" x2="{x(m["at_s"]):.1f}" y2="{y(0)}" stroke="{color}"'
                   f' stroke-dasharray="3,3"><title>to the {m["to"]}, {m["took_s"]} s</title></line>')
    for k, name in ((1, "sent"), (2, "received")):
        points = " ".join(f"{x(r[0]):.1f},{y(r[k]):.1f}" for r in rates)
        out.append(f'<polyline points="{points}" fill="none" stroke="{COLORS[k - 1]}"><title>{name}</title></polyline>')
    out += [f'<text x="{x(t):.0f}" y="{HEIGHT - 8}">{t} s</text>' for t in range(0, int(end_s) + 1, max(1, int(end_s / 10)))]
    return "".join(out) + "</svg>"


def page(report):
    rows = "".join(
        f"<tr><td>{r['connection']}<td>{'equal' if r['equal'] else 'DIFFERS'}<td>{r['sent_adapter'] / r['bytes_each_way']:.1%}"
        f"<td>{r['received_adapter'] / r['bytes_each_way']:.1%}<td>{len(r['moves'])}<td>{r['frames_held']}"
        for r in report["connections"])
    plots = "".join(f"<h2>Connection {r['connection']}</h2>{plot(r, report['wall_s'])}" for r in report["connections"])
    moves = "".join(f"<tr><td>{r['connection']}<td>{m['at_s']}<td>{m['to']}<td>{m['took_s'] * 1e3:.0f}<td>"
                    f"{html.escape(m['error'] or '')}" for r in report["connections"] for m in r["moves"])
    counters = "".join(f"<tr><td>{html.escape(k)}<td>{v}" for k, v in ((report["stat"] or {}).get("adapter") or {}).items() if v)
    verdict = "every byte is right at both ends" if not report["failures"] else "; ".join(report["failures"])
    return f"""<!doctype html><meta charset="utf-8"><title>flue: live connections</title>
<style>body{{font:15px sans-serif;max-width:960px;margin:2em auto}}table{{border-collapse:collapse}}td,th{{padding:2px 10px;
border-bottom:1px solid #ddd;text-align:right}}svg text{{font:11px sans-serif}}</style>
<h1>Live Linux connections through the simulated adapter</h1>
<p>{html.escape(verdict)}. {report['moves_in']} moves in, {report['moves_out']} out, {report['resets']} resets, loss
{report['loss']:.0%} each way, W = {report['width']}, seed {report['seed']}, {report['wall_s']} s of wall clock.</p>
<table><tr><th>connection<th>content<th>sent by the adapter<th>received by it<th>moves<th>frames held{rows}</table>
{plots}<p>Blue: bytes the peer acknowledged; red: bytes received in order; both of the adapter. Dashed: moves in (green), out (red).</p>
<h2>Moves</h2><table><tr><th>connection<th>at, s<th>to<th>took, ms<th>{moves}</table>
<h2>Counters of the adapter</h2><table>{counters}</table>
"""


def write(report, name):
    reports = live.BUILD / "reports"
    reports.mkdir(parents=True, exist_ok=True)
    files = reports / f"{name}.html", reports / f"{name}.json"
    files[0].write_text(page(report))
    files[1].write_text(json.dumps(report, indent=1) + "\n")
    print(f"report: {files[0].relative_to(live.ROOT)}, figures: {files[1].relative_to(live.ROOT)}")
