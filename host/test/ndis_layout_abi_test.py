#!/usr/bin/env python3
"""The NDIS layouts under every ABI: ndis_layout.def compiled natively and for Windows, with our headers and mingw-w64's.

A suite of make test (host/ndis_layout_abi_test).  Each compiler is one test; one that is not
installed is a skip, which CI counts as a failure.  Last line: "N passed, N failed, N skipped".
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
LIST = HERE / "ndis_layout.def"
PROBE_BYTES = 64
WARNINGS = ["-Wall", "-Wextra", "-Wconversion", "-Werror"]
OURS = [f"-I{ROOT / 'host' / 'include'}", f"-I{HERE}", "-std=gnu17", "-DNDIS_LAYOUT_PROBES"]
MINGW = {"x64": "x86_64-w64-mingw32", "x86": "i686-w64-mingw32"}
PACKAGE = {"x86_64-w64-mingw32-gcc": "gcc-mingw-w64-x86-64", "i686-w64-mingw32-gcc": "gcc-mingw-w64-i686",
           "gcc": "gcc", "clang": "clang"}


class Missing(Exception):
    pass


def rows(kind):
    """Argument lists of the rows of that kind; no argument of STRUCT, FIELD and BITS has a comma of its own."""
    return [[a.strip() for a in m.split(",")] for m in re.findall(rf"^{kind}\(([^()]*)\)$", LIST.read_text(), re.M)]


def values():
    """{name: value for x64} of the VALUE rows."""
    found = {}
    for name, x64, plain in re.findall(r"^VALUE\(\w+, (\w+), (?:PICK\((\w+), \w+\)|(\w+))\)$", LIST.read_text(), re.M):
        found[name] = int(x64 or plain, 0)
    return found


def run(command):
    if not shutil.which(command[0]):
        raise Missing(f"{command[0]} is not installed (Debian package {PACKAGE.get(command[0], command[0])})")
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True)
    if done.returncode:
        raise AssertionError("\n".join((done.stdout + done.stderr).strip().splitlines()[:12]))
    return done.stdout


def compile_rows(compiler, objcopy, flags, only_mingw):
    """Compile the assertions and compare every bit-field probe; returns how many rows that were."""
    with tempfile.TemporaryDirectory() as tmp:
        unit, obj, image = Path(tmp) / "unit.c", Path(tmp) / "unit.o", Path(tmp) / "bits"
        unit.write_text('#include "ndis_layout.h"\n')
        if only_mingw:
            dump = Path(tmp) / "dump.c"
            dump.write_text("#define UM_NDIS630 1\n#define NDIS_SUPPORT_NDIS6 1\n#include <ddk/ndis.h>\n")
            macros = run([compiler, "-I", "/usr/share/mingw-w64/include/ddk", "-E", "-dM", dump])
            keep = re.findall(r"^#define (?:NDIS_STATUS_\w+|NDIS_OFFLOAD_\w*STATUS\w*) .*$", macros, re.M)
            if len(keep) < 50:
                raise AssertionError(f"only {len(keep)} status macros in mingw-w64's ddk/ndis.h")
            (Path(tmp) / "ndis_layout_status.h").write_text("\n".join(keep) + "\n")
            flags = flags + ["-DNDIS_LAYOUT_MINGW", f"-I{tmp}"]
        order = ["-fno-toplevel-reorder"] if compiler.endswith("gcc") else []
        run([compiler, *OURS, *order, *flags, "-c", "-o", obj, unit])
        run([objcopy, "-O", "binary", "--only-section=.ndisbits", obj, image])
        probes = image.read_bytes()
    bits = [r for r in rows("BITS") if not only_mingw or r[0] == "MINGW"]
    if len(bits) * PROBE_BYTES != len(probes):
        raise AssertionError(f"{len(probes)} bytes of probes for {len(bits)} bit fields")
    for n, (_, type_, member, byte, bit, width) in enumerate(bits):
        expected = ((1 << int(width)) - 1) << (8 * int(byte) + int(bit))
        actual = int.from_bytes(probes[n * PROBE_BYTES:(n + 1) * PROBE_BYTES], "little")
        if actual != expected:
            raise AssertionError(f"{type_}.{member}: bits {actual:#x}, expected {expected:#x}")
    return len(bits) + sum(1 for kind in ("STRUCT", "FIELD") for r in rows(kind) if not only_mingw or r[0] == "MINGW")


# TO-001, TO-002, TO-003, CH-001..CH-014 natively: the list as the driver is compiled.
def layouts_hold_for_the_native_compilers():
    n = compile_rows("gcc", "objcopy", WARNINGS, False)
    n = max(n, compile_rows("clang", "objcopy", WARNINGS, False))
    return f"{n} rows with gcc and clang"


# TO-001, TO-002, TO-017: 32-bit pointers give the x86 column also under the System V rules.
def layouts_hold_for_32_bit_pointers():
    return f"{compile_rows('clang', 'objcopy', ['-m32', '-ffreestanding', '-nostdlibinc'], False)} rows with clang -m32"


# TO-001, TO-002, CH-001, CH-002, CH-004, CH-005, CH-006, CH-007, CH-008, CH-011, CH-012, CH-013: our headers as Windows compiles them, 64 bits.
def our_headers_hold_on_windows_x64():
    return f"{compile_rows(MINGW['x64'] + '-gcc', MINGW['x64'] + '-objcopy', WARNINGS, False)} rows"


# TO-001, TO-002, TO-017: the same with 32 bits.
def our_headers_hold_on_windows_x86():
    return f"{compile_rows(MINGW['x86'] + '-gcc', MINGW['x86'] + '-objcopy', WARNINGS, False)} rows"


# TO-003, CH-001, CH-011, CH-014: names, layouts and values as in the header of another hand, 64 bits.
def mingw_headers_agree_on_x64():
    return f"{compile_rows(MINGW['x64'] + '-gcc', MINGW['x64'] + '-objcopy', [], True)} rows"


# TO-001, TO-003, CH-014: the same with 32 bits.
def mingw_headers_agree_on_x86():
    return f"{compile_rows(MINGW['x86'] + '-gcc', MINGW['x86'] + '-objcopy', [], True)} rows"


def section(document, number):
    text = (ROOT / "docs" / "spec" / document).read_text()
    return re.search(rf"^###? {re.escape(number)}[. ].*?(?=^##)", text + "\n## ", re.M | re.S)[0]


# CH-003, CH-010, CH-014, TO-003: every constant in a table of the specification is in the list with that value.
def every_constant_of_the_specification_is_in_the_list():
    listed, found = values(), 0
    value = r"(0x[0-9A-Fa-f]+|\d+)"
    by_name = re.compile(rf"^\| `?((?:[A-Z]+\w*_\w+)|(?:[A-Z][a-z0-9]+[A-Z]\w+))`?(?: \([^)]*\))? \| {value} \|", re.M)
    by_value = re.compile(rf"^\| {value} \| (\w+) \|", re.M)
    for document, number in (("chimney.md", n) for n in ("1.2", "1.7.2", "1.8", "1.9", "6.1", "6.2", "6.3", "6.4")):
        text = section(document, number) if number != "1.7.2" else section(document, "1.7")
        pairs = by_name.findall(text) + ([(n, v) for v, n in by_value.findall(text)] if number in ("1.2", "1.8") else [])
        found += compare(document, pairs, listed)
    for number in ("1.2", "4.3", "4.4", "5.2"):
        found += compare("task-offload.md", by_name.findall(section("task-offload.md", number)), listed)
    if found < 130:
        raise AssertionError(f"only {found} constants were found in the specification's tables")
    return f"{found} constants"


def compare(document, pairs, listed):
    for name, text in pairs:
        if name not in listed:
            raise AssertionError(f"{document}: {name} = {text} is not in ndis_layout.def")
        if listed[name] != int(text, 0):
            raise AssertionError(f"{document}: {name} = {text}, the list has {listed[name]:#x}")
    return len(pairs)


TESTS = [layouts_hold_for_the_native_compilers, layouts_hold_for_32_bit_pointers, our_headers_hold_on_windows_x64,
         our_headers_hold_on_windows_x86, mingw_headers_agree_on_x64, mingw_headers_agree_on_x86,
         every_constant_of_the_specification_is_in_the_list]


def main():
    count = {"passed": 0, "failed": 0, "skipped": 0}
    for test in TESTS:
        try:
            print(f"ok   {test.__name__}: {test()}")
            count["passed"] += 1
        except Missing as why:
            print(f"SKIP {test.__name__}: {why}")
            count["skipped"] += 1
        except AssertionError as why:
            print(f"FAIL {test.__name__}\n     " + str(why).replace("\n", "\n     "))
            count["failed"] += 1
    print(f"{count['passed']} passed, {count['failed']} failed, {count['skipped']} skipped")
    failed = count["failed"] > 0 or (count["skipped"] > 0 and os.environ.get("CI", "").lower() == "true")
    sys.exit(failed)


main()
