#!/usr/bin/env python3
"""Live Linux connections in and out of the engine, in mid-stream; short."""

import json
import subprocess
import sys

import live


def demo(*options):
    done = subprocess.run([sys.executable, live.ROOT / "sim/live/demo.py", *map(str, options)], capture_output=True, text=True,
                          timeout=240)
    return done, json.loads((live.BUILD / "reports" / "demo.json").read_text())


# HND-001, HND-002, HND-009, HND-011, TCP-040: streams survive moves at random bytes over a wire that loses and reorders.
def connections_move_in_and_out_under_loss():
    done, report = demo("--megabytes", 1, "--connections", 2, "--moves", 3)
    assert done.returncode == 0, done.stdout[-2000:]
    assert report["moves_in"] >= 6 and report["moves_out"] >= 4 and report["resets"] == 0


# TCP-040: a placement that is one byte off is found by the one who reads, and named.
def a_wrong_placement_is_found():
    done, report = demo("--megabytes", 1, "--connections", 1, "--moves", 1, "--loss", 0, "--fault", "place")
    assert done.returncode == 1, done.stdout[-2000:]
    assert any("byte " in f for f in report["failures"]), report["failures"]


TESTS = [connections_move_in_and_out_under_loss, a_wrong_placement_is_found]


def main():
    live.become_able()
    reason = live.missing()
    if reason:
        print(f"skip: {reason}\n0 passed, 0 failed, {len(TESTS)} skipped")
        return 0
    failed = 0
    for test in TESTS:
        try:
            test()
            print(f"ok   {test.__name__}", flush=True)
        except (AssertionError, subprocess.SubprocessError, OSError, KeyError, ValueError) as e:
            failed += 1
            print(f"FAIL {test.__name__}: {e}", flush=True)
    print(f"{len(TESTS) - failed} passed, {failed} failed, 0 skipped")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
