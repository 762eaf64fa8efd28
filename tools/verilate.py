#!/usr/bin/env python3
"""Turn one SystemVerilog top into a static library of its Verilated model.

    verilate.py --top TOP --prefix CLASS --dir DIR --lib FILE.a --dep FILE.d [--trace] [-G NAME=VALUE]... FILE.sv...
    verilate.py --netlist --top TOP --prefix CLASS --dir DIR --lib FILE.a --dep FILE.d -y MODELS FILE.v

Every module is looked up in the RTL folders by its name.  Assertions and the properties under `ifdef FORMAL are
compiled in.  A netlist finds only the models of its cells.  The C++ files go through the compiler in three pieces (two fast, one slow and unoptimized), which costs
the headers three times instead of once a file.  FILE.d names everything that was read.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import flue_tools as ft


def arguments():
    p = argparse.ArgumentParser()
    p.add_argument("--top", required=True)
    p.add_argument("--prefix", required=True)
    p.add_argument("--dir", required=True, type=Path)
    p.add_argument("--lib", required=True, type=Path)
    p.add_argument("--dep", type=Path)
    p.add_argument("--trace", action="store_true", help="with support for FST waves")
    p.add_argument("--netlist", action="store_true", help="the file is a netlist of cells whose models are in -y")
    p.add_argument("--opt", default="-O1", help="optimization of the model's fast code")
    p.add_argument("--cxx", default="", help="compiler to take instead of $CXX or g++")
    p.add_argument("-G", action="append", default=[], dest="params")
    p.add_argument("-y", action="append", default=[], dest="libdirs")
    p.add_argument("files", nargs="+")
    return p.parse_args()


def verilate(a):
    program, root = ft.verilator()
    shutil.rmtree(a.dir, ignore_errors=True)
    a.dir.mkdir(parents=True)
    command = [program, "--cc", "--top-module", a.top, "--prefix", a.prefix, "--Mdir", a.dir,
               "--assert", "-DFORMAL", "--x-initial", "unique",
               "-Wno-fatal", "-Wno-UNUSEDSIGNAL", "-Wno-UNUSEDPARAM", "--autoflush"]
    if a.netlist:
        command += ["-Wno-lint", "-Wno-UNOPTFLAT"]
    if a.trace:
        command += ["--trace-fst", "--trace-structs"]
    for d in ([] if a.netlist else ft.rtl_dirs()) + a.libdirs:
        command += ["-y", d]
    command += [f"-G{p}" for p in a.params]
    command += ([] if a.netlist else [ft.ROOT / "tools" / "waivers.vlt"] + ft.packages()) + a.files
    done = subprocess.run([str(c) for c in command], env={**os.environ, "VERILATOR_ROOT": str(root)},
                          capture_output=True, text=True)
    sys.stderr.write(done.stderr)
    if done.returncode:
        sys.exit(f"verilate: {a.top}: Verilator found errors")
    return root


def keep_assertions_on(a):
    """Nothing here uses $assertoff: do not ask at each assertion, a hundred times a cycle, whether it is switched on."""
    for path in a.dir.glob("*.cpp"):
        text = path.read_text()
        if "assertOnGet" in text:
            path.write_text(re.sub(r"vlSymsp->_vm_contextp__->assertOnGet\(\d+, \d+\)", "true", text))


def pieces(a):
    """The generated files as three sources: (file, optimization)."""
    fast, slow = [], []
    for path in sorted(a.dir.glob("*.cpp"), key=lambda p: -p.stat().st_size):
        (slow if "__Slow" in path.name else fast).append(path)
    halves = [[], []]
    for path in fast:
        min(halves, key=lambda h: sum(f.stat().st_size for f in h)).append(path)
    out = []
    for name, files, opt in (("fast0", halves[0], a.opt), ("fast1", halves[1], a.opt), ("slow", slow, "-O0")):
        if files:
            unit = a.dir / f"{name}.cc"
            unit.write_text("".join(f'#include "{f.name}"\n' for f in sorted(files)))
            out.append((unit, opt))
    return out


def compile_all(a, root):
    compiler = (["ccache"] if shutil.which("ccache") else []) + [a.cxx or os.environ.get("CXX", "g++")]
    flags = ["-std=gnu++17", "-fno-strict-aliasing", "-fPIC", "-w", f"-I{a.dir}", f"-I{root}/include",
             f"-I{root}/include/vltstd", "-DVM_COVERAGE=0", "-DVM_SC=0", "-DVM_TIMING=0",
             f"-DVM_TRACE={int(a.trace)}", f"-DVM_TRACE_FST={int(a.trace)}", "-DVM_TRACE_VCD=0", "-DVM_TRACE_SAIF=0",
             "-DVL_TIME_CONTEXT"]

    def one(unit_opt):
        unit, opt = unit_opt
        obj = unit.with_suffix(".o")
        subprocess.run(compiler + flags + [*opt.split(), "-c", str(unit), "-o", str(obj)], check=True)
        return str(obj)

    with ThreadPoolExecutor(2) as pool:
        objects = list(pool.map(one, pieces(a)))
    a.lib.unlink(missing_ok=True)
    subprocess.run(["ar", "rcs", str(a.lib)] + objects, check=True)


def write_dependencies(a):
    """Verilator's own list, with our library as the target."""
    text = (a.dir / f"{a.prefix}__ver.d").read_text().replace("\\\n", " ")
    read = [w for w in text.split(":", 1)[1].split() if w.endswith((".sv", ".v", ".vlt", ".svh")) and os.path.exists(w)]
    a.dep.write_text(f"{a.lib}: " + " \\\n ".join(read) + "\n")


def main():
    a = arguments()
    ft.generate()
    root = verilate(a)
    keep_assertions_on(a)
    try:
        compile_all(a, root)
    except subprocess.CalledProcessError as e:
        sys.exit(f"verilate: {a.top}: {e.cmd[0]} failed")
    if a.dep:
        write_dependencies(a)


main()
