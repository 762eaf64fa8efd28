#!/usr/bin/env python3
"""Live Linux connections in and out of the engine, in mid-stream; short."""

import json
import re
import subprocess
import sys

import live


REPORT = "move-test"


def demo(*options):
    return subprocess.run([sys.executable, live.ROOT / "sim/live/demo.py", "--report", REPORT, *map(str, options)],
                          capture_output=True, text=True, timeout=300)


def storm(loss):
    done = demo("--megabytes", 2, "--connections", 4, "--moves", 8, "--loss", loss, "--share", 0)
    assert done.returncode == 0, done.stdout[-2000:]
    report = json.loads((live.BUILD / "reports" / f"{REPORT}.json").read_text())
    assert report["moves_in"] + report["moves_out"] >= 60 and report["resets"] == 0


# HND-001, HND-002, HND-009, HND-011: 60 moves of four streams both ways, every byte right, nobody reset.
def sixty_moves_over_a_perfect_wire():
    storm(0)


# HND-002, HND-003, TCP-040: the same while the wire loses and reorders.
def sixty_moves_under_loss_and_reordering():
    storm(0.01)


# TCP-040: a placement that is one byte off is found by the monitor of the rings or by the one who reads, and named.
def a_wrong_placement_is_found():
    done = demo("--megabytes", 1, "--connections", 1, "--moves", 1, "--loss", 0, "--fault", "place")
    assert done.returncode == 1 and re.search(r"FAILED: .*byte \d+", done.stdout), done.stdout[-2000:]


TESTS = [sixty_moves_over_a_perfect_wire, sixty_moves_under_loss_and_reordering, a_wrong_placement_is_found]


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
