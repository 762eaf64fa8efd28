#!/usr/bin/env python3
"""Live connections of the Linux kernel move into the simulated adapter and back in mid-stream.

    demo.py [--megabytes 4] [--connections 4] [--moves 4] [--loss 0.01] [--fault csum|lso-seq|place] [--seed N] [--width 128]
            [--limit 170] [--report demo]

Two network namespaces, a wire that loses and reorders, connections that carry bytes both ways at once.  Each one is moved into
the adapter at once, then out and in again at random bytes.  Exit status 0 only if every byte was right at both ends, nobody was
reset, no monitor was violated, and the adapter carried at least 80 % of each direction of each connection.  Figures:
build/reports/demo.json, demo.html.
"""

import argparse
import json
import os
import random
import select
import socket
import subprocess
import sys
import time

import demo_report
import live

PORT = 5101
CONNECT_S = 20
SHARE = 0.8          # of each direction, carried by the adapter
TICK_S = 0.1
MOVE_KEYS = "began_us", "total_us", "adapter_us", "host_us", "cycles", "held", "state"
COUNTED = "TcpConnectionEstablished", "TcpConnectionCloseWait"   # as TcpEstabResets


class Daemon:
    """flued's control socket: one request at a time."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.connect(str(path))
        self.lines = self.socket.makefile("r")

    def ask(self, **request):
        self.socket.sendall(json.dumps(request).encode() + b"\n")
        line = self.lines.readline()
        if not line:
            raise RuntimeError("flued is gone")
        return json.loads(line)

    def connections(self):
        return {c["id"]: c for c in self.ask(verb="connections").get("connections", [])}


class Connection:
    """One connection: a program at each end, and the plan of its moves."""

    def __init__(self, hosts, number, a, rng):
        self.number, self.port, self.bytes = number, PORT + number, a.megabytes << 20
        program = live.BIN / "duplex"
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        self.peer = hosts.start(hosts.peer, program, "listen", live.PEER4, self.port, a.megabytes, **pipes)
        while self.peer.poll() is None and f":{self.port} " not in hosts.run(hosts.peer, "ss", "-ltnH").stdout:
            time.sleep(0.02)
        self.host = hosts.start(hosts.host, program, "connect", live.PEER4, self.port, a.megabytes, "--adopt", hosts.socket,
                                **pipes)
        until = time.monotonic() + CONNECT_S
        while not select.select([self.host.stdout], [], [], TICK_S)[0]:
            if hosts.daemon.poll() is not None or time.monotonic() > until:
                raise RuntimeError("no connection came about")
        answer = json.loads(self.host.stdout.readline() or '{"error": "no connection"}')
        if "id" not in answer:
            raise RuntimeError(answer.get("error"))
        self.id = answer["id"]
        # At the start, then out and in again when so many bytes have passed the adapter in both directions together.
        self.plan = sorted(rng.randrange(2 * self.bytes * 5 // 100, 2 * self.bytes * 70 // 100) for _ in range(a.moves - 1))
        self.moves, self.view, self.samples = [], None, []
        self.inside = False

    def done(self):
        return self.host.poll() is not None and self.peer.poll() is not None

    def result(self, child):
        lines = child.stdout.read().strip().splitlines()
        return json.loads(lines[-1]) if lines else None


def move(daemon, c, where, started):
    at = time.monotonic() - started
    answer = daemon.ask(verb="move", id=c.id, to=where)
    c.moves.append({"at_s": round(at, 3), "to": where, "took_s": round(time.monotonic() - started - at, 3),
                    "ok": answer["ok"], "error": answer.get("error"),
                    **{k: answer[k] for k in MOVE_KEYS if k in answer}})
    if answer["ok"]:
        c.inside = where == "adapter"
    return answer["ok"]


def run(hosts, a, rng):
    """(connections, wall time, what went wrong)"""
    daemon = Daemon(hosts.socket)
    started = time.monotonic()
    connections, shown = [], 0
    for n in range(a.connections):
        connections.append(Connection(hosts, n, a, rng))
        move(daemon, connections[-1], "adapter", started)
    while not all(c.done() for c in connections):
        now = time.monotonic() - started
        if now > a.limit:
            return connections, now, f"not done after {a.limit} s"
        if hosts.daemon.poll() is not None:
            return connections, now, "flued ended"
        views = daemon.connections()
        for c in connections:
            c.view = views.get(c.id, c.view)
            if c.id not in views:
                continue
            passed = c.view["sent_adapter"] + c.view["received_adapter"]
            c.samples.append((round(now, 3), c.view["sent_adapter"], c.view["received_adapter"]))
            # The kernel has it for as long as the way back takes.
            if c.plan and passed >= c.plan[0] and move(daemon, c, "kernel", started):
                c.plan.pop(0)
                move(daemon, c, "adapter", started)
        if now - shown >= (1 if sys.stderr.isatty() else 5):
            shown = now
            done = sum((c.view or {}).get("received", 0) for c in connections)
            print(f"{now:6.1f} s  {done / 1e6:6.2f} of {sum(c.bytes for c in connections) / 1e6:.1f} MB received,"
                  f" {sum(len(c.moves) for c in connections)} moves, "
                  + " ".join("in" if c.inside else "out" for c in connections), file=sys.stderr, flush=True)
        time.sleep(TICK_S)
    for c in connections:            # the last figures, if flued still has them
        c.view = daemon.connections().get(c.id, c.view)
    return connections, time.monotonic() - started, None


def judge(connections, a, results):
    """What is wrong with the connections, as sentences."""
    wrong = []
    for c, (host, peer) in zip(connections, results):
        name = f"connection {c.number + 1}"
        for side, r in (("host", host), ("peer", peer)):
            if not r or r["status"] != 0:
                child = c.host if side == "host" else c.peer
                wrong.append(f"{name}, {side}: {child.stderr.read().strip() or 'no result'}")
        if host and peer and (host["sent_hash"], peer["sent_hash"]) != (peer["received_hash"], host["received_hash"]):
            wrong.append(f"{name}: the content of the two sides is not equal")
        for m in c.moves:
            if not m["ok"]:
                wrong.append(f"{name}: a move to the {m['to']} at {m['at_s']} s: {m['error']}")
        into = sum(m["ok"] and m["to"] == "adapter" for m in c.moves)
        out = sum(m["ok"] and m["to"] == "kernel" for m in c.moves)
        if into < a.moves or out < a.moves - 1:
            wrong.append(f"{name}: {into} moves in and {out} out, wanted {a.moves} and {a.moves - 1}")
        for way in ("sent", "received"):
            share = (c.view or {}).get(f"{way}_adapter", 0) / c.bytes
            if share < SHARE:
                wrong.append(f"{name}: the adapter carried {share:.0%} of what was {way}")
    return wrong


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--megabytes", type=int, default=4, help="of each connection in each direction")
    p.add_argument("--connections", type=int, default=4)
    p.add_argument("--moves", type=int, default=4, help="of each connection into the adapter; one less back")
    p.add_argument("--loss", type=float, default=0.01)
    p.add_argument("--width", type=int, default=128)
    p.add_argument("--fault", choices=("csum", "lso-seq", "place"))
    p.add_argument("--seed", type=int)
    p.add_argument("--limit", type=int, default=170, help="seconds of wall clock")
    p.add_argument("--report", default="demo", help="name of the report's files")
    a = p.parse_args()

    live.become_able()
    reason = live.missing()
    if reason:
        print(f"demo: cannot run here: {reason}\n  What still works: make test (live tests are skipped), make system, make unit.",
              file=sys.stderr)
        return 1
    seed = a.seed or random.SystemRandom().randrange(1, 1 << 31)
    wire = f"drop={a.loss},reorder={a.loss}" if a.loss else ""
    hosts = live.Hosts()
    options = ["--seed", seed] + (["--pcap", os.environ["DEMO_PCAP"]] if "DEMO_PCAP" in os.environ else []) + (["--fault", a.fault] if a.fault else [])
    try:
        hosts.flued(*options, width=a.width)
        if wire:
            hosts.flue("wire", "--tx", wire, "--rx", wire)
        print(f"{a.connections} connections, {a.megabytes} MB each way and each, W = {a.width}, wire {wire or 'perfect'}, seed {seed}"
              + (f", FAULT={a.fault}" if a.fault else ""), flush=True)
        connections, wall_s, stuck = run(hosts, a, random.Random(seed))
    except (RuntimeError, OSError) as e:
        said = [l for l in hosts.log.read_text().splitlines() if "error: " in l]
        print(f"FAILED: {said[0].split('error: ', 1)[1] if said else e}")
        hosts.close()
        return 1
    failures = [stuck] if stuck else []
    for c in connections:
        for child in (c.host, c.peer):
            if child.poll() is None:
                child.kill()
    results = [(c.result(c.host), c.result(c.peer)) for c in connections]
    failures += judge(connections, a, results)
    stat = None if stuck == "flued ended" else hosts.stat()
    # A socket that lets go of its connection for the adapter counts as an established one that was reset, if it was one.
    let_go = sum(m["ok"] and m["to"] == "adapter" and m["state"] in COUNTED for c in connections for m in c.moves)
    resets = sum(hosts.snmp(ns)[k] for ns in (hosts.host, hosts.peer) for k in ("TcpOutRsts", "TcpEstabResets")) - let_go
    if resets:
        failures.append(f"{resets} resets")
    status = hosts.stop_flued()
    violation = next((l.split("monitor: ", 1)[1] for l in hosts.log.read_text().splitlines() if "monitor: " in l), None)
    if violation:
        failures.insert(0, f"monitor: {violation}")
    elif status:
        failures.append(f"flued ended with status {status}")

    report = demo_report.collect(a, seed, connections, results, wall_s, stat, resets, failures)
    demo_report.table(report)
    demo_report.write(report, a.report)
    hosts.close()
    for f in failures:
        print(f"FAILED: {f}")
    if a.fault:
        print(f"(the adapter was broken on purpose: FAULT={a.fault})")
    if not failures:
        print(f"ok: every byte is right at both ends, {report['moves_in']} moves in, {report['moves_out']} out, no reset")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
