#!/usr/bin/env python3
"""The native Yosys of pyosys behind the command line that sby uses: yosys.py -ql LOG SCRIPT.

The WebAssembly Yosys does the same, but compiles itself for minutes on its first run on a machine.
"""

import sys

from pyosys import libyosys as ys

if len(sys.argv) != 4 or sys.argv[1] != "-ql":
    sys.exit("usage: yosys.py -ql LOG SCRIPT")
ys.run_pass(f"tee -q -o {sys.argv[2]} script {sys.argv[3]}", ys.Design())
