"""What must hold at the end of a demonstration, as a list of checks."""

from dataclasses import dataclass, field

import demo_capture
import kernel_log

COUNTED = "ESTABLISHED", "CLOSE_WAIT"   # states TcpEstabResets counts when a socket lets go
RESETS = "TcpOutRsts", "TcpEstabResets"


@dataclass
class Check:
    name: str
    text: str        # what was seen
    wrong: list = field(default_factory=list)


class Seen:
    """Everything there is to judge, taken before the two hosts are gone."""

    def __init__(self, a, hosts, log, connections, wall_s, stuck, capture):
        self.a, self.connections, self.wall_s, self.stuck = a, connections, wall_s, stuck
        self.results = [c.results() for c in connections]
        self.said = [tuple(child.stderr.read().strip() for child in (c.host, c.peer)) for c in connections]
        self.stat = None if stuck == "flued ended" else hosts.stat()
        self.counters = {name: hosts.snmp(ns) for name, ns in (("host", hosts.host), ("peer", hosts.peer))}
        self.status = hosts.stop_flued()
        self.violation = next((l.split("monitor: ", 1)[1] for l in hosts.log.read_text().splitlines() if "monitor: " in l), None)
        self.log_reason, self.log = log.reason, log.lines()
        self.flows = demo_capture.flows(capture, {c.port: c.bytes for c in connections}) if capture else None

    def moves(self, to):
        return [m for c in self.connections for m in c.moves if m["ok"] and m["to"] == to]

    def spans(self, c):
        """When it was in the adapter, us of adapter time: from the end of a move in to the beginning of the next out."""
        moves = [m for m in c.moves if m["ok"]]
        ends = [m["began_us"] for m in moves[1:]] + [None]
        return [(m["began_us"] + m["total_us"], end) for m, end in zip(moves, ends) if m["to"] == "adapter" and end is not None]


def name_of(c):
    return f"connection {c.number + 1}"


def monitors(s):
    check = Check("monitors", "no violation of the simulation's monitors")
    if s.violation:
        check.wrong.append(f"monitor: {s.violation}")
    elif s.status:
        check.wrong.append(f"flued ended with status {s.status}")
    return check


def content(s):
    check = Check("content", "equal by hash at both ends")
    for c, (host, peer), said in zip(s.connections, s.results, s.said):
        for side, r, text in (("host", host, said[0]), ("peer", peer, said[1])):
            if not r or r["status"]:
                check.wrong.append(f"{name_of(c)}, {side}: {text or 'no result'}")
        if host and peer and (host["sent_hash"], peer["sent_hash"]) != (peer["received_hash"], host["received_hash"]):
            check.wrong.append(f"{name_of(c)}: the content of the two sides is not equal")
    check.wrong.sort(key=lambda w: ": byte " not in w)      # a cause goes before what follows from it
    return check


def resets(s):
    # A socket that lets go of its connection for the adapter counts as one that was reset, if it was established.
    let_go = sum(m["state"] in COUNTED for m in s.moves("adapter"))
    count = {side: {k: s.counters[side][k] for k in RESETS} for side in s.counters}
    count["host"]["TcpEstabResets"] -= let_go
    check = Check("resets", "; ".join(f"{side}: {c['TcpOutRsts']} RST sent, {c['TcpEstabResets']} connections reset"
                                      for side, c in count.items()) + f" (host: less {let_go} sockets that let go)")
    if any(v for c in count.values() for v in c.values()):
        check.wrong.append(f"resets by the kernels' counters: {check.text}")
    return check


def log_clean(s):
    if s.log is None:
        return Check("kernel log", f"not readable by this user ({s.log_reason})")
    bad = kernel_log.complaints(s.log)
    return Check("kernel log", f"{len(s.log)} lines, {len(bad)} warnings or lines about us", [f"kernel log: {l}" for l in bad])


def moved(s):
    check = Check("moves", f"{len(s.moves('adapter'))} in, {len(s.moves('kernel'))} out, each connection at random bytes")
    for c in s.connections:
        check.wrong += [f"{name_of(c)}: a move to the {m['to']} at {m['at_s']} s: {m['error']}" for m in c.moves if not m["ok"]]
        into, out = (sum(m["ok"] and m["to"] == to for m in c.moves) for to in ("adapter", "kernel"))
        if into < s.a.moves or out < s.a.moves - 1:
            check.wrong.append(f"{name_of(c)}: {into} moves in and {out} out, wanted {s.a.moves} and {s.a.moves - 1}")
    return check


def shares(name, source, s, carried):
    """carried(c): bytes (sent, received) that the adapter carried."""
    every = [(c, way, n / c.bytes) for c in s.connections for way, n in zip(("sent", "received"), carried(c))]
    check = Check(name, f"at least {min(f for _, _, f in every):.1%} of each direction of each connection, by {source}")
    check.wrong = [f"{name_of(c)}: by {source} the adapter carried {f:.1%} of what was {way}, wanted {s.a.share:.0%}"
                   for c, way, f in every if f < s.a.share]
    return check


def silence(s):
    """HND-004: what the kernel had queued when it let go is withheld; nothing else comes."""
    frames = sum(s.flows[c.port].silent(s.spans(c)) for c in s.connections)
    withheld = (s.stat or {}).get("driver", {}).get("tx_withheld", 0)
    check = Check("silence", f"{frames} frames from the kernel of connections that were in the adapter, {withheld} withheld at the port")
    if s.stat and frames > withheld:
        check.wrong.append(f"the kernel is not silent: {check.text}")
    return check


def end(s):
    check = Check("end", f"{s.wall_s:.1f} s of wall clock, limit {s.a.limit} s")
    if s.stuck:
        check.wrong.append(s.stuck)
    return check


def judge(s):
    checks = [monitors(s), content(s), resets(s), log_clean(s), moved(s),
              shares("carried, counters", "the engine's counters", s,
                     lambda c: tuple((c.view or {}).get(f"{way}_adapter", 0) for way in ("sent", "received")))]
    if s.flows is not None:
        checks += [shares("carried, capture", "the capture", s, lambda c: s.flows[c.port].engine_bytes()), silence(s)]
    return checks + [end(s)]
