#!/usr/bin/env python3
"""Connections that have begun to close move in and out of the adapter in every state of that; then the end comes as it must."""

import random
import sys
import time

import live
from adopted import Daemon, Pair

PORT = 5301
WAIT_S = 30


def moved(daemon, pair, where):
    answer = daemon.ask(verb="move", id=pair.id, to=where)
    assert answer["ok"], answer["error"]


def until(what, check, seconds=WAIT_S):
    end = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        time.sleep(0.02)


def states(hosts, ns):
    """{state of ss} of the connections there."""
    return {line.split()[0] for line in hosts.run(ns, "ss", "-tanH").stdout.splitlines()}


def take(sock, data):
    got = b""
    while len(got) < len(data):
        part = sock.recv(len(data) - len(got))
        assert part, f"the stream ends after {len(got)} of {len(data)} bytes"
        got += part
    assert got == data


def ended(sock):
    assert sock.recv(1) == b""


def silent_wire(hosts, rx):
    """rx: nothing arrives from the peer any more; else what the settings say."""
    hosts.flue("wire", "--rx", "drop=1" if rx else "drop=0")


def no_reset(hosts, moves_in, peer=True):
    """By the kernels' counters; a socket that lets go of an established connection for the adapter counts as one."""
    for ns, let_go in ((hosts.host, moves_in), (hosts.peer, 0))[:2 if peer else 1]:
        count = hosts.snmp(ns)
        assert count["TcpOutRsts"] == 0, f"{count['TcpOutRsts']} RST sent"
        assert count["TcpEstabResets"] <= let_go, f"{count['TcpEstabResets']} resets, {let_go} moves"


def there_and_back(daemon, pair, first):
    """Into the other place and back, and again."""
    second = "kernel" if first == "adapter" else "adapter"
    for where in (first, second, first, second):
        moved(daemon, pair, where)


# HND-002, HND-005, TCP-201, TCP-204, CH-048: our stream has ended, the peer's goes on; then its end, and the quiet time.
def half_closed_by_us(hosts, daemon):
    for start, port in (("kernel", PORT), ("adapter", PORT + 1)):
        pair, up, down = Pair(hosts, port), random.randbytes(30000), random.randbytes(60000)
        pair.host.sendall(up)
        if start == "adapter":
            moved(daemon, pair, "adapter")
        pair.host.shutdown(1)
        take(pair.peer, up)
        ended(pair.peer)
        for part in range(0, len(down), 20000):
            there_and_back(daemon, pair, "adapter" if start == "kernel" else "kernel")
            pair.peer.sendall(down[part:part + 20000])
            take(pair.host, down[part:part + 20000])
        pair.peer.close()
        ended(pair.host)
        until("the quiet time is the kernel's", lambda: "TIME-WAIT" in states(hosts, hosts.host))
        until("flued has forgotten it", lambda: not daemon.connections())
        pair.close()
    no_reset(hosts, 14)


# HND-002, HND-005, TCP-201: the peer's stream has ended, ours goes on.
def half_closed_by_the_peer(hosts, daemon):
    for start, port in (("kernel", PORT), ("adapter", PORT + 1)):
        pair, up, down = Pair(hosts, port), random.randbytes(60000), random.randbytes(30000)
        if start == "adapter":
            moved(daemon, pair, "adapter")
        pair.peer.sendall(down)
        pair.peer.shutdown(1)
        take(pair.host, down)
        ended(pair.host)
        for part in range(0, len(up), 20000):
            there_and_back(daemon, pair, "adapter" if start == "kernel" else "kernel")
            pair.host.sendall(up[part:part + 20000])
            take(pair.peer, up[part:part + 20000])
        pair.host.close()
        ended(pair.peer)
        until("it has ended", lambda: not daemon.connections())
        pair.close()
    no_reset(hosts, 14)


