# flue: everything a person does with this tree.  `make help` lists it; CMakeLists.txt holds the build rules.

FAULT  ?=
PREFIX ?= /usr/local
J      ?= 2
PY     := .venv/bin/python
BAD_TREES := bad handle moving trap
NINJA  := flock build/.lock ninja -C build/cmake -j $(J)
.DEFAULT_GOAL := all
.PHONY: help setup all build demo storm demo-stateless test lint check unit system live fuzz formal synth bench report \
        coverage regs firmware format waves install clean mutants long-lockstep long-trees long-leaks long-bad gate setup-build setup-demo setup-test setup-synth

help: ## list the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

all: build ## build, then run the fast tests (C and unit benches)
	@$(PY) tools/run_tests.py --kinds c,unit

setup: ## install what is missing for everything (Debian packages, pinned Python packages in .venv)
	@tools/setup.sh all
setup-build setup-demo setup-test setup-synth:
	@tools/setup.sh $(@:setup-%=%)

build: setup-build ## build the library, the programs, the simulated adapter and the tests
	@test -f build/cmake/build.ninja || cmake -S . -B build/cmake -G Ninja -DCMAKE_INSTALL_PREFIX=$(PREFIX) > build/cmake.log || \
	  { cat build/cmake.log; rm -f build/cmake/CMakeCache.txt; exit 1; }
	@$(NINJA) --quiet $(TARGETS)

demo: setup-demo ## live Linux connections move into the RTL engine and back, content compared; W=32; FAULT=csum, lso-seq or place breaks it
	@case "$(FAULT)" in ''|csum|lso-seq|place) ;; *) echo "make: FAULT is '$(FAULT)'; it is csum, lso-seq or place" >&2; exit 2;; esac
	@case "$(W)" in ''|32|128) ;; *) echo "make: W is '$(W)'; it is 32 or 128" >&2; exit 2;; esac
	@test -f build/bin/libflue_model_w$(or $(W),128).so || echo "building the simulated adapter (the first time some minutes) ..."
	@$(MAKE) --no-print-directory build TARGETS="demo $(if $(W),flue_model_w$(W))"
	@sim/live/demo.sh $(if $(W),--width $(W)) $(if $(FAULT),--fault $(FAULT))
storm: setup-demo ## 1,000 moves of four live connections under loss (long); W=32
	@$(MAKE) --no-print-directory build TARGETS="demo $(if $(W),flue_model_w$(W))"
	@sim/live/demo.sh --moves 126 --megabytes 64 --limit 3600 --report storm --no-capture --share 0 $(if $(W),--width $(W))
demo-stateless: setup-demo ## two Linux hosts, 32 MB each way through the simulated adapter, content compared
	@case "$(FAULT)" in ''|csum|lso-seq) ;; *) echo "make: FAULT is '$(FAULT)'; it is csum or lso-seq" >&2; exit 2;; esac
	@$(MAKE) --no-print-directory build TARGETS=demo
	@python3 sim/live/demo_stateless.py $(if $(FAULT),--fault $(FAULT))

test: setup-test build ## everything that is tested: C, unit benches, system, fuzz corpus, short proofs, live (under 20 minutes)
	@$(PY) tools/run_tests.py

lint: setup-test ## every module as its own top, Verilator -Wall and slang
	@$(PY) tools/lint.py
check: setup-test ## generated files fresh, headers compile alone, formatting, no machine paths
	@$(PY) tools/check.py

unit: TARGETS = unit_all
unit: build ## unit benches only
	@$(PY) tools/run_tests.py --kinds unit
system: TARGETS = system_all models
system: build ## whole adapter with driver in virtual time
	@$(PY) tools/run_tests.py --kinds system
live: setup-test build ## programs over the adapter's Linux interface (root and /dev/net/tun)
	@$(PY) tools/run_tests.py --kinds live
waves: setup-build ## run unit bench BENCH= with waves: build/waves/BENCH.fst (ARGS= for the bench, such as --seed 7)
	@test -n "$(BENCH)" || { echo "make waves: BENCH is empty; it names a folder of sim/unit" >&2; exit 2; }
	@$(MAKE) --no-print-directory build TARGETS=unit_$(BENCH)_waves
	@mkdir -p build/waves && build/bin/unit_$(BENCH)_waves --wave build/waves/$(BENCH).fst $(ARGS)
