#!/usr/bin/env python3
"""Linux over flued's interface: programs, settings, checksums and segmentation as the kernel sees them.

    linux_test.py [--only NAME] [--seed N]
"""

import argparse
import hashlib
import json
import os
import random
import re
import shutil
import socket
import struct
import subprocess
import sys
import time

import live
from live import HOST4, HOST6, PEER4, PEER6

LOSSY = "drop=0.01,reorder=0.01"
FEATURES = ("tx-checksum-ip-generic", "tx-tcp-segmentation", "tx-tcp6-segmentation", "tx-tcp-ecn-segmentation")
TESTS = []


class Failed(Exception):
    pass


class Skip(Exception):
    pass


def test(fn):
    TESTS.append(fn)
    return fn


def check(truth, what):
    if not truth:
        raise Failed(what)


def equal(actual, expected, what):
    check(actual == expected, f"{what} is {actual!r}, expected {expected!r}")


def need(*programs):
    for p in programs:
        if not shutil.which(p, path=os.environ["PATH"] + ":/usr/sbin:/sbin"):
            raise Skip(f"the program {p} is not installed")


# ---- helpers -----------------------------------------------------------------------------------------------------------


def caps(h):
    return h.ask("caps")


def set_switches(h, **switches):
    args = [a for name, value in switches.items() for a in ("--set", f"{name.replace('_', '-')}={value}")]
    done = h.flue("caps", *args)
    check(done.returncode == 0, f"caps {args}: {done.stderr.strip()}")


def all_switches(h, on):
    """Every switch to all the hardware can, or off."""
    now = caps(h)["switches"]
    keep = {"lso-id-15bit": "off", "vlan": "off"}
    set_switches(h, **{n: keep.get(n, s["able"]) if on else "off" for n, s in now.items()})


def ethtool(h):
    text = h.run(h.host, "ethtool", "-k", "flue0").stdout
    return {k: v for k, v in re.findall(r"^\s*([\w-]+): (on|off)", text, re.M) if k in FEATURES}


def xfer(h, address, megabytes, meanwhile=None, port=5001):
    """Move megabytes up, then down; both sides' results."""
    program = live.BIN / "xfer"
    peer = h.start(h.peer, program, "listen", address, port, megabytes, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                   text=True)
    listening(h, h.peer, port, peer)
    host = h.start(h.host, program, "connect", address, port, megabytes, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                   text=True)
    if meanwhile:
        meanwhile()
    try:
        host_out, host_err = host.communicate(timeout=100)
        peer_out, peer_err = peer.communicate(timeout=20)
    except subprocess.TimeoutExpired:
        raise Failed(f"{megabytes} MB over {address}: not done in time; {daemon_state(h)}") from None
    check(host.returncode == 0 and peer.returncode == 0,
          f"{megabytes} MB over {address}: {host_err.strip()} {peer_err.strip()} {daemon_state(h)}")
    a, b = json.loads(host_out), json.loads(peer_out)
    equal(b["received_hash"], a["sent_hash"], "hash of what the peer got")
    equal(a["received_hash"], b["sent_hash"], "hash of what the host got")
    return a, b


def daemon_state(h):
    return "flued runs" if h.daemon and h.daemon.poll() is None else "flued ended: " + h.log.read_text()[-300:].strip()


def listening(h, ns, port, child=None):
    until = time.monotonic() + 10
    while time.monotonic() < until:
        if re.search(rf":{port}\s", h.run(ns, "ss", "-ltnH").stdout):
            return
        if child is not None and child.poll() is not None:
            break
        time.sleep(0.03)
    raise Failed(f"nothing listens on port {port}")


def stop(child):
    child.terminate()
    child.wait(10)


def grown(h, group, names, before):
    now = h.stat()[group]
    return {n: now[n] - before[group][n] for n in names}


# ---- settings ----------------------------------------------------------------------------------------------------------


# TO-188: what `flue caps` lists is what ethtool shows, for every switch the mask depends on, there and back.
@test
def ethtool_shows_what_caps_lists(h):
    need("ethtool")
    equal(ethtool(h), {f: "on" for f in FEATURES}, "features at start")
    steps = [({"lso_v2_ipv6": "off"}, {"tx-tcp6-segmentation": "off"}),
             ({"lso_v2_ipv6": "on"}, {}),
             ({"lso_v2_ipv4": "off"}, {}),                              # version 1 still serves IPv4
             ({"lso_v1": "off"}, {"tx-tcp-segmentation": "off"}),
             ({"lso_v2_ipv6": "off"}, {f: "off" for f in FEATURES[1:]}),
             ({"udp6_csum": "rx"}, {f: "off" for f in FEATURES}),
             ({"udp6_csum": "both", "lso_v1": "on", "lso_v2_ipv4": "on", "lso_v2_ipv6": "on"}, {})]
    for switches, off in steps:
        set_switches(h, **switches)
        shown = ethtool(h)
        equal(shown, {f: "on" for f in FEATURES} | off, f"ethtool -k after {switches}")
        equal(caps(h)["linux"], shown, f"flue caps after {switches}")


# TO-161: a request with one wrong value changes nothing, and the message names the switch.
@test
def a_wrong_setting_is_refused_and_named(h):
    before = caps(h)
    for bad, name in (("lso-v9=on", "lso-v9"), ("tcp4-csum=up", "tcp4-csum"), ("lso-v1=tx", "lso-v1")):
        done = h.flue("caps", "--set", "vlan=off", "--set", bad)
        equal(done.returncode, 1, f"status of {bad}")
        check(name in done.stderr, f"'{name}' is not in: {done.stderr.strip()}")
    equal(caps(h), before, "caps")


