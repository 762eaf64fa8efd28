"""A module and its parameters through Yosys to ECP5 cells, kept in build/synth/ for the same sources."""

import hashlib
import json
import re
import subprocess
import sys
from importlib.metadata import version

import flue_tools as ft

CACHE = ft.BUILD / "synth"

YOSYS = """
import sys
from pyosys import libyosys as ys
d = ys.Design()
for line in open(sys.argv[1]):
    ys.run_pass(line.strip(), d)
"""


def modules():
    """{module: file} of everything that can be synthesized, generated and foreign sources too."""
    ft.generate()
    known = ft.modules()
    for extra in ft.GEN.glob("flue_regfile.sv"):
        known[extra.stem] = extra
    known.update(ft.cores())
    return known


def closure(module, known):
    """Files a module is made of, itself last."""
    names = re.compile(r"\b(" + "|".join(sorted(known, key=len, reverse=True)) + r")\b")
    seen, order = set(), []

    def visit(name):
        if name in seen:
            return
        seen.add(name)
        for used in sorted(set(names.findall(known[name].read_text())) - {name}):
            visit(used)
        order.append(known[name])

    visit(module)
    return ft.packages() + order


def synthesize(name, module, params, known, steps):
    """Run Yosys (or find its result): read, map to LUTs, then `steps`, where {folder} is where they write.

    Returns (folder, error text or ''); the folder has stat.json.
    """
    files = closure(module, known)
    h = hashlib.sha256(json.dumps([version("pyosys"), module, params, steps]).encode())
    for f in files:
        h.update(f.read_bytes())
    folder = CACHE / f"{name}_{h.hexdigest()[:16]}"
    folder.mkdir(parents=True, exist_ok=True)
    done = folder / "netlist.done"
    if done.exists():
        return folder, ""
    # The front end sees exactly the files that were hashed.
    given = " ".join(f"-G {k}={v}" for k, v in params.items())
    (folder / "run.ys").write_text(
        f"read_slang --single-unit --top {module} {given} {' '.join(str(f) for f in [ft.strict(), *files])}\n"
        f"scratchpad -set abc9.verify 0\n"         # minutes of proof for a large block; gate mode tests the mapping
        + "".join(s.format(folder=folder, module=module) + "\n" for s in steps))
    run = subprocess.run([sys.executable, "-c", YOSYS, str(folder / "run.ys")], capture_output=True, text=True)
    (folder / "yosys.log").write_text(run.stdout + run.stderr)
    if run.returncode:
        last = [x for x in (run.stdout + run.stderr).splitlines() if x.strip()][-3:]
        return folder, "Yosys failed: " + " / ".join(last)
    done.touch()
    return folder, ""


def cells(folder):
    """{cell type: count} of a synthesized module."""
    return json.loads((folder / "stat.json").read_text())["design"]["num_cells_by_type"]
