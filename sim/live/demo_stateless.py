#!/usr/bin/env python3
"""Two Linux hosts, megabytes each way through the simulated adapter, every byte compared.

    demo_stateless.py [--megabytes 32] [--fault csum|lso-seq] [--seed N]

The host side uses the adapter with checksum and TCP segmentation offload on; the peer is an ordinary interface at the
other end of the wire.  Exit status 0 only if the content is equal, no monitor was violated, and the adapter made at least
ten frames of every super-segment.  The figures are in build/reports/demo-stateless.json.
"""

import argparse
import json
import os
import subprocess
import sys
import time

import live

PORT = 5001
LIMIT_S = 110
FRAMES_A_SUPER = 10


def transfer(hosts, megabytes):
    """(result of the host's side, of the peer's, what went wrong or None)"""
    xfer = live.BIN / "xfer"
    peer = hosts.start(hosts.peer, xfer, "listen", live.PEER4, PORT, megabytes, stdout=subprocess.PIPE,
                       stderr=subprocess.PIPE, text=True)
    wait_listening(hosts, peer)
    host = hosts.start(hosts.host, xfer, "connect", live.PEER4, PORT, megabytes, stdout=subprocess.PIPE, text=True)
    until = time.monotonic() + LIMIT_S
    ends = {}
    while len(ends) < 2 and time.monotonic() < until:
        for name, child in (("host", host), ("peer", peer)):
            if name not in ends and child.poll() is not None:
                ends[name] = child.returncode
        if hosts.daemon.poll() is not None:
            return None, None, "flued ended: " + last_error(hosts)
        if "peer" in ends and ends["peer"] != 0:
            break
        time.sleep(0.05)
    if "peer" in ends and ends["peer"] != 0:
        return None, None, "peer: " + peer.stderr.read().strip()
    if len(ends) < 2:
        return None, None, f"not done after {LIMIT_S} s"
    results = [json.loads(child.stdout.read() or "null") for child in (host, peer)]
    wrong = f"the host's side ended with status {ends['host']}" if ends["host"] else None
    return *results, wrong


def wait_listening(hosts, child):
    while child.poll() is None:
        if f":{PORT} " in hosts.run(hosts.peer, "ss", "-ltnH").stdout:
            return
        time.sleep(0.02)


def last_error(hosts):
    lines = [l for l in hosts.log.read_text().splitlines() if "error:" in l]
    return lines[-1].split("error: ", 1)[1] if lines else "no reason given"