# TO-188, TO-069, TO-074: settings change while data flows, and every byte arrives.
@test
def switching_during_a_transfer_loses_nothing(h):
    def meanwhile():
        for _ in range(4):
            for way in ("off", "on"):
                time.sleep(0.15)
                set_switches(h, lso_v2_ipv4=way, lso_v1=way, tcp4_csum="both" if way == "on" else "rx")
    before = h.stat()
    xfer(h, PEER4, 6, meanwhile)
    all_switches(h, True)
    counted = grown(h, "driver", ("tx_dropped", "tx_super"), before)
    equal(counted["tx_dropped"], 0, "packets dropped by the driver")
    check(counted["tx_super"] > 0, "no super-segment was sent")


# TO-180: a function reset in mid-traffic keeps the settings, and TCP goes on.
@test
def a_reset_during_a_transfer_is_survived(h):
    before = caps(h)

    def meanwhile():
        for _ in range(3):
            time.sleep(0.3)
            equal(h.flue("reset").returncode, 0, "status of flue reset")
    xfer(h, PEER4, 6, meanwhile)
    equal(caps(h), before, "caps")
    equal(h.stat()["driver"]["resets"], 3, "resets")


# ---- OIDs ---------------------------------------------------------------------------------------------------------------


def params(h, *settings):
    """`flue params` with settings; what it shows then."""
    done = h.flue("--json", "params", *settings)
    check(done.returncode == 0, f"params {settings}: {done.stderr.strip()}")
    return json.loads(done.stdout)


# TO-188: a capability that OID_TCP_OFFLOAD_PARAMETERS switches off is gone from the interface at once, and comes back.
@test
def a_capability_switched_off_by_oid_leaves_the_interface_at_once(h):
    need("ethtool")
    hardware = {n: p["hardware"] for n, p in params(h).items()}
    steps = [({"LsoV2IPv6": "off"}, {"tx-tcp6-segmentation"}),
             ({"LsoV2IPv6": "on"}, set()),
             ({"LsoV1": "off", "LsoV2IPv4": "off"}, {"tx-tcp-segmentation"}),
             ({"UDPIPv6Checksum": "rx"}, set(FEATURES)),
             ({"UDPIPv6Checksum": "both", "LsoV1": "on", "LsoV2IPv4": "on"}, set())]
    for request, off in steps:
        now = params(h, *(f"{n}={v}" for n, v in request.items()))
        equal({n: now[n]["now"] for n in request}, request, f"params after {request}")
        equal(ethtool(h), {f: "off" if f in off else "on" for f in FEATURES}, f"ethtool -k after {request}")
        equal({n: p["hardware"] for n, p in now.items()}, hardware, "hardware capabilities")


# TO-161, TO-162: a request that is refused changes nothing, and names the OID and the status.
@test
def a_refused_oid_changes_nothing_and_is_named(h):
    before = params(h)
    done = h.flue("params", "LsoV1=off", "RscIPv4=on")
    equal(done.returncode, 1, "status of an offload this adapter has not")
    check("OID_TCP_OFFLOAD_PARAMETERS: NDIS_STATUS_INVALID_PARAMETER" in done.stderr, done.stderr.strip())
    done = h.flue("conn", "--set", "TicksPerSecond=7")
    equal(done.returncode, 1, "status of a tick rate that is none")
    check("NDIS_STATUS_INVALID_DATA" in done.stderr, done.stderr.strip())
    done = h.flue("encap", "ipv4=llc-snap")
    equal(done.returncode, 1, "status of a framing no offload supports")
    equal(params(h), before, "params")


# TO-171, TO-172: encapsulation off takes every offload of that IP version away, on gives back what is configured.
@test
def encapsulation_switches_all_offloads_of_an_ip_version(h):
    need("ethtool")
    equal(h.ask("encap"), {"ipv4": "802.3", "ipv6": "802.3"}, "encapsulation at start")
    try:
        equal(h.ask("encap", "ipv6=off"), {"ipv4": "802.3", "ipv6": "off"}, "encapsulation")
        equal(h.ask("conn")["objects"], [], "offloaded objects")
    finally:
        equal(h.ask("encap", "ipv6=on"), {"ipv4": "802.3", "ipv6": "802.3"}, "encapsulation")
    equal(ethtool(h), {f: "on" for f in FEATURES}, "features afterwards")


# CH-203, TO-179: traffic that is not offloaded is not in the offload statistics; their reset leaves other counters alone.
@test
def offload_statistics_are_read_and_reset(h):
    xfer(h, PEER4, 1)
    before = h.stat()
    equal(sorted(before["offload"]), ["ip4", "ip6", "tcp4", "tcp6"], "groups")
    for group, counters in before["offload"].items():
        equal(counters, dict.fromkeys(counters, 0), f"{group} after traffic that is not offloaded")
    equal(len(before["offload"]["tcp4"]), 7, "counters of TCP")
    equal(len(before["offload"]["ip6"]), 10, "counters of IP")
    for group in ("tcp4", "ip6", "all"):
        equal(h.flue("stat", "--reset", group).returncode, 0, f"status of stat --reset {group}")
    check(h.stat()["adapter"]["tx_frames"] >= before["adapter"]["tx_frames"], "a reset of offload statistics touched others")


# HND-008: the processor starts again while data flows; no byte is lost and settings stay.
@test
def the_management_processor_restarts_while_data_flows(h):
    before = params(h)

    def meanwhile():
        for _ in range(3):
            time.sleep(0.2)
            equal(h.flue("offload", "restart").returncode, 0, "status of flue offload restart")
    xfer(h, PEER4, 4, meanwhile)
    check("started again, tables kept" in h.log.read_text(), "the log does not say so")
    equal(params(h), before, "params")