fuzz: setup-test ## libFuzzer on every parser, FUZZ_SECONDS each (default 60)
	@$(PY) tools/fuzz.py --seconds $(or $(FUZZ_SECONDS),60)
long-lockstep: TARGETS = lockstep_rtl pipeline_rtl
long-lockstep: build ## EVENTS random events (default 10000000) on RTL engine and model, fixed and fresh seed, about 10 minutes
	@build/bin/lockstep_rtl --long $(or $(EVENTS),10000000) --seed 1
	@build/bin/lockstep_rtl --long $(or $(EVENTS),10000000)
	@build/bin/pipeline_rtl --events $$(($(or $(EVENTS),10000000) / 20))  # close behind each other, both seeds, outputs that wait
mutants: TARGETS = dialogue_rtl
mutants: build ## break one line of the TCP rules at a time, each must be found: SECONDS (default 3600) at most, about 15 minutes (ARGS=)
	@$(PY) tools/mutants.py --seconds $(or $(SECONDS),3600) $(ARGS)
long-trees: TARGETS = system_tree_roundtrip_test models
long-trees: build ## TREES random state trees (default 10000) down and back on the RTL, about 45 minutes (ARGS= such as --seed 7)
	@build/bin/system_tree_roundtrip_test --long --trees $(or $(TREES),10000) $(ARGS)
long-leaks: TARGETS = firmware_tree_test system_tree_capacity_test models
long-leaks: build ## 1,000,000 initiates and terminates in the host build, 20,000 on the RTL, about 20 minutes (ARGS=)
	@FLUE_CYCLES=1000000 build/bin/firmware_tree_test --only repeated_initiate_and_terminate_leak_nothing
	@build/bin/system_tree_capacity_test --long --cycles 20000 $(or $(ARGS),--seed 1)  # one run: the generations go round
long-bad: TARGETS = $(BAD_TREES:%=system_tree_%_test) models
long-bad: build ## every wrong field, handle, bus error and trap at every width, about 30 minutes (ARGS=)
	@for t in $(BAD_TREES); do build/bin/system_tree_$${t}_test --long $(ARGS) || exit 1; done
formal: setup-test ## all proofs
	@$(PY) tools/formal.py

synth: setup-synth ## area and clock of every block and the adapter on ECP5 (BLOCKS=, WIDTHS=, SEEDS= select)
	@$(PY) tools/synth.py $(if $(BLOCKS),--blocks $(BLOCKS)) $(if $(WIDTHS),--widths $(WIDTHS)) $(if $(SEEDS),--seeds $(SEEDS))
gate: setup-synth setup-test ## the adapter's netlist under Verilator: a connection is loaded, data both ways, frozen (ARGS= such as --seed 7)
	@$(PY) tools/gate.py $(ARGS)
bench: TARGETS = $(if $(BENCHES),$(BENCHES:%=system_%_test) flue_model_w32)
bench: setup-test build ## measure speed; build/reports/bench.json, docs/performance.md (BENCHES=engine_speed: only that of the engine)
	@$(PY) tools/bench.py $(BENCHES)
report: setup-build ## one HTML page of everything in build/reports
	@$(PY) tools/report.py
coverage: setup-build ## which requirement has which test: docs/coverage.md
	@$(PY) tools/coverage.py
regs: setup-build ## regenerate docs/registers.md and docs/layouts.md
	@$(PY) tools/gen_contract.py --out build/gen --docs docs
firmware: setup-test ## build the firmware image firmware/image.c and print what it takes of the memory
	@$(PY) tools/firmware.py
format: setup-test ## format the C sources
	@$(PY) tools/check.py --format

install: build ## install programs, library, headers and pkg-config file (PREFIX=/usr/local, DESTDIR=)
	@cmake --install build/cmake --prefix $(PREFIX) > build/install.log && echo "installed under $(DESTDIR)$(PREFIX)"
clean: ## remove everything that was built
	rm -rf build
