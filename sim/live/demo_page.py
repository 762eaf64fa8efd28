"""The demonstration's page: one file that needs no network."""

import html

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 960, 230, 56, 12, 14, 28
WINDOW = 5                        # samples a rate is taken over
SENT, RECEIVED, IN, OUT = "#1f6fb4", "#d0661c", "#2a8a3a", "#b3261e"
STYLE = """
body{font:15px/1.45 system-ui,sans-serif;max-width:1000px;margin:2em auto;padding:0 1em;color:#222;background:#fff}
h1{font-size:1.5em;margin-bottom:.2em}h2{font-size:1.15em;margin-top:1.8em}h3{font-size:1em;margin:1.2em 0 .2em}
table{border-collapse:collapse;margin:.4em 0}td,th{padding:3px 10px;border-bottom:1px solid #ddd;text-align:right;
font-variant-numeric:tabular-nums}td.t,th.t{text-align:left}.ok{color:#2a8a3a;font-weight:600}.bad{color:#b3261e;font-weight:600}
svg{width:100%;height:auto;background:#fafafa;border:1px solid #e4e4e4}svg text{font:11px system-ui,sans-serif;fill:#555}
.key{display:inline-block;width:1.6em;height:0;border-top:3px solid;vertical-align:middle;margin:0 .3em 0 1em}
.key.dash{border-top-style:dashed}details{margin:.6em 0}summary{cursor:pointer}.two{display:flex;flex-wrap:wrap;gap:2em}
@media (prefers-color-scheme:dark){body{background:#181818;color:#ddd}td,th{border-color:#444}svg{background:#202020;border-color:#444}
svg text{fill:#aaa}}
"""


def nice(top):
    """A round number at or above top, and its tenth part that divides it well."""
    step = 10.0 ** -3
    while True:
        for m in (1, 2, 5):
            if top <= 4 * m * step:
                return 4 * m * step, m * step
        step *= 10


def rates(samples):
    """(time, Mb/s sent, Mb/s received) over a few samples."""
    return [((t0 + t1) / 2, (a1 - a0) * 8e-6 / (t1 - t0), (b1 - b0) * 8e-6 / (t1 - t0))
            for (t0, a0, b0), (t1, a1, b1) in zip(samples, samples[WINDOW:]) if t1 > t0]