# HND-008: a trap of the processor while data flows is told with its cause and address, and it comes back by itself, settings kept.
@test
def a_trap_of_the_processor_is_named_and_mended(h):
    done = h.flue("conn", "--set", "TcpPushTicks=321")
    equal(done.returncode, 0, f"status of conn --set: {done.stderr.strip()}")
    before, compared = h.stat()["processor"], h.log.read_text().count("reconciled: FLUE_OK")
    equal((before["runs"], before["phase"]), (1, "run"), "processor at start")

    def trapped(count):
        until = time.monotonic() + 10
        while time.monotonic() < until:
            now = h.stat()["processor"]
            if now["traps"] == count and now["restarts"] == before["restarts"] + count and now["runs"] == 1:
                return now
            time.sleep(0.05)
        raise Failed(f"not back from trap {count}: {h.stat()['processor']}")

    def meanwhile():
        for count in (1, 2, 3):
            time.sleep(0.2)
            equal(h.flue("fault", "processor").returncode, 0, "status of flue fault processor")
            now = trapped(count)
            equal((now["trap_cause"], now["trap_address"]), (2, "0x00000018"), "cause and address of the trap")
    xfer(h, PEER4, 4, meanwhile)
    log = h.log.read_text()
    check("trap, cause 2 at 0x00000018" in log, "the log does not name cause and address")
    equal(log.count("reconciled: FLUE_OK") - compared, 3, "comparisons that ended well")
    equal(h.ask("conn")["parameters"]["TcpPushTicks"], 321, "a run-time parameter after three traps")
    equal(h.stat()["driver"]["tx_dropped"], 0, "packets dropped by the driver")


# CH-196, TO-176: PAUSE, UPLOAD_ALL and RESUME are seen in the phase, and task offload does not notice.
@test
def a_pause_of_connection_offload_leaves_task_offload_alone(h):
    before = params(h)
    for action, phase in (("pause", "pause"), ("upload-all", "upload"), ("pause", "upload"), ("resume", "run")):
        equal(h.flue("offload", action).returncode, 0, f"status of flue offload {action}")
        now = h.stat()["processor"]
        equal((now["phase"], now["outstanding"]["objects"]), (phase, 0), f"phase after {action}")
        equal(params(h), before, f"params after {action}")
    check("everything was uploaded: FLUE_OK" in h.log.read_text(), "the log does not tell of the upload")
    equal(h.flue("offload", "stop").returncode, 1, "status of an action that is none")


# TO-160, TO-161: caps sets by OID what an OID has a parameter for, with the driver's own switches all or none, and not in the file.
@test
def caps_changes_by_oid_and_all_or_none(h):
    before = caps(h)
    done = h.flue("caps", "--set", "vlan=off", "--set", "lso-v1=off", "--set", "tcp6-csum=tx")
    equal(done.returncode, 0, f"status of three switches: {done.stderr.strip()}")
    now = caps(h)["switches"]
    equal({n: now[n]["set"] for n in ("vlan", "lso-v1", "tcp6-csum")}, {"vlan": "off", "lso-v1": "off", "tcp6-csum": "tx"}, "caps")
    equal({n: now[n]["active"] for n in ("lso-v1", "tcp6-csum")}, {"lso-v1": "off", "tcp6-csum": "tx"}, "caps")
    equal(params(h)["TCPIPv6Checksum"]["now"], "tx", "the same by params")
    set_switches(h, **{n.replace("-", "_"): s["set"] for n, s in before["switches"].items()})
    equal(caps(h), before, "caps set back")
    h.flue("encap", "ipv6=off")
    try:
        now = caps(h)["switches"]
        equal((now["tcp6-csum"]["set"], now["tcp6-csum"]["active"]), ("both", "off"), "caps without activation of IPv6")
    finally:
        h.flue("encap", "ipv6=on")


OIDS = ["OID_TCP_OFFLOAD_CURRENT_CONFIG", "OID_TCP_OFFLOAD_PARAMETERS", "OID_TCP_OFFLOAD_HARDWARE_CAPABILITIES",
        "OID_TCP_CONNECTION_OFFLOAD_CURRENT_CONFIG", "OID_TCP_CONNECTION_OFFLOAD_HARDWARE_CAPABILITIES",
        "OID_TCP_CONNECTION_OFFLOAD_PARAMETERS", "OID_OFFLOAD_ENCAPSULATION", "OID_TCP4_OFFLOAD_STATS", "OID_TCP6_OFFLOAD_STATS",
        "OID_IP4_OFFLOAD_STATS", "OID_IP6_OFFLOAD_STATS", "OID_PNP_SET_POWER", "OID_TCP_RSC_STATISTICS", "OID_GEN_VLAN_ID"]


def random_set():
    """Data of a set: OID and bytes; legal, nearly legal, or anything."""
    kind = random.randrange(6)
    if kind < 3:                                    # parameters, revision 1, not kept in the file
        values = [random.choice((0, 0, 1, 2, 3, 4) if i < 5 else (0, 0, 1, 2)) for i in range(11)]
        values[6] = 0                               # IPsec, which is not there
        if kind == 2:
            values[random.randrange(11)] = random.randrange(256)
        return "OID_TCP_OFFLOAD_PARAMETERS", struct.pack("<BBH11BxI", 0x80, 1, 20, *values, 1)
    if kind == 3:
        ways = [w for on in (random.randrange(4), random.randrange(4)) for w in ((on, 2, 14) if on == 1 else (on, 0, 0))]
        return "OID_OFFLOAD_ENCAPSULATION", struct.pack("<BBH6I", 0xA8, 1, 28, *ways)
    if kind == 4:
        return "OID_PNP_SET_POWER", struct.pack("<I", random.randrange(6))
    return random.choice(OIDS), random.randbytes(random.randrange(80))


