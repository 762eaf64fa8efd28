#!/usr/bin/env python3
"""What needs no run: generated pages fresh, headers compile alone, names and formatting as agreed.

    check.py [--format]        --format: format the C sources instead
"""

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import flue_tools as ft

# Absolute paths of a machine, addresses of package registries.  Written so that this file does not match itself.
FORBIDDEN = re.compile(r"(?:^|[^\w./-])/(?:work|farm|root|home)/\w|/tmp/bash_jo[b]s|--(?:extra-)?index-ur[l]|GOPROX[Y]=|registry=htt[p]")
LONG = 500


def tracked(*suffixes):
    out = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ft.ROOT,
                         capture_output=True, text=True)
    names = out.stdout.splitlines() if out.returncode == 0 else [ft.rel(p) for p in ft.ROOT.rglob("*") if p.is_file()]
    return [ft.ROOT / n for n in names if n.endswith(suffixes or ("",)) and (ft.ROOT / n).is_file()]


def c_sources():
    return [p for p in tracked(".c", ".h") if ft.rel(p).startswith(("host/", "sim/", "firmware/"))]


def run(command):
    done = subprocess.run([str(c) for c in command], cwd=ft.ROOT, capture_output=True, text=True)
    return (done.stdout + done.stderr).strip() if done.returncode else ""


def register_pages():
    return run([sys.executable, "tools/gen_contract.py", "--out", "build/gen", "--docs", "docs", "--check"])


def firmware_image():
    return run([sys.executable, "tools/firmware.py", "--check"])


def coverage_page():
    return run([sys.executable, "tools/coverage.py", "--check"])


def processor_image():
    return run([sys.executable, "sim/unit/cpu/image.py", "--check"])


def headers():
    """Each public header alone as C17 and C++17, each other one as C17."""
    wrong = []
    include = [f"-I{d}" for d in ("host/include", "build/gen", "sim/model", "sim/unit/lib", "host/core", "host/ndis", "host/tree_text", "sim/runtime", "sim/dialogue", "sim/lockstep", "firmware", "firmware/host", "host/test")]
    public = sorted((ft.ROOT / "host" / "include").rglob("*.h")) + sorted((ft.GEN / "flue").glob("*.h"))
    other = [h for h in tracked(".h") if h not in public]
    with tempfile.TemporaryDirectory() as tmp:
        for header in public + other:
            for language in ("c", "c++") if header in public else ("c",):
                unit = Path(tmp) / ("unit.c" if language == "c" else "unit.cpp")
                unit.write_text(f'#include "{header}"\n')
                compiler = ["gcc", "-std=gnu17"] if language == "c" else ["g++", "-std=gnu++17"]
                text = run(compiler + ["-Wall", "-Wextra", "-Wconversion", "-Werror", "-fsyntax-only", f"-I{header.parent}",
                                       *include, unit])
                if text:
                    wrong.append(f"{ft.rel(header)} as {language}: {text.splitlines()[0]}")
    return "\n".join(wrong)


def machine_paths():
    wrong = []
    for path in tracked():
        try:
            text = path.read_text()
        except UnicodeDecodeError:
            continue
        for number, line in enumerate(text.splitlines(), 1):
            if FORBIDDEN.search(line):
                wrong.append(f"{ft.rel(path)}:{number}: {line.strip()[:100]}")
    return "\n".join(wrong)


def modules():
    """One module a file, named after it, its contract in a comment on top."""
    wrong = []
    for name, path in ft.modules().items():
        text = path.read_text()
        found = re.findall(r"^\s*module\s+(\w+)", text, re.M)
        if found != [name]:
            wrong.append(f"{ft.rel(path)}: holds module {', '.join(found) or 'none'}")
        if not text.startswith("//"):
            wrong.append(f"{ft.rel(path)}: does not begin with its contract")
    return "\n".join(wrong)


def scripts():
    return "\n".join(text for p in tracked() if p.suffix == ".sh" or ft.rel(p) == ".ci/run" for text in [run(["bash", "-n", p])] if text)


def formatting():
    if not shutil.which("clang-format"):
        return None
    files = c_sources()
    text = run(["clang-format", "--dry-run", "-Werror", *files]) if files else ""
    names = sorted(set(re.findall(r"^(\S+?):\d+:\d+: error", text, re.M)))
    return "\n".join(f"{ft.rel(n)}: run 'make format'" for n in names)


def long_files():
    for path in tracked(".sv", ".c", ".h", ".cpp", ".py", ".sh"):
        lines = len(path.read_text().splitlines())
        if lines > LONG:
            print(f"note {ft.rel(path)} has {lines} lines: is there a second room in it?")


CHECKS = [("generated register and layout pages are fresh", register_pages), ("docs/coverage.md is fresh", coverage_page),
          ("firmware/image.c is what the sources give", firmware_image),
          ("the image of the processor's bench is fresh", processor_image),
          ("every header compiles alone", headers), ("no machine path or registry address", machine_paths),
          ("one module a file, contract first", modules), ("shell scripts parse", scripts),
          ("C sources are formatted", formatting)]


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--format", action="store_true")
    a = p.parse_args()
    if a.format:
        sys.exit(subprocess.run(["clang-format", "-i", *map(str, c_sources())]).returncode)
    ft.generate()
    count = {"passed": 0, "failed": 0, "skipped": 0}
    for name, check in CHECKS:
        text = check()
        kind = "skipped" if text is None else "failed" if text else "passed"
        count[kind] += 1
        print({"passed": "ok   ", "failed": "FAIL ", "skipped": "SKIP "}[kind] + name)
        if text:
            print("\n".join(f"     {line}" for line in text.splitlines()[:40]))
        if text is None:
            print("     clang-format is not installed")
    long_files()
    ft.closing_line(**count)
    sys.exit(count["failed"] > 0)


main()