def plot(row, end_s, top, step):
    """Goodput of one connection over time, both directions, moves marked."""
    x = lambda t: LEFT + t / end_s * (WIDTH - LEFT - RIGHT)
    y = lambda v: TOP + (1 - max(0, v) / top) * (HEIGHT - TOP - BOTTOM)
    out = [f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="goodput of connection {row["connection"]}">']
    for k in range(5):
        out.append(f'<line x1="{LEFT}" y1="{y(k * step):.1f}" x2="{WIDTH - RIGHT}" y2="{y(k * step):.1f}" stroke="#8884"/>'
                   f'<text x="{LEFT - 6}" y="{y(k * step) + 4:.1f}" text-anchor="end">{k * step:g}</text>')
    out.append(f'<text x="{LEFT - 6}" y="{TOP + 18}" text-anchor="end">Mb/s</text>')
    every = max(1, int(end_s / 10 + 0.999))
    out += [f'<text x="{x(t):.0f}" y="{HEIGHT - 8}" text-anchor="middle">{t} s</text>' for t in range(0, int(end_s) + 1, every)]
    for m in row["moves"]:
        if m["ok"]:
            color, width = (IN if m["to"] == "adapter" else OUT), max(2.0, x(m["took_s"]) - LEFT)
            out.append(f'<rect x="{x(m["at_s"]):.1f}" y="{TOP}" width="{width:.1f}" height="{y(0) - TOP}" fill="{color}"'
                       f' fill-opacity=".3"><title>to the {m["to"]} at {m["at_s"]:.2f} s, after {m["passed"]:,} bytes: '
                       f'{m["took_s"] * 1e3:.0f} ms</title></rect>')
    for k, name, color in ((1, "sent", SENT), (2, "received", RECEIVED)):
        points = " ".join(f"{x(r[0]):.1f},{y(r[k]):.1f}" for r in rates(row["samples"]))
        out.append(f'<polyline points="{points}" fill="none" stroke="{color}" stroke-width="1.6"><title>{name}</title></polyline>')
    return "".join(out) + "</svg>"


def cells(*values):
    return "".join(f"<td>{v}" for v in values)


def share(part, row):
    return "-" if part is None else f"{part / row['bytes_each_way']:.1%}"


def connections(report):
    rows = "".join(
        f"<tr>{cells(r['connection'])}<td class='{'ok' if r['equal'] else 'bad'}'>{'equal' if r['equal'] else 'DIFFERS'}"
        + cells(*(share(r[k], r) for k in ("sent_adapter", "received_adapter", "sent_capture", "received_capture")),
                sum(m["ok"] for m in r["moves"]), r["frames_held"], f"{r['seconds'] or 0:.1f}") for r in report["connections"])
    return f"""<table><tr><th rowspan=2>connection<th rowspan=2>content<th colspan=2>carried by the engine, its counters
<th colspan=2>the capture<th rowspan=2>moves<th rowspan=2>frames held<th rowspan=2>seconds
<tr><th>sent<th>received<th>sent<th>received{rows}</table>"""


def move_times(report):
    rows = ""
    for way, parts in report["move_times"].items():
        if parts["total_us"]:
            pair = lambda part, by: f"{parts[part]['median'] / by:.1f} / {parts[part]['p99'] / by:.1f}"
            rows += f"<tr><td class=t>{'into the adapter' if way == 'in' else 'back to the kernel'}" + cells(
                parts["total_us"]["moves"], pair("total_us", 1e3), pair("adapter_us", 1e3), pair("host_us", 1e3),
                pair("cycles", 62.5))
    return f"""<table><tr><th class=t>median / 99 %<th>moves<th>total, ms<th>adapter's commands, ms<th>host, ms
<th>simulated, us at 62.5 MHz{rows}</table><p>Milliseconds are wall clock, in which the adapter is simulated. The last column is what
was simulated meanwhile: an upper bound of the time the adapter itself would take.</p>"""


def moves(report):
    rows = "".join(f"<tr>{cells(r['connection'], format(m['at_s'], '.2f'))}<td class=t>to the {m['to']}"
                   + cells(f"{m['passed']:,}", f"{m['took_s'] * 1e3:.0f}", *(f"{m.get(k, 0) / 1e3:.1f}" for k in
                                                                             ("adapter_us", "host_us")), m.get("held", ""))
                   + f"<td class='t bad'>{html.escape(m['error'] or '')}" for r in report["connections"] for m in r["moves"])
    return f"""<details><summary>Every move</summary><table><tr><th>connection<th>at, s<th class=t>where
<th>bytes carried before<th>took, ms<th>adapter, ms<th>host, ms<th>frames held<th>{rows}</table></details>"""


def counters(report):
    tables = []
    groups = {**(report["stat"] or {}), **{f"kernel of the {k}": v for k, v in report["kernel_counters"].items()}}
    for name, group in groups.items():
        if isinstance(group, dict):
            rows = "".join(f"<tr><td class=t>{html.escape(k)}<td>{v:,}" for k, v in group.items()
                           if isinstance(v, int) and not isinstance(v, bool) and v)
            if rows:
                tables.append(f"<div><h3>{html.escape(name)}</h3><table>{rows}</table></div>")
    return f"<details><summary>Counters that are not 0</summary><div class=two>{''.join(tables)}</div></details>"


def page(report):
    top, step = nice(max([v for r in report["connections"] for _, a, b in rates(r["samples"]) for v in (a, b)] + [0.1]))
    plots = "".join(f"<h3>Connection {r['connection']}</h3>{plot(r, report['wall_s'], top, step)}" for r in report["connections"])
    checks = "".join(f"<tr><td class='t {'ok' if c['ok'] else 'bad'}'>{'ok' if c['ok'] else 'FAILED'}<td class=t>{c['name']}"
                     f"<td class=t>{html.escape(c['seen'] if c['ok'] else '; '.join(c['wrong']))}" for c in report["checks"])
    verdict = ("<p class=ok>Every byte is right at both ends.</p>" if not report["failures"] else
               f"<p class=bad>Failed: {html.escape(report['failures'][0])}</p>")
    fault = f", the adapter broken on purpose ({report['fault']})" if report["fault"] else ""
    return f"""<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>flue: live connections</title><style>{STYLE}</style>
<h1>Live Linux connections through the simulated adapter</h1>{verdict}
<p>{report['moves_in']} moves into the adapter and {report['moves_out']} back, in mid-stream, loss and reordering
{report['loss']:.0%} each way, W = {report['width']}, seed {report['seed']}, {report['wall_s']:.1f} s of wall clock{fault}.</p>
<table>{checks}</table>{connections(report)}
<h2>Goodput of the adapter over time</h2>
<p><span class="key" style="border-color:{SENT}"></span>sent: acknowledged by the peer
<span class="key" style="border-color:{RECEIVED}"></span>received in order
<span class="key" style="border-color:{IN}"></span>move into the adapter <span class="key" style="border-color:{OUT}"></span>move back
to the kernel, as wide as it took. While the kernel has a connection, the adapter carries nothing of it.</p>{plots}
<h2>Times of the moves</h2>{move_times(report)}{moves(report)}
<h2>Counters</h2>{counters(report)}
</html>
"""