# TO-181, TO-188: a storm of OIDs, legal and not, while data flows: every one is answered, every byte arrives, the mask follows.
@test
def a_storm_of_oids_during_a_transfer_harms_nothing(h):
    before, statuses = caps(h), {}

    def meanwhile():
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(str(h.socket))
            answers = s.makefile()
            for _ in range(120):
                name, data = random_set()
                request = {"verb": "oid", "type": "set", "oid": name, "data": data.hex()}
                if random.randrange(3) == 0:
                    request = {"verb": "oid", "type": "query", "oid": random.choice(OIDS), "length": random.randrange(300)}
                s.sendall(json.dumps(request).encode() + b"\n")
                status = json.loads(answers.readline()).get("status", "none")
                statuses[status] = statuses.get(status, 0) + 1
                time.sleep(0.003)
            for name, data in (("OID_PNP_SET_POWER", struct.pack("<I", 1)),
                               ("OID_TCP_OFFLOAD_PARAMETERS", struct.pack("<BBH11BxI", 0x80, 1, 20, 4, 4, 4, 4, 4, 2, 0, 2, 2, 2, 2, 1)),
                               ("OID_OFFLOAD_ENCAPSULATION", struct.pack("<BBH6I", 0xA8, 1, 28, 1, 2, 14, 1, 2, 14))):
                s.sendall(json.dumps({"verb": "oid", "type": "set", "oid": name, "data": data.hex()}).encode() + b"\n")
                equal(json.loads(answers.readline()).get("status"), "NDIS_STATUS_SUCCESS", f"status of {name} at the end")
    for address in (PEER4, PEER6):
        xfer(h, address, 2, meanwhile)
    check("none" not in statuses, "a request without an answer")
    for status in ("NDIS_STATUS_SUCCESS", "NDIS_STATUS_INVALID_DATA", "NDIS_STATUS_NOT_SUPPORTED"):
        check(statuses.get(status, 0) > 5, f"statuses: {statuses}")
    equal(caps(h), before, "caps")


# TO-166: settings of the file are in force at start; what an OID changes is in the file, and the next start has it.
@test
def the_settings_file_outlives_the_daemon(h):
    settings = h.folder / "settings"
    settings.write_text("# kept\n*LsoV2IPv6 = 0\n")
    equal(h.stop_flued(), 0, "exit status of flued")
    try:
        h.flued("--settings", settings)
        equal(params(h)["LsoV2IPv6"]["now"], "off", "LsoV2IPv6 by the file")
        params(h, "LsoV2IPv6=on", "LsoV2IPv4=off")
        equal(h.stop_flued(), 0, "exit status of flued")
        text = settings.read_text()
        check("# kept" in text and "*LsoV2IPv4" in text, f"the file is {text!r}")
        h.flued("--settings", settings)
        now = params(h)
        equal((now["LsoV2IPv6"]["now"], now["LsoV2IPv4"]["now"]), ("on", "off"), "settings of the next start")
        equal(h.stop_flued(), 0, "exit status of flued")
        settings.write_text("*LsoV2IPv6 = 0\nwhat is this\n")
        refused = None
        try:
            h.flued("--settings", settings)
        except RuntimeError as e:
            refused = str(e)
        check(refused is not None, "a settings file with a wrong line was taken")
        check(f"{settings}:2" in refused, f"the message names neither file nor line: {refused}")
    finally:
        h.stop_flued()
        h.flued("--pcap", h.folder / "live.pcapng")


# ---- bulk data ---------------------------------------------------------------------------------------------------------


# TO-189: all offloads on, both directions, both IP versions.
@test
def bulk_data_is_identical_with_all_offloads_on(h):
    for address in (PEER4, PEER6):
        before = h.stat()
        xfer(h, address, 4)
        a = grown(h, "adapter", ("tx_super", "tx_segments", "rx_tcp_ok"), before)
        check(a["tx_super"] > 0 and a["tx_segments"] >= 2 * a["tx_super"], f"{address}: no large sends: {a}")
        check(grown(h, "driver", ("rx_good",), before)["rx_good"] > 1000, f"{address}: received frames were not marked good")


# TO-189: the same with all of them off; the kernel does the work.
@test
def bulk_data_is_identical_with_all_offloads_off(h):
    all_switches(h, False)
    try:
        equal(ethtool(h), {f: "off" for f in FEATURES}, "ethtool -k")
        for address in (PEER4, PEER6):
            before = h.stat()
            xfer(h, address, 2)
            a = grown(h, "adapter", ("tx_super", "tx_csum_l4", "rx_tcp_ok", "rx_tcp_bad"), before)
            equal(a, dict.fromkeys(a, 0), f"{address}: offload counters")
            equal(grown(h, "driver", ("rx_good",), before)["rx_good"], 0, f"{address}: frames marked good")
    finally:
        all_switches(h, True)


# ---- segmentation in the capture ---------------------------------------------------------------------------------------


def fold(total):
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def add16(data):
    if len(data) % 2:
        data += b"\0"
    return fold(sum(struct.unpack(f">{len(data) // 2}H", data)))


def tcp_place(frame):
    """(L3 offset, L4 offset, is IPv6) of a TCP frame without tags, else None."""
    kind = frame[12:14]
    if kind == b"\x08\x00" and frame[23] == 6:
        return 14, 14 + (frame[14] & 15) * 4, False
    if kind == b"\x86\xdd" and frame[20] == 6:
        return 14, 54, True
    return None


