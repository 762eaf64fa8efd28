#!/usr/bin/env python3
"""Ways to the peer of a connection that moves: IPv6, a router between, an address that changes hands."""

import socket
import struct
import sys
import time

import live
from adopted import Daemon, Pair, Stream, socket_in

BEHIND4, BEHIND6 = "198.51.100.7", "2001:db8:7::7"
NEW_MAC = "02:00:00:00:be:ef"
LIMIT_S = 60
PORT = 5201
RTM_NEWROUTE, RTA_DST, RTA_OIF, RTA_METRICS, RTAX_FEATURES, FEATURE_USEC_TS = 24, 1, 4, 8, 12, 1 << 4


def moved(daemon, stream, where):
    answer = daemon.ask(verb="move", id=stream.id, to=where)
    assert answer["ok"], answer["error"]


def carried(daemon, stream, before):
    """Wait until the adapter has carried something more each way."""
    until = time.monotonic() + LIMIT_S
    while time.monotonic() < until:
        view = daemon.connections()[stream.id]
        if all(view[k] > before.get(k, 0) + 50000 for k in ("sent_adapter", "received_adapter")):
            return view
        time.sleep(0.05)
    raise AssertionError(f"the adapter carries nothing: {view}")


def in_out_in(address, hosts, daemon):
    stream = Stream(hosts, PORT, 2, address)
    moved(daemon, stream, "adapter")
    view = carried(daemon, stream, {})
    ends = [f"{o['destination']} {o['remote_port']}" for o in hosts.ask("conn")["objects"] if "remote_port" in o]
    assert ends == [f"{address} {PORT}"], ends                # as the adapter answers LIST and QUERY
    moved(daemon, stream, "kernel")
    moved(daemon, stream, "adapter")
    carried(daemon, stream, view)
    stream.wait(LIMIT_S)


# HND-002
def a_connection_of_ipv6_moves(hosts, daemon):
    in_out_in(live.PEER6, hosts, daemon)


# HND-002
def a_peer_behind_a_router_is_reached_through_it(hosts, daemon):
    for address, prefix, gateway in ((BEHIND4, 32, live.PEER4), (BEHIND6, 128, live.PEER6)):
        hosts.run(hosts.peer, "ip", "address", "add", f"{address}/{prefix}", "dev", "lo")
        hosts.run(hosts.host, "ip", "route", "add", f"{address}/{prefix}", "via", gateway)
        in_out_in(address, hosts, daemon)


# HND-002: the neighbor of the adapter follows the kernel's with the next move.
def a_peer_with_another_mac_address_is_found_again(hosts, daemon):
    stream = Stream(hosts, PORT, 2)
    moved(daemon, stream, "adapter")
    carried(daemon, stream, {})
    moved(daemon, stream, "kernel")
    hosts.run(hosts.peer, "ip", "link", "set", "peer0", "address", NEW_MAC)
    hosts.run(hosts.host, "ip", "neigh", "replace", live.PEER4, "lladdr", NEW_MAC, "dev", "flue0", "nud", "reachable")
    view = daemon.connections()[stream.id]
    moved(daemon, stream, "adapter")
    carried(daemon, stream, view)
    stream.wait(LIMIT_S)


# HND-002: while a connection is in the adapter the kernel may forget the neighbor; the adapter has not.
def a_neighbor_the_kernel_has_forgotten_is_where_it_was(hosts, daemon):
    stream = Stream(hosts, PORT, 1)
    moved(daemon, stream, "adapter")
    carried(daemon, stream, {})
    moved(daemon, stream, "kernel")
    hosts.run(hosts.host, "ip", "neigh", "change", live.PEER4, "dev", "flue0", "nud", "failed")
    moved(daemon, stream, "adapter")
    stream.wait(LIMIT_S)


# HND-009: no way, or none by this interface: a sentence, and the connection stays the kernel's.
def a_peer_without_a_way_is_refused_with_the_reason(hosts, daemon):
    stream = Stream(hosts, PORT, 1)
    hosts.run(hosts.host, "ip", "route", "add", "unreachable", f"{live.PEER4}/32", "metric", "1")
    answer = daemon.ask(verb="move", id=stream.id, to="adapter")
    assert not answer["ok"] and live.PEER4 in answer["error"], answer
    hosts.run(hosts.host, "ip", "route", "del", "unreachable", f"{live.PEER4}/32")
    assert daemon.connections()[stream.id]["where"] == "kernel"
    stream.wait(LIMIT_S)


def netlink_route(fd, prefix, index, features):
    """Add a route with features that this ip(8) may not know by name."""
    def attribute(kind, data):
        return struct.pack("<HH", 4 + len(data), kind) + data + b"\0" * (-len(data) % 4)
    metrics = attribute(RTA_METRICS, attribute(RTAX_FEATURES, struct.pack("<I", features)))
    body = struct.pack("<BBBBBBBBI", socket.AF_INET, 32, 0, 0, 254, 4, 253, 1, 0)      # main table, static, on the link, unicast
    body += attribute(RTA_DST, socket.inet_aton(prefix)) + attribute(RTA_OIF, struct.pack("<I", index)) + metrics
    fd.send(struct.pack("<IHHII", 16 + len(body), RTM_NEWROUTE, 0x405, 1, 0) + body)   # request, acknowledge, create
    return struct.unpack_from("<i", fd.recv(4096), 16)[0]


# TCP-179, HND-009: timestamps that count microseconds are not carried; the kernel keeps the connection, and a sentence says why.
def timestamps_in_microseconds_are_refused(hosts, daemon):
    index = int(hosts.run(hosts.host, "cat", "/sys/class/net/flue0/ifindex").stdout)
    with socket_in(hosts.host, socket.AF_NETLINK, socket.SOCK_RAW) as fd:
        error = netlink_route(fd, live.PEER4, index, FEATURE_USEC_TS)
    assert error == 0, f"the route was not taken: {error}"
    pair = Pair(hosts, PORT)
    answer = daemon.ask(verb="move", id=pair.id, to="adapter")
    assert not answer["ok"] and "microseconds" in answer["error"], answer
    pair.host.sendall(b"still the kernel's")
    assert pair.peer.recv(100) == b"still the kernel's"
    pair.close()


TESTS = [a_connection_of_ipv6_moves, a_peer_behind_a_router_is_reached_through_it,
         a_peer_with_another_mac_address_is_found_again, a_peer_without_a_way_is_refused_with_the_reason,
         a_neighbor_the_kernel_has_forgotten_is_where_it_was, timestamps_in_microseconds_are_refused]

if __name__ == "__main__":
    sys.exit(live.run_tests(TESTS, Daemon))