def number(n):
    return f"{n:,}"


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--megabytes", type=int, default=32)
    p.add_argument("--fault", choices=("csum", "lso-seq"))
    p.add_argument("--seed", type=int)
    a = p.parse_args()

    live.become_able()
    reason = live.missing()
    if reason:
        print(f"demo-stateless: cannot run here: {reason}\n"
              "  What still works: make test (live tests are skipped), make system, make unit.", file=sys.stderr)
        return 1

    reports = live.BUILD / "reports"
    reports.mkdir(parents=True, exist_ok=True)
    capture = live.BUILD / "demo-stateless.pcapng"
    hosts = live.Hosts()
    # Linux sizes super-segments by the pacing rate; at the speed of a simulation that would make them tiny.
    hosts.run(hosts.host, "sysctl", "-qw", "net.ipv4.tcp_min_tso_segs=44")
    options = ["--pcap", capture]
    if a.fault:
        options += ["--fault", a.fault]
    if a.seed:
        options += ["--seed", a.seed]
    try:
        hosts.flued(*options)
    except RuntimeError as e:
        print(f"demo-stateless: {e}", file=sys.stderr)
        return 1
    before = hosts.stat()
    seed = before["simulator"]["seed"]
    print(f"two Linux hosts, {a.megabytes} MB each way through the simulated adapter: W = 128, seed {seed}"
          + (f", FAULT={a.fault}" if a.fault else ""), flush=True)

    started = time.monotonic()
    host, peer, wrong = transfer(hosts, a.megabytes)
    wall_s = time.monotonic() - started
    try:
        after = hosts.stat()
    except RuntimeError:
        after = None                 # the daemon ended; its log says why
    resets = sum(hosts.snmp(ns)["TcpOutRsts"] for ns in (hosts.host, hosts.peer))
    status = hosts.stop_flued()
    violation = next((l.split("monitor: ", 1)[1] for l in hosts.log.read_text().splitlines() if "monitor: " in l), None)

    failures = []
    if violation:
        failures.append(f"monitor: {violation}")
    elif status:
        failures.append(f"flued ended with status {status}: {last_error(hosts)}")
    if wrong and not (violation and wrong.startswith("flued ended")):
        failures.append(wrong)
    equal = bool(host and peer and host["equal"] and peer["equal"] and host["sent_hash"] == peer["received_hash"]
                 and peer["sent_hash"] == host["received_hash"]
                 and host["sent_bytes"] == peer["received_bytes"] == a.megabytes << 20
                 and peer["sent_bytes"] == host["received_bytes"] == a.megabytes << 20)
    if not equal:
        failures.append("the content of the two sides is not equal")

    report = {"bytes_up": host["sent_bytes"] if host else 0, "bytes_down": host["received_bytes"] if host else 0,
              "equal": equal, "super_segments_in": 0, "frames_out": 0, "checksums_verified": 0, "resets": resets,
              "wall_s": round(wall_s, 3), "adapter_s": 0, "capture": str(capture.relative_to(live.ROOT)), "seed": seed,
              "fault": a.fault, "moves": []}
    if after:
        def grown(group, name):
            return after[group][name] - before[group][name]
        supers, segments = grown("adapter", "tx_super"), grown("adapter", "tx_segments")
        checked = sum(grown("simulator", f"{k}_checksums") for k in ("ip4", "tcp", "udp"))
        adapter_s = grown("simulator", "cycles") / (after["simulator"]["clock_mhz"] * 1e6)
        report |= {"super_segments_in": supers, "frames_out": segments, "checksums_verified": checked,
                   "adapter_s": round(adapter_s, 6)}
        if segments < FRAMES_A_SUPER * supers or supers == 0:
            failures.append(f"{segments} frames of {supers} super-segments: fewer than {FRAMES_A_SUPER} each")
        if after["simulator"]["violations"]:
            failures.append(f"{after['simulator']['violations']} violations")
        if host and peer:
            table(host, peer, report, after, wall_s, adapter_s)
    print(f"capture: {report['capture']}")
    (reports / "demo-stateless.json").write_text(json.dumps(report, indent=2) + "\n")
    for f in failures:
        print(f"FAILED: {f}")
    if a.fault:
        print(f"(the adapter was broken on purpose: FAULT={a.fault})")
    if not failures:
        print("ok: every byte is equal, every checksum right")
    hosts.close()
    return 1 if failures else 0


def table(host, peer, report, after, wall_s, adapter_s):
    up, down = report["bytes_up"], report["bytes_down"]
    rows = [("", "host to peer", "peer to host"),
            ("bytes", number(up), number(down)),
            ("content", *("equal" if report["equal"] else "DIFFERS",) * 2),
            ("hash", host["sent_hash"], peer["sent_hash"]),
            ("retransmissions", number(host["retransmissions"]), number(peer["retransmissions"])),
            ("Mb/s, wall clock", f"{up * 8e-6 / host['send_s']:.1f}", f"{down * 8e-6 / host['receive_s']:.1f}")]
    for row in rows:
        print(f"  {row[0]:<18} {row[1]:>18} {row[2]:>18}")
    rx = after["driver"]
    print(f"\n  super-segments in    {number(report['super_segments_in'])}\n"
          f"  frames out of them   {number(report['frames_out'])}"
          f" ({report['frames_out'] / max(1, report['super_segments_in']):.1f} each)\n"
          f"  checksums verified   {number(report['checksums_verified'])} by the monitors, every one right;"
          f" {number(rx['rx_good'])} received frames by the adapter\n"
          f"  wall clock           {wall_s:.1f} s\n"
          f"  adapter time         {adapter_s:.3f} s at {after['simulator']['clock_mhz']} MHz:"
          f" {(up + down) * 8e-6 / adapter_s:.0f} Mb/s, both directions\n"
          f"  resets               {report['resets']}\n")
    print(f"BENCH live_mbps {(up + down) * 8e-6 / (host['send_s'] + host['receive_s']):.1f} Mb/s"
          f" W=128, {up >> 20} MB each way, capture on, {os.cpu_count()} processors", flush=True)


if __name__ == "__main__":
    sys.exit(main())