def segments_of(frame, mss):
    """Software segmentation by the rules of linux-host.md 1.4: what the adapter must have made of a super-segment."""
    l3, l4, ipv6 = tcp_place(frame)
    hdr = l4 + (frame[l4 + 12] >> 4) * 4
    payload = frame[hdr:]
    made = []
    for i in range(0, len(payload), mss):
        piece, index, last = payload[i:i + mss], i // mss, i + mss >= len(payload)
        head = bytearray(frame[:hdr])
        if ipv6:
            struct.pack_into(">H", head, l3 + 4, hdr - l4 + len(piece))
            pseudo = bytes(head[l3 + 8:l3 + 40])
        else:
            struct.pack_into(">H", head, l3 + 2, hdr - l3 + len(piece))
            ident, = struct.unpack_from(">H", head, l3 + 4)
            struct.pack_into(">HHBBH", head, l3 + 4, (ident + index) & 0xFFFF, *struct.unpack_from(">HBB", head, l3 + 6), 0)
            struct.pack_into(">H", head, l3 + 10, 0xFFFF - add16(bytes(head[l3:l4])))
            pseudo = bytes(head[l3 + 12:l3 + 20])
        seq, = struct.unpack_from(">I", head, l4 + 4)
        struct.pack_into(">I", head, l4 + 4, (seq + i) & 0xFFFFFFFF)
        if index:
            head[l4 + 13] &= ~0x80
        if not last:
            head[l4 + 13] &= ~0x09
        struct.pack_into(">H", head, l4 + 16, 0)
        total = add16(pseudo) + 6 + hdr - l4 + len(piece) + add16(bytes(head[l4:])) + add16(piece)
        struct.pack_into(">H", head, l4 + 16, 0xFFFF - fold(total))
        made.append(bytes(head) + piece)
    return made


def captured(h):
    path = h.ask("pcap")["path"]
    return list(live.read_capture(path))


def supers_and_frames(h, skip, ipv6):
    """(super-segments with MSS of their flow, frames on the wire) of what was captured since `skip` packets."""
    supers, frames = [], []
    for port, data in captured(h)[skip:]:
        place = tcp_place(data)
        if not place or place[2] != ipv6:
            continue
        if port == "host_tx" and len(data) > 1514:
            supers.append(data)
        elif port == "wire_tx":
            frames.append(data)
    return supers, frames


def wide_segments(h, address, ipv6):
    """Run a transfer; check every super-segment of it against the frames that left; the supers."""
    skip = len(captured(h))
    xfer(h, address, 2)
    supers, frames = supers_and_frames(h, skip, ipv6)
    check(len(supers) >= 5, f"only {len(supers)} super-segments were captured")
    by_key, place_of = {}, {}
    for n, f in enumerate(frames):
        by_key.setdefault(f, n)
    for s in supers:
        _, l4, _ = tcp_place(s)
        mss = 1514 - l4 - (s[l4 + 12] >> 4) * 4
        expected = segments_of(s, mss)
        places = []
        for index, e in enumerate(expected):
            check(e in by_key, f"segment {index} of {len(expected)} of a super-segment of {len(s)} bytes is not on the wire")
            places.append(by_key[e])
        check(places == list(range(places[0], places[0] + len(places))), "segments of a super-segment are not contiguous")
        place_of[s] = places[0]
    order = [place_of[s] for s in supers]
    check(order == sorted(order), "super-segments left in another order than they came")
    return supers, frames


# TO-182, TO-070: every frame is bit for bit what software segmentation of the super-packet gives, IPv4.
@test
def large_sends_over_ipv4_are_segmented_as_software_does(h):
    wide_segments(h, PEER4, False)


# TO-182, TO-051: the same for IPv6.
@test
def large_sends_over_ipv6_are_segmented_as_software_does(h):
    wide_segments(h, PEER6, True)


# TO-182: the kernel's own segmentation (TSO switched off with ethtool -K) has the same sizes, flags and spacing.
@test
def the_kernel_cuts_as_the_adapter_does(h):
    need("ethtool")

    def shape(frames):
        """Data frames of the host: (header bytes, payload bytes of all but the last of a burst, flags seen)."""
        rows = set()
        for f in frames:
            _, l4, _ = tcp_place(f)
            hdr = l4 + (f[l4 + 12] >> 4) * 4
            if len(f) > hdr + 1000:
                rows.add((hdr, len(f), f[l4 + 13] & 0xF7))
        return rows
    skip = len(captured(h))
    xfer(h, PEER4, 1)
    _, by_adapter = supers_and_frames(h, skip, False)
    h.run(h.host, "ethtool", "-K", "flue0", "tso", "off")
    try:
        skip = len(captured(h))
        before = h.stat()
        xfer(h, PEER4, 1)
        equal(grown(h, "adapter", ("tx_super",), before)["tx_super"], 0, "large sends with TSO off")
        _, by_kernel = supers_and_frames(h, skip, False)
    finally:
        h.run(h.host, "ethtool", "-K", "flue0", "tso", "on")
    full = {r for r in shape(by_adapter) if r[1] == 1514}
    check(full and full == {r for r in shape(by_kernel) if r[1] == 1514}, f"full frames: {shape(by_adapter)} and {shape(by_kernel)}")


# TO-183: identifications count on over 16 bits from one super-packet to the next.
@test
def identifications_never_collide(h):
    last, seen, high, port = {}, set(), 0, 5101
    while port < 5105 or (high == 0 and port < 5125):     # each connection begins at a random identification
        skip = len(captured(h))
        xfer(h, PEER4, 1, port=port)
        port += 1
        supers, frames = supers_and_frames(h, skip, False)
        for f in frames:
            ident, = struct.unpack_from(">H", f, 18)
            flow = f[34:38] + f[26:34]
            if flow in last:
                step = (ident - last[flow]) & 0xFFFF
                check(1 <= step <= 64, f"identification {ident:#06x} follows {last[flow]:#06x}")
            check((flow, ident) not in seen, f"identification {ident:#06x} was used twice by a flow")
            seen.add((flow, ident))
            last[flow] = ident
        high += sum(struct.unpack_from(">H", s, 18)[0] >= 0x8000 for s in supers)
    check(high > 0, "no super-segment had an identification of 0x8000 or more: 15 and 16 bits look alike")


# ---- checksums -----------------------------------------------------------------------------------------------------------

RAW_SENDER = r"""
import socket, sys
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind((sys.argv[1], 0))
for line in sys.stdin:
    s.send(bytes.fromhex(line))
"""

