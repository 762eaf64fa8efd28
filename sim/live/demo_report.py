"""The demonstration's figures: table, JSON, and the page (demo_page.py)."""

import json

import demo_page
import live

CLOCK_MHZ = 62.5     # of the adapter on its board: what a move's simulated cycles are in time
PARTS = "total_us", "adapter_us", "host_us", "cycles"
TO = {"adapter": "in", "kernel": "out"}


def quantiles(values):
    """Median and 99 % of a list, by rank; None of an empty one."""
    v = sorted(values)
    return {"median": v[(len(v) - 1) // 2], "p99": v[-(-len(v) * 99 // 100) - 1], "largest": v[-1], "moves": len(v)} if v else None


def collect(s, seed, checks):
    rows = []
    for c, (host, peer) in zip(s.connections, s.results):
        view = c.view or {}
        capture = s.flows[c.port].engine_bytes() if s.flows else (None, None)
        rows.append({
            "connection": c.number + 1, "bytes_each_way": c.bytes, "sent_hash": host and host["sent_hash"],
            "received_hash": host and host["received_hash"],
            "equal": bool(host and peer and host["status"] == peer["status"] == 0
                          and host["sent_hash"] == peer["received_hash"] and peer["sent_hash"] == host["received_hash"]),
            "seconds": host and host["seconds"], "sent_adapter": view.get("sent_adapter", 0),
            "received_adapter": view.get("received_adapter", 0), "sent_capture": capture[0], "received_capture": capture[1],
            "frames": s.flows[c.port].frames if s.flows else None, "moves": c.moves, "frames_held": view.get("held", 0),
            "samples": c.samples})
    times = {TO[where]: {part: quantiles([m[part] for m in s.moves(where)]) for part in PARTS} for where in TO}
    return {"connections": rows, "moves_in": len(s.moves("adapter")), "moves_out": len(s.moves("kernel")), "move_times": times,
            "wall_s": round(s.wall_s, 3), "seed": seed, "width": s.a.width, "loss": s.a.loss, "fault": s.a.fault,
            "resets": sum(len(c.wrong) for c in checks if c.name == "resets"),
            "checks": [{"name": c.name, "ok": not c.wrong, "seen": c.text, "wrong": c.wrong} for c in checks],
            "failures": [w for c in checks for w in c.wrong], "kernel_log": s.log,
            "kernel_counters": {side: {k: v for k, v in count.items() if k.startswith("Tcp") and v} for side, count
                                in s.counters.items()},
            "stat": s.stat}


def share(part, row):
    return "-" if part is None else f"{part / row['bytes_each_way']:.1%}"


def table(report):
    print(f"\n  {'connection':>10} {'content':>8}  {'carried by the engine, counters':>31}  {'capture':>17} {'moves':>6} {'held':>5}"
          f" {'seconds':>8}\n  {'':>10} {'':>8}  {'sent':>21} {'received':>9}  {'sent':>7} {'received':>9}")
    for r in report["connections"]:
        print(f"  {r['connection']:>10} {'equal' if r['equal'] else 'DIFFERS':>8}  {share(r['sent_adapter'], r):>21}"
              f" {share(r['received_adapter'], r):>9}  {share(r['sent_capture'], r):>7} {share(r['received_capture'], r):>9}"
              f" {sum(m['ok'] for m in r['moves']):>6} {r['frames_held']:>5} {r['seconds'] or 0:>8.1f}")
    print(f"\n  {'moves':>10} {'number':>8} {'ms of wall clock: total':>24} {'adapter':>13} {'host':>13} "
          f"{f'us at {CLOCK_MHZ:g} MHz':>17}   (median / 99 %)")
    for way, parts in report["move_times"].items():
        if parts["total_us"]:
            pair = lambda part, by: f"{parts[part]['median'] / by:.1f} / {parts[part]['p99'] / by:.1f}"
            print(f"  {way:>10} {parts['total_us']['moves']:>8} {pair('total_us', 1e3):>24} {pair('adapter_us', 1e3):>13}"
                  f" {pair('host_us', 1e3):>13} {pair('cycles', CLOCK_MHZ):>17}")
    total = sum(2 * r["bytes_each_way"] for r in report["connections"])
    print(f"\n  {total / 1e6:.1f} MB in {report['wall_s']:.1f} s of wall clock: {total * 8e-6 / report['wall_s']:.1f} Mb/s\n")
    for c in report["checks"]:
        print(f"  {'ok  ' if c['ok'] else 'FAIL'} {c['name']}: {c['seen']}")
    print()


def write(report, name):
    reports = live.BUILD / "reports"
    reports.mkdir(parents=True, exist_ok=True)
    files = reports / f"{name}.html", reports / f"{name}.json"
    files[0].write_text(demo_page.page(report))
    files[1].write_text(json.dumps(report, indent=1) + "\n")
    print(f"report: {files[0].relative_to(live.ROOT)}, figures: {files[1].relative_to(live.ROOT)}")