# HND-005, CH-047, TCP-200: moved in FIN_WAIT1, while our FIN waits for its acknowledgement.
def a_fin_that_is_not_acknowledged_moves(hosts, daemon):
    for start, port in (("kernel", PORT), ("adapter", PORT + 1)):
        pair, up, down = Pair(hosts, port), random.randbytes(5000), random.randbytes(5000)
        if start == "adapter":
            moved(daemon, pair, "adapter")
        silent_wire(hosts, True)
        pair.host.sendall(up)
        pair.host.shutdown(1)
        take(pair.peer, up)
        ended(pair.peer)
        there_and_back(daemon, pair, "adapter" if start == "kernel" else "kernel")
        silent_wire(hosts, False)
        pair.peer.sendall(down)
        take(pair.host, down)
        pair.peer.close()
        ended(pair.host)
        until("it has ended", lambda: not daemon.connections())
        pair.close()
    no_reset(hosts, 10)


# HND-005, TCP-202: both streams are over and an acknowledgement is missing: out of the adapter in LAST_ACK and in CLOSING.
def the_last_acknowledgement_comes_after_the_move(hosts, daemon):
    for crossing, port in ((False, PORT), (True, PORT + 1)):
        pair, up, down = Pair(hosts, port), random.randbytes(5000), random.randbytes(5000)
        moved(daemon, pair, "adapter")
        pair.peer.sendall(down)
        take(pair.host, down)
        if crossing:
            hosts.flue("wire", "--tx", "drop=1")
            pair.host.sendall(up)
            pair.host.shutdown(1)
            time.sleep(0.1)
            pair.peer.shutdown(1)
            ended(pair.host)
        else:
            pair.peer.shutdown(1)
            ended(pair.host)
            silent_wire(hosts, True)
            pair.host.sendall(up)
            pair.host.shutdown(1)
            take(pair.peer, up)
        want = "CLOSING" if crossing else "LAST_ACK"
        until(f"state {want}", lambda: want == daemon.connections()[pair.id]["state"])
        moved(daemon, pair, "kernel")
        hosts.flue("wire", "--tx", "drop=0", "--rx", "drop=0")
        if crossing:
            take(pair.peer, up)
        ended(pair.peer)
        until("it has ended", lambda: not daemon.connections())
        until("both kernels have ended it", lambda: not {"CLOSING", "LAST-ACK"} & (states(hosts, hosts.host)
                                                                                  | states(hosts, hosts.peer)))
        pair.close()
    no_reset(hosts, 2)


# HND-005: bytes and the end of the stream wait for the peer's window: the FIN is queued, not sent, and moves with them.
def a_fin_behind_bytes_that_wait_moves(hosts, daemon):
    pair, up = Pair(hosts, PORT), random.randbytes(3000000)
    moved(daemon, pair, "adapter")
    pair.host.setblocking(False)
    sent = 0
    end = time.monotonic() + 3
    while time.monotonic() < end and sent < len(up):
        try:
            sent += pair.host.send(up[sent:])
        except BlockingIOError:
            time.sleep(0.05)
    pair.host.settimeout(WAIT_S)
    pair.host.shutdown(1)
    there_and_back(daemon, pair, "kernel")
    moved(daemon, pair, "kernel")
    take(pair.peer, up[:sent])
    ended(pair.peer)
    moved(daemon, pair, "adapter")
    pair.peer.close()
    ended(pair.host)
    until("it has ended", lambda: not daemon.connections())
    pair.close()
    no_reset(hosts, 20)


# HND-004: what the kernel answers while it takes a closing connection back is not for the wire.
def the_kernels_answers_stay_here(hosts, daemon):
    capture = hosts.folder / "withheld.pcapng"
    pair = Pair(hosts, PORT)
    moved(daemon, pair, "adapter")
    pair.peer.shutdown(1)
    ended(pair.host)
    daemon.ask(verb="pcap", action="start", path=str(capture))
    moved(daemon, pair, "kernel")
    daemon.ask(verb="pcap", action="stop")
    ports = [port for port, frame in live.read_capture(capture) if frame[12:14] == b"\x08\0" and frame[23] == 6]
    assert ports.count("host_rx") == 1 and "wire_tx" not in ports, ports       # the peer's FIN, told again
    assert hosts.stat()["driver"]["tx_withheld"] == ports.count("host_tx") > 0, ports
    pair.host.sendall(b"still open")
    take(pair.peer, b"still open")
    pair.close()