UDP_RECEIVER = r"""
import socket, sys
s = socket.socket(socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET, socket.SOCK_DGRAM)
s.bind((sys.argv[1], int(sys.argv[2])))
print("ready", flush=True)
s.settimeout(float(sys.argv[3]))
try:
    while True:
        print(s.recv(2048).hex(), flush=True)
except TimeoutError:
    pass
"""


def mac(h, ns, interface):
    return bytes.fromhex(h.run(ns, "cat", f"/sys/class/net/{interface}/address").stdout.strip().replace(":", ""))


def udp_frame(h, ipv6, port, payload, spoil):
    src, dst = (PEER6, HOST6) if ipv6 else (PEER4, HOST4)
    family = socket.AF_INET6 if ipv6 else socket.AF_INET
    addresses = socket.inet_pton(family, src) + socket.inet_pton(family, dst)
    length = 8 + len(payload)
    udp = struct.pack(">HHHH", 4000, port, length, 0) + payload
    total = 0xFFFF - fold(add16(addresses) + 17 + length + add16(udp)) or 0xFFFF
    udp = udp[:6] + struct.pack(">H", total ^ spoil) + udp[8:]
    if ipv6:
        ip = struct.pack(">IHBB", 0x60000000, length, 17, 64) + addresses
    else:
        ip = struct.pack(">BBHHHBBH", 0x45, 0, 20 + length, 7, 0, 64, 17, 0) + addresses
        ip = ip[:10] + struct.pack(">H", 0xFFFF - add16(ip)) + ip[12:]
    return (mac(h, h.host, "flue0") + mac(h, h.peer, "peer0") + (b"\x86\xdd" if ipv6 else b"\x08\x00") + ip + udp).ljust(60, b"\0")


def send_raw(h, frames):
    h.run(h.peer, sys.executable, "-c", RAW_SENDER, "peer0", input="".join(f.hex() + "\n" for f in frames))


# TO-186: a good frame reaches the socket with the partial sum; a bad one goes up as it came, and the kernel counts and drops it.
@test
def good_frames_reach_the_socket_and_bad_ones_are_counted(h):
    for ipv6 in (False, True):
        version, address = (6, HOST6) if ipv6 else (4, HOST4)
        before, kernel = h.stat(), h.snmp(h.host)
        receiver = h.start(h.host, sys.executable, "-c", UDP_RECEIVER, address, 4001, 2.5, stdout=subprocess.PIPE, text=True)
        equal(receiver.stdout.readline().strip(), "ready", "receiver")
        good = [b"good-%d-" % i + bytes(range(50 + i)) for i in range(5)]
        bad = [b"bad-%d" % i for i in range(3)]
        send_raw(h, [udp_frame(h, ipv6, 4001, p, 0) for p in good[:3]] + [udp_frame(h, ipv6, 4001, p, 0x0101) for p in bad]
                 + [udp_frame(h, ipv6, 4001, p, 0) for p in good[3:]])
        got = [bytes.fromhex(l) for l in receiver.communicate(timeout=20)[0].split()]
        equal(got, good, f"IPv{version} datagrams")
        a = grown(h, "adapter", ("rx_udp_ok", "rx_udp_bad"), before)
        equal(a["rx_udp_bad"], 3, f"IPv{version} datagrams the adapter found bad")
        check(a["rx_udp_ok"] >= 5, f"IPv{version} datagrams the adapter found good: {a['rx_udp_ok']}")
        equal(grown(h, "driver", ("rx_bad",), before)["rx_bad"], 3, "bad frames counted by the driver")
        name = "Udp6InCsumErrors" if ipv6 else "UdpInCsumErrors"
        equal(h.snmp(h.host)[name] - kernel[name], 3, name)


# TO-186: the same for TCP segments.
@test
def a_bad_tcp_segment_is_counted_and_dropped_by_the_kernel(h):
    before, kernel = h.stat(), h.snmp(h.host)
    addresses = socket.inet_aton(PEER4) + socket.inet_aton(HOST4)
    tcp = struct.pack(">HHIIBBHHH", 4000, 4002, 1, 0, 0x50, 2, 1000, 0, 0)
    total = 0xFFFF - fold(add16(addresses) + 6 + 20 + add16(tcp))
    ip = struct.pack(">BBHHHBBH", 0x45, 0, 40, 7, 0, 64, 6, 0) + addresses
    ip = ip[:10] + struct.pack(">H", 0xFFFF - add16(ip)) + ip[12:]
    head = mac(h, h.host, "flue0") + mac(h, h.peer, "peer0") + b"\x08\x00" + ip
    send_raw(h, [(head + tcp[:16] + struct.pack(">H", total ^ 0x8000) + tcp[18:]).ljust(60, b"\0")])
    until = time.monotonic() + 5
    while h.snmp(h.host)["TcpInCsumErrors"] == kernel["TcpInCsumErrors"] and time.monotonic() < until:
        time.sleep(0.05)
    equal(h.snmp(h.host)["TcpInCsumErrors"] - kernel["TcpInCsumErrors"], 1, "TcpInCsumErrors")
    equal(grown(h, "adapter", ("rx_tcp_bad",), before)["rx_tcp_bad"], 1, "segments the adapter found bad")


# ---- daemon ------------------------------------------------------------------------------------------------------------


# Idle time is skipped: a daemon without traffic takes no processor time (architecture.md, section 6).
@test
def an_idle_daemon_takes_no_processor_time(h):
    def ticks():
        fields = open(f"/proc/{h.daemon.pid}/stat").read().rsplit(")", 1)[1].split()
        return int(fields[11]) + int(fields[12])
    time.sleep(0.5)
    cycles, before = h.stat()["simulator"]["cycles"], ticks()
    time.sleep(3)
    used = (ticks() - before) * 1000 // os.sysconf("SC_CLK_TCK")
    check(used <= 30, f"{used} ms of processor time in 3 s of idleness")
    check(h.stat()["simulator"]["cycles"] - cycles < 200000, "the clock ran while nothing was to do")


