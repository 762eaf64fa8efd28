#!/bin/sh
# What `make install` puts down is enough for a C++ program: headers, libraries, pkg-config file, models.
root=$(cd "$(dirname "$0")/../.." && pwd)
prefix=$(mktemp -d)
trap 'rm -rf "$prefix"' EXIT
passed=0 failed=0
check() {   # NAME COMMAND...: one test
  name=$1; shift
  if out=$("$@" 2>&1); then passed=$((passed + 1)); echo "ok   $name"
  else failed=$((failed + 1)); echo "FAIL $name: $out"; fi
}

cat > "$prefix/user.cpp" <<'END'
#include <cstdio>
#include <flue/flue.h>
#include <flue/sim.h>
int main()
{
    flue_sim_config cfg;
    flue_sim *sim = nullptr;
    flue_adapter *adapter = nullptr;
    flue_sim_config_init(&cfg);
    cfg.width = 128;
    cfg.seed = 1;
    if (flue_sim_open(&cfg, &sim) != FLUE_OK)
        return std::puts(flue_sim_open_error()), 1;
    if (flue_adapter_open(flue_sim_link(sim), nullptr, nullptr, &adapter) != FLUE_OK)
        return 1;
    bool right = flue_adapter_identity(adapter)->width_bits == 128;
    flue_adapter_close(adapter);
    return flue_sim_close(sim) == FLUE_OK && right ? 0 : 1;
}
END
PKG_CONFIG_PATH=$prefix/lib/pkgconfig:$prefix/lib/$(uname -m)-linux-gnu/pkgconfig
export PKG_CONFIG_PATH
compile() {
  g++ -std=c++17 -Wall -Wextra -Werror "$prefix/user.cpp" $(pkg-config --cflags --libs flue) -o "$prefix/bin/user"
}
# NAME: an example of sim/example, with nothing of this tree but what was installed
example() { gcc -std=c17 -Wall -Wextra -Werror "$root/sim/example/$1.c" $(pkg-config --cflags --libs flue) -o "$prefix/bin/$1"; }
unset FLUE_MODEL_DIR
check installs_into_any_prefix cmake --install "$root/build/cmake" --prefix "$prefix"
check a_cpp_program_compiles_with_pkg_config compile
check it_finds_the_installed_model "$prefix/bin/user"
check the_example_script_compiles example script
check the_example_script_runs "$prefix/bin/script"
check the_example_peer_compiles example peer
check the_installed_daemon_runs "$prefix/bin/flued" --version
check the_installed_command_runs "$prefix/bin/flue" --help
echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" = 0 ]
