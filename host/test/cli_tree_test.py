#!/usr/bin/env python3
"""flue tree: the examples on the host-compiled firmware and on the RTL, and what it says of bad input.

    cli_tree_test.py [--seed N]
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BIN = ROOT / "build" / "bin"
MODELS = os.environ.get("FLUE_MODEL_DIR", str(BIN))
TREES = sorted((ROOT / "host" / "cli" / "trees").glob("*.tree"))
WIDTHS = (32, 128)
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


def flue(*arguments, text=None):
    return subprocess.run([BIN / "flue", *map(str, arguments)], input=text, capture_output=True, text=True, timeout=100)


def run(tree, device, folder, width=32):
    """(output, dumped buffers) of an example."""
    dump = Path(folder) / f"{tree.stem}.{device}"
    more = ["--device", "rtl", "--width", width, "--model-dir", MODELS] if device == "rtl" else []
    done = flue("tree", tree, "--dump", dump, *more)
    check(done.returncode == 0, f"{tree.name} on {device}: status {done.returncode}: {done.stderr.strip()}")
    equal(done.stderr, "", f"{tree.name} on {device}: what is on stderr")
    return done.stdout, dump.read_bytes()


# CH-022, CH-016, CH-020, CH-021: the worked example of chimney.md 3.3 yields exactly the listed statuses.
@test
def the_worked_example_prints_the_listed_statuses(folder):
    done = flue("--json", "tree", ROOT / "host/cli/trees/worked_example.tree")
    steps = json.loads(done.stdout)["steps"]
    nodes = next(s for s in steps if s["step"] == "initiate")["nodes"]
    equal([(n["name"], n["status"].removeprefix("NDIS_STATUS_")) for n in nodes],
          [("Neighbor1", "OFFLOAD_PARTIAL_SUCCESS"), ("Path1", "OFFLOAD_PARTIAL_SUCCESS"), ("TCP1", "SUCCESS"),
           ("TCP2", "OFFLOAD_TCP_ENTRIES"), ("Path2", "FAILURE"), ("TCP3", "FAILURE")], "statuses")
    # CH-023: only what was taken has a handle.
    equal([n["handle"] != "-" for n in nodes], [True, True, True, False, False, False], "handles given out")


# CH-022: host-compiled firmware and RTL give the same text and the same buffers, byte for byte, before and after.
@test
def every_example_is_the_same_on_model_and_rtl(folder):
    check(len(TREES) >= 5, f"only {len(TREES)} examples")
    if not (Path(MODELS) / "libflue_model_w32.so").exists():
        raise Skip("no model of the adapter is built")
    for tree in TREES:
        text, dump = run(tree, "model", folder)
        check(b"before" in dump and b"after" in dump, f"{tree.name}: nothing was dumped")
        for width in WIDTHS:
            if not (Path(MODELS) / f"libflue_model_w{width}.so").exists():
                continue
            rtl_text, rtl_dump = run(tree, "rtl", folder, width)
            for line, (a, b) in enumerate(zip(text.splitlines(), rtl_text.splitlines()), 1):
                equal(b, a, f"{tree.name}: line {line} of the RTL's output at width {width}")
            equal(len(rtl_text), len(text), f"{tree.name}: length of the output at width {width}")
            for line, (a, b) in enumerate(zip(dump.splitlines(), rtl_dump.splitlines()), 1):
                equal(b, a, f"{tree.name}: line {line} of the RTL's buffers at width {width}")
            equal(len(rtl_dump), len(dump), f"{tree.name}: length of the buffers at width {width}")


# The same twice gives the same: no time, address or random number of this machine is in the buffers.
@test
def a_run_is_reproducible(folder):
    for tree in TREES:
        equal(run(tree, "model", folder), run(tree, "model", folder), tree.name)


# An expectation that does not hold is named with its line, the run goes on, and the exit status says so.
@test
def an_unmet_expectation_is_named(folder):
    text = ("initiate\n  neighbor N VlanId=7\nexpect N FAILURE BUSY\nquery N\nexpect N SUCCESS VlanId=8\n"
            "expect operation FAILURE\nterminate all\n")
    done = flue("tree", "-", text=text)
    equal(done.returncode, 1, "exit status")
    lines = done.stderr.splitlines()
    equal([re.match(r"-:(\d+): (\S+)", l).groups() for l in lines],
          [("3", "N"), ("3", "N"), ("5", "N"), ("6", "operation")], "places of what is unmet")
    check("NDIS_STATUS_SUCCESS, expected NDIS_STATUS_FAILURE" in lines[0], lines[0])
    check("detail NONE, expected BUSY" in lines[1], lines[1])
    check("VlanId=7, expected 8" in lines[2], lines[2])
    check("terminate (line 7)" in done.stdout, "the run ended early")


# Bad input: file, line and column, option and value are named; the exit status is not 0.
@test
def bad_input_is_named(folder):
    wrong = Path(folder) / "wrong.tree"
    wrong.write_text("initiate\n  neighbor N Vlan=5\n")
    for arguments, status, words in (
            (["tree"], 2, "needs one FILE"),
            (["tree", "a", "b"], 2, "needs one FILE"),
            (["tree", Path(folder) / "none.tree"], 2, "none.tree: No such file"),
            (["tree", folder], 2, "Is a directory"),
            (["tree", wrong], 2, f"{wrong}:2:14: a neighbor has no field 'Vlan'; there is VlanId"),
            (["tree", TREES[0], "--device", "board"], 2, "--device: 'board'"),
            (["tree", TREES[0], "--width", "48"], 2, "--width: '48'"),
            (["tree", TREES[0], "--dump", "/none/dump"], 1, "--dump: /none/dump: No such file"),
            (["tree", TREES[0], "--device", "rtl", "--model-dir", folder], 1, str(folder)),
            (["params", "LsoV1"], 2, "'LsoV1' is not NAME=VALUE"),
            (["params", "LsoV1=maybe"], 2, "LsoV1 is on or off, not 'maybe'"),
            (["params", "TCPIPv4Checksum=up"], 2, "off, tx, rx or both, not 'up'"),
            (["params", "Lso=on"], 2, "no parameter 'Lso'"),
            (["encap", "ipv5=on"], 2, "'ipv5=on'"),
            (["encap", "ipv4=token-ring"], 2, "not 'token-ring'"),
            (["stat", "--reset", "udp4"], 2, "'udp4' is not tcp4"),
            (["--socket", Path(folder) / "none", "params"], 3, "no daemon")):
        done = flue(*arguments)
        equal(done.returncode, status, f"status of {arguments}")
        check(words in done.stderr, f"{arguments}: '{words}' is not in: {done.stderr.strip()}")


# --check reads a tree and prints its plainest form, which reads the same.
@test
def check_prints_what_was_read(folder):
    for tree in TREES:
        once = flue("tree", "--check", tree)
        equal(once.returncode, 0, f"status of {tree.name}")
        equal(flue("tree", "--check", "-", text=once.stdout).stdout, once.stdout, tree.name)


# A connection hands over data and gets it back: sizes as in the script, no buffer of the adapter is needed for it.
@test
def data_at_hand_over_comes_back(folder):
    text = ("initiate\n neighbor N\n  path P 192.0.2.1 -> 192.0.2.2\n   tcp T 1000 -> 80 SendBacklogSize=300 SndMax=101\n"
            "expect T SUCCESS\nterminate T\nexpect T SUCCESS SendBacklogSize=300 SndMax=101\nterminate all\n")
    done = flue("tree", "-", text=text)
    equal((done.returncode, done.stderr), (0, ""), "result")


def main():
    counts = [0, 0, 0]
    with tempfile.TemporaryDirectory() as folder:
        for fn in TESTS:
            try:
                fn(folder)
                counts[0] += 1
                print(f"ok   {fn.__name__}", flush=True)
            except Skip as e:
                counts[2] += 1
                print(f"SKIP {fn.__name__}: {e}", flush=True)
            except (Failed, subprocess.SubprocessError, OSError, ValueError, KeyError, AttributeError, StopIteration) as e:
                counts[1] += 1
                print(f"FAIL {fn.__name__}: {e}", flush=True)
    print(f"{counts[0]} passed, {counts[1]} failed, {counts[2]} skipped")
    return 1 if counts[1] else 0


if __name__ == "__main__":
    sys.exit(main())