# A wrong option gives an error that names it, and status 2.
@test
def wrong_options_are_named(h):
    rows = [(["--width", "48"], "--width"), (["--mtu", "9"], "--mtu"), (["--set", "vlan"], "--set"), (["--set", "x=on"], "'x'"),
            (["--fault", "all"], "--fault"), (["--seed", "-1"], "--seed"), (["--nonsense"], "--nonsense"),
            (["--tap"], "--tap"), (["--address", "192.0.2.1"], "--address"), (["--log-level", "loud"], "--log-level"),
            (["extra"], "'extra'"), (["--wire-tx", "drop=2", "--socket", h.folder / "x.sock", "--tap", "flue9", "--wire-tap",
                                      "flue8", "--model-dir", live.BIN], "drop")]
    for options, name in rows:
        done = h.run(h.peer, live.BIN / "flued", *options, check=False)
        equal(done.returncode, 2, f"status of {options}")
        check(name in done.stderr, f"{options}: '{name}' is not in: {done.stderr.strip()}")
    done = h.flue("frobnicate")
    check(done.returncode == 2 and "frobnicate" in done.stderr, "flue frobnicate")
    equal(subprocess.run([live.BIN / "flue", "--socket", h.folder / "none", "stat"], capture_output=True).returncode, 3,
          "status without a daemon")


# A capture can end and begin while the daemon runs; tcpdump reads what it wrote.
@test
def captures_start_and_stop(h):
    first = h.ask("pcap")["path"]
    second = h.folder / "second.pcapng"
    check(h.flue("pcap", "start", second).returncode == 1, "a second capture was begun beside the first")
    equal(h.flue("pcap", "stop").stdout.strip(), first, "path of the capture that ended")
    equal(h.flue("pcap").returncode, 1, "status without a capture")
    equal(h.flue("pcap", "start", "second.pcapng", cwd=h.folder).stdout.strip(), str(second), "path of the new capture")
    xfer(h, PEER4, 1)
    equal(h.flue("pcap", "stop").returncode, 0, "status of pcap stop")
    ports = [port for port, _ in live.read_capture(second)]
    for port in ("host_tx", "host_rx", "wire_tx", "wire_tx_peer", "wire_rx_peer", "wire_rx"):
        check(ports.count(port) > 10, f"{ports.count(port)} packets of {port}")
    if shutil.which("tcpdump"):
        done = subprocess.run(["tcpdump", "-nr", second, "tcp"], capture_output=True, text=True)
        check(done.returncode == 0 and len(done.stdout.splitlines()) > 100, f"tcpdump: {done.stderr.strip()}")
    equal(h.flue("pcap", "start", h.folder / "live2.pcapng").returncode, 0, "status of pcap start")


# Every input of the adapter was recorded: the run can be repeated cycle by cycle, from the log or from its capture.
@test
def a_recording_replays_exactly(h):
    log, capture = h.folder / "run.flog", h.folder / "run.pcapng"
    done = h.run(h.peer, "timeout", "-s", "INT", 3, live.BIN / "flued", "--tap", "flue9", "--wire-tap", "flue8", "--socket",
                 h.folder / "rec.sock", "--record", log, "--pcap", capture, "--model-dir", live.BIN, check=False)
    check("stopping" in done.stderr, done.stderr)
    check(sum(port == "wire_tx" for port, _ in live.read_capture(capture)) >= 2, "nothing was sent")
    for path in (log, capture):
        replay = json.loads(h.flue("--json", "replay", path, "--model-dir", live.BIN).stdout)
        check(replay["ok"] and replay["cycles"] > 1000, f"replay of {path.name}: {replay}")


# A second daemon on the same socket is refused; the first goes on.
@test
def a_socket_in_use_is_not_taken_over(h):
    done = h.run(h.peer, live.BIN / "flued", "--socket", h.socket, "--tap", "flue9", "--wire-tap", "flue8", "--model-dir",
                 live.BIN, check=False)
    equal(done.returncode, 1, "status of the second daemon")
    check("--socket" in done.stderr, done.stderr)
    check(h.flue("log").returncode == 0, "the first daemon does not answer")


# ---- programs, with the wire losing and reordering 1 % -----------------------------------------------------------------


def lossy(h):
    equal(h.flue("wire", "--tx", LOSSY, "--rx", LOSSY).returncode, 0, "status of flue wire")


def four_ways(h):
    """(client namespace, server namespace, server address) both directions, both IP versions."""
    return [(h.host, h.peer, PEER4), (h.host, h.peer, PEER6), (h.peer, h.host, HOST4), (h.peer, h.host, HOST6)]