# TCP-204: the peer did not hear our last ACK and repeats its FIN: the kernel, which has the quiet time, answers it.
def a_repeated_fin_is_answered_after_the_end(hosts, daemon):
    pair = Pair(hosts, PORT)
    moved(daemon, pair, "adapter")
    pair.host.shutdown(1)
    ended(pair.peer)
    hosts.flue("wire", "--tx", "drop=1")
    pair.peer.close()
    ended(pair.host)
    until("the quiet time is the kernel's", lambda: "TIME-WAIT" in states(hosts, hosts.host))
    assert "LAST-ACK" in states(hosts, hosts.peer)
    hosts.flue("wire", "--tx", "drop=0")
    until("the peer's end is acknowledged", lambda: "LAST-ACK" not in states(hosts, hosts.peer))
    pair.close()
    no_reset(hosts, 1, peer=False)        # the peer may reset a second acknowledgement, as it has forgotten the connection


# TCP-207, TCP-206: who closes with bytes that nobody will read resets, in the adapter as in the kernel.
def a_program_that_leaves_bytes_unread_resets(hosts, daemon):
    for where, port in (("adapter", PORT), ("kernel", PORT + 1)):
        pair = Pair(hosts, port)
        if where == "adapter":
            moved(daemon, pair, "adapter")
        pair.peer.sendall(b"unread")
        until("the bytes are there", lambda: daemon.connections()[pair.id]["received"] == 6)
        pair.host.close()
        try:
            got = pair.peer.recv(1)
            raise AssertionError(f"the peer got {got!r} and no reset")
        except ConnectionResetError:
            pass
        until("it has ended", lambda: not daemon.connections())
        pair.close()


# HND-009: what has ended cannot move; a sentence says so.
def what_has_ended_is_refused(hosts, daemon):
    pair = Pair(hosts, PORT)
    pair.peer.close()
    ended(pair.host)
    moved(daemon, pair, "adapter")
    pair.host.close()
    until("it has ended", lambda: not daemon.connections())
    answer = daemon.ask(verb="move", id=pair.id, to="kernel")
    assert not answer["ok"] and "no such connection" in answer["error"], answer


# HND-002: by itself in, when the kernel has carried enough of it, and out when it has been idle; also when nothing else happens.
def a_busy_connection_moves_in_by_itself_and_an_idle_one_out(hosts, daemon):
    pair, data = Pair(hosts, PORT), random.randbytes(60000)
    where = lambda: daemon.connections()[pair.id]["where"]
    pair.host.sendall(data[:1000])
    take(pair.peer, data[:1000])
    time.sleep(0.3)
    assert where() == "kernel"
    pair.host.sendall(data)
    take(pair.peer, data)
    until("it moved in", lambda: daemon.connections()[pair.id]["moves_in"] == 1)
    pair.peer.sendall(data)
    take(pair.host, data)
    until("it moved out", lambda: where() == "kernel" and daemon.connections()[pair.id]["moves_out"] == 1)
    pair.host.sendall(data[:1000])
    take(pair.peer, data[:1000])
    pair.close()


a_busy_connection_moves_in_by_itself_and_an_idle_one_out.options = "--offload-after", 50000, "--upload-idle", 2


TESTS = [half_closed_by_us, half_closed_by_the_peer, a_fin_that_is_not_acknowledged_moves,
         the_last_acknowledgement_comes_after_the_move, a_fin_behind_bytes_that_wait_moves, the_kernels_answers_stay_here,
         a_repeated_fin_is_answered_after_the_end,
         a_program_that_leaves_bytes_unread_resets, what_has_ended_is_refused,
         a_busy_connection_moves_in_by_itself_and_an_idle_one_out]

if __name__ == "__main__":
    sys.exit(live.run_tests(TESTS, Daemon))
