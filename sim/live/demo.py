#!/usr/bin/env python3
"""Live connections of the Linux kernel move into the simulated adapter and back in mid-stream.

    demo.py [--megabytes 4] [--connections 4] [--moves 4] [--loss 0.01] [--fault csum|lso-seq|place] [--seed N] [--width 128]
            [--limit 170] [--share 0.8] [--report demo] [--capture FILE | --no-capture]

Two network namespaces, a wire that loses and reorders, connections that carry bytes both ways at once.  Each one is moved into
the adapter at once, then out and in again at random bytes.  Exit status 0 only if every check of the closing list holds: content,
resets by the kernels' counters, kernel log, moves, and at least 80 % of each direction of each connection carried by the adapter,
by its counters and by the capture.  Figures: build/reports/demo.json, demo.html.
"""

import argparse
import os
import random
import sys
import time

import demo_checks
import demo_report
import live
from adopted import TICK_S, Daemon, Stream
from kernel_log import KernelLog

PORT = 5101
FIRST_MOVE, LAST_MOVE = 5, 70     # percent of a connection's bytes that have passed
END_S = 10
SHOWN = 6                         # of the failures after the first
MOVE_KEYS = "began_us", "total_us", "adapter_us", "host_us", "cycles", "held", "state"


class Connection(Stream):
    """One connection and the plan of its moves."""

    def __init__(self, hosts, number, a, rng):
        super().__init__(hosts, PORT + number, a.megabytes)
        self.number = number
        # At the start, then out and in again when so many bytes have passed the adapter in both directions together.
        self.plan = sorted(rng.randrange(2 * self.bytes * FIRST_MOVE // 100, 2 * self.bytes * LAST_MOVE // 100)
                           for _ in range(a.moves - 1))
        self.moves, self.view, self.samples = [], None, []
        self.inside = False

    def passed(self):
        return self.view["sent_adapter"] + self.view["received_adapter"]


def move(daemon, c, where, started):
    at = time.monotonic() - started
    answer = daemon.ask(verb="move", id=c.id, to=where)
    c.moves.append({"at_s": round(at, 3), "to": where, "took_s": round(time.monotonic() - started - at, 3), "ok": answer["ok"],
                    "error": answer.get("error"), "passed": c.passed() if c.view else 0,
                    **{k: answer[k] for k in MOVE_KEYS if k in answer}})
    if answer["ok"]:
        c.inside = where == "adapter"
    return answer["ok"]


class Progress:
    """A line now and then on standard error."""

    def __init__(self):
        self.shown, self.every = 0, 1 if sys.stderr.isatty() else 5

    def show(self, now, connections):
        if now - self.shown < self.every:
            return
        self.shown = now
        total = sum(2 * c.bytes for c in connections)
        done = sum((c.view or {}).get("received", 0) + (c.view or {}).get("sent", 0) for c in connections)
        moves = [m["to"] for c in connections for m in c.moves if m["ok"]]
        where = " ".join("adapter" if c.inside else "kernel " for c in connections)
        print(f"{now:6.1f} s  {done / total:4.0%} of {total / 1e6:.1f} MB, {moves.count('adapter')} moves in, {moves.count('kernel')}"
              f" out   now: {where}", file=sys.stderr, flush=True)


def run(hosts, a, rng):
    """(connections, wall time, what went wrong)"""
    daemon, progress = Daemon(hosts.socket), Progress()
    started = time.monotonic()
    connections = []
    for n in range(a.connections):
        connections.append(Connection(hosts, n, a, rng))
        move(daemon, connections[-1], "adapter", started)
    while not all(c.done() for c in connections):
        now = time.monotonic() - started
        if now > a.limit:
            return connections, now, f"not done after {a.limit} s"
        if hosts.daemon.poll() is not None:
            return connections, now, "flued ended"
        if any(child.poll() for c in connections for child in (c.host, c.peer)):
            return connections, now, "stopped when a program found an error"
        views = daemon.connections()
        for c in connections:
            if c.id not in views:
                continue
            c.view = views[c.id]
            c.samples.append((round(now, 3), c.view["sent_adapter"], c.view["received_adapter"]))
            # The kernel has it for as long as the way back takes.
            if c.plan and c.passed() >= c.plan[0] and move(daemon, c, "kernel", started):
                c.plan.pop(0)
                move(daemon, c, "adapter", started)
        progress.show(now, connections)
        time.sleep(TICK_S)
    wall_s = time.monotonic() - started
    until = time.monotonic() + END_S                    # the kernels' last words, then flued's last figures
    while time.monotonic() < until and any(c.id in daemon.connections() for c in connections):
        time.sleep(TICK_S)
    views = {**daemon.connections(), **daemon.ended()}
    for c in connections:
        c.view = views.get(c.id, c.view)
    return connections, wall_s, None


def arguments():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--megabytes", type=int, default=4, help="of each connection in each direction")
    p.add_argument("--connections", type=int, default=4)
    p.add_argument("--moves", type=int, default=4, help="of each connection into the adapter; one less back")
    p.add_argument("--loss", type=float, default=0.01)
    p.add_argument("--width", type=int, default=128)
    p.add_argument("--fault", choices=("csum", "lso-seq", "place"))
    p.add_argument("--seed", type=int)
    p.add_argument("--limit", type=int, default=170, help="seconds of wall clock")
    p.add_argument("--share", type=float, default=0.8, help="of each direction of each connection that the adapter must carry")
    p.add_argument("--report", default="demo", help="name of the report's files")
    p.add_argument("--capture", help="keep the capture of every port here (pcapng)")
    p.add_argument("--no-capture", action="store_true", help="make none: the shares come from the counters alone")
    return p.parse_args()


def stand(hosts, a, seed):
    """Start the adapter and its wire, and say what will run."""
    wire = f"drop={a.loss},reorder={a.loss}" if a.loss else ""
    capture = None if a.no_capture else a.capture or hosts.folder / "demo.pcapng"
    options = ["--seed", seed] + (["--pcap", capture] if capture else []) + (["--fault", a.fault] if a.fault else [])
    hosts.flued(*options, width=a.width)
    if wire:
        hosts.flue("wire", "--tx", wire, "--rx", wire)
    print(f"{a.connections} connections, {a.megabytes} MB each way and each, W = {a.width}, wire {wire or 'perfect'}, seed {seed}"
          + (f", FAULT={a.fault}" if a.fault else ""), flush=True)
    return capture


def main():
    a = arguments()
    live.become_able()
    reason = live.missing()
    if reason:
        print(f"demo: cannot run here: {reason}\n  What still works: make test (live tests are skipped), make system, make unit.",
              file=sys.stderr)
        return 1
    if not (live.BIN / f"libflue_model_w{a.width}.so").exists():
        print(f"demo: there is no model of width {a.width}: make build TARGETS=flue_model_w{a.width}", file=sys.stderr)
        return 1
    seed = a.seed or random.SystemRandom().randrange(1, 1 << 31)
    hosts, log = live.Hosts(), KernelLog()
    try:
        capture = stand(hosts, a, seed)
        connections, wall_s, stuck = run(hosts, a, random.Random(seed))
    except (RuntimeError, OSError) as e:
        said = [l for l in hosts.log.read_text().splitlines() if "error: " in l]
        print(f"FAILED: {said[0].split('error: ', 1)[1] if said else e}")
        hosts.close()
        return 1
    for c in connections:
        c.kill()
    seen = demo_checks.Seen(a, hosts, log, connections, wall_s, stuck, capture)
    checks = demo_checks.judge(seen)
    report = demo_report.collect(seen, seed, checks)
    demo_report.table(report)
    demo_report.write(report, a.report)
    hosts.close()
    failures = report["failures"]
    if a.fault:
        print(f"(the adapter was broken on purpose: FAULT={a.fault})")
    for f in failures[1:SHOWN + 1]:
        print(f"  also: {f}")
    if len(failures) > SHOWN + 1:
        print(f"  also: {len(failures) - SHOWN - 1} more, in the figures")
    if failures:
        print(f"FAILED: {failures[0]}")
    if not failures:
        print(f"ok: every byte is right at both ends, {report['moves_in']} moves in, {report['moves_out']} out, no reset")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