@test
def curl_works_both_ways_over_a_lossy_wire(h):
    need("curl")
    lossy(h)
    data = os.urandom(1 << 20)
    www = h.folder / "www"
    www.mkdir(exist_ok=True)
    (www / "file").write_bytes(data)
    for client, server, address in four_ways(h):
        httpd = h.start(server, sys.executable, "-m", "http.server", "8000", "--bind", address, "--directory", www,
                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        listening(h, server, 8000, httpd)
        url = f"http://[{address}]:8000/file" if ":" in address else f"http://{address}:8000/file"
        got = h.run(client, "curl", "-sS", "-g", "--max-time", "40", url, text=False).stdout
        stop(httpd)
        equal(hashlib.sha256(got).hexdigest(), hashlib.sha256(data).hexdigest(), f"hash of {url}")


@test
def iperf3_works_both_ways_over_a_lossy_wire(h):
    need("iperf3")
    lossy(h)
    for _, server, address in four_ways(h)[:2]:
        for reverse in ([], ["-R"]):
            daemon = h.start(server, "iperf3", "-s", "-1", "-B", address, stdout=subprocess.DEVNULL)
            listening(h, server, 5201, daemon)
            done = h.run(h.host, "iperf3", "-c", address, "-n", "2M", "-J", *reverse, check=False)
            daemon.wait(20)
            result = json.loads(done.stdout)
            check(done.returncode == 0 and "error" not in result, f"iperf3 {address} {reverse}: {result.get('error')}")
            check(result["end"]["sum_received"]["bytes"] >= 1 << 20, f"iperf3 {address} {reverse}: {result['end']['sum_received']}")
    wire = h.stat()["simulator"]
    for way in ("wire_tx", "wire_rx"):
        check(wire[way]["dropped"] > 0 and wire[way]["reordered"] > 0, f"{way} lost or reordered nothing: {wire[way]}")


@test
def ssh_works_both_ways_over_a_lossy_wire(h):
    need("ssh", "sshd", "ssh-keygen")
    if os.environ.get("FLUE_UNSHARED"):
        raise Skip("sshd needs a second user, and an own user namespace has one")
    lossy(h)
    folder = h.folder / "ssh"
    folder.mkdir(mode=0o700)
    for key in ("host_key", "user_key"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / key], check=True)
    made = not os.path.isdir("/run/sshd")
    os.makedirs("/run/sshd", mode=0o755, exist_ok=True)          # sshd's own folder for its unprivileged part
    config = folder / "sshd_config"
    config.write_text(f"HostKey {folder}/host_key\nAuthorizedKeysFile {folder}/user_key.pub\nPidFile none\nUsePAM no\n"
                      "StrictModes no\nPermitRootLogin yes\nPasswordAuthentication no\nLogLevel ERROR\n")
    data = os.urandom(512 << 10)
    (folder / "back").write_bytes(data)
    try:
        for client, server, address in four_ways(h):
            sshd = h.start(server, shutil.which("sshd", path="/usr/sbin:/usr/bin:/sbin"), "-D", "-e", "-f", config, "-o",
                           f"ListenAddress {address}", "-p", 2222, stderr=subprocess.DEVNULL)
            listening(h, server, 2222, sshd)
            done = h.run(client, "ssh", "-F", "/dev/null", "-i", folder / "user_key", "-o", "StrictHostKeyChecking=no", "-o",
                         "UserKnownHostsFile=/dev/null", "-o", "BatchMode=yes", "-o", "ConnectTimeout=20", "-p", 2222,
                         f"root@{address}", f"sha256sum; cat {folder}/back", input=data, text=False, check=False)
            stop(sshd)
            check(done.returncode == 0, f"ssh {address}: {done.stderr.decode(errors='replace').strip()}")
            line, _, back = done.stdout.partition(b"\n")
            equal(line.split()[0].decode(), hashlib.sha256(data).hexdigest(), f"ssh {address}: hash of what went")
            check(back == data, f"ssh {address}: what came back differs")
    finally:
        if made:
            shutil.rmtree("/run/sshd", ignore_errors=True)


# ---- runner ------------------------------------------------------------------------------------------------------------


def kernel_log():
    done = subprocess.run(["dmesg"], capture_output=True, text=True)
    return done.stdout.splitlines() if done.returncode == 0 else None


def log_is_clean(before):
    """New lines of the kernel log, without those that any interface causes."""
    if before is None:
        raise Skip("the kernel log may not be read")
    harmless = re.compile(r"promiscuous mode|link becomes ready|Link is|tun: Universal TUN/TAP")
    known = set(before)
    new = [l for l in kernel_log() if l not in known and not harmless.search(l)]
    check(not new, "new lines in the kernel log: " + "; ".join(new[:5]))


def outcome(counts, name, fn):
    started = time.monotonic()
    try:
        fn()
        counts[0] += 1
        print(f"ok   {name} ({time.monotonic() - started:.1f} s)", flush=True)
    except Skip as e:
        counts[2] += 1
        print(f"SKIP {name}: {e}", flush=True)
    except (Failed, subprocess.SubprocessError, RuntimeError, OSError, KeyError, ValueError) as e:
        counts[1] += 1
        print(f"FAIL {name}: {e}", flush=True)


def run_all(chosen, seed):
    counts = [0, 0, 0]
    before = kernel_log()
    h = live.Hosts()
    options = ["--pcap", h.folder / "live.pcapng"] + (["--seed", seed] if seed else [])
    h.run(h.host, "sysctl", "-qw", "net.ipv4.tcp_min_tso_segs=44")
    h.flued(*options)
    drawn = h.stat()["simulator"]["seed"]
    print(f"seed {drawn}", flush=True)
    random.seed(drawn)
    for fn in chosen:
        if h.daemon.poll() is not None:
            print(f"     flued ended, begun anew: {h.log.read_text()[-300:].strip()}", flush=True)
            h.flued(*options)
        outcome(counts, fn.__name__, lambda fn=fn: fn(h))

    def violations():
        if h.daemon.poll() is None:
            equal(h.stat()["simulator"]["violations"], 0, "violations")
        equal(h.stop_flued(), 0, "exit status of flued")
    # Every transmitted checksum of this run was recomputed, and the daemon ends in an orderly way.
    outcome(counts, "no_monitor_was_violated_and_the_daemon_ends_cleanly", violations)
    outcome(counts, "the_kernel_log_stays_clean", lambda: log_is_clean(before))
    h.close()
    return counts


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--only", action="append", help="name of a test; may be repeated")
    p.add_argument("--seed", type=int)
    a = p.parse_args()
    live.become_able()
    chosen = [t for t in TESTS if not a.only or t.__name__ in a.only]
    reason = live.missing()
    if reason:
        for t in chosen:
            print(f"SKIP {t.__name__}: {reason}")
        print(f"0 passed, 0 failed, {len(chosen)} skipped")
        return 0
    passed, failed, skipped = run_all(chosen, a.seed)
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
