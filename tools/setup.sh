#!/usr/bin/env bash
# Install what NEED (build, demo, test, synth or all) requires and is missing: Debian packages with apt-get, pinned Python
# packages into .venv.  Says nothing but one line when everything is there.  `build` installs the same as `demo`, but does
# not need what only the demonstration needs (network namespaces, /dev/net/tun).
#
# Exit status: 0 NEED can run; 1 something it cannot do without is missing, and what that is was said.
set -u -o pipefail
cd "$(dirname "$0")/.."

need=${1:-all}
case $need in
  build|demo) needs="demo" ;;
  test)      needs="demo test" ;;
  synth)     needs="demo test synth" ;;
  all)       needs="demo test synth" ;;
  *) echo "setup: NEED is '$need'; it is one of build, demo, test, synth, all" >&2; exit 2 ;;
esac

log=build/setup.log
mkdir -p build
export PATH="$PATH:/usr/sbin:/sbin" DEBIAN_FRONTEND=noninteractive LC_ALL=C
fatal=0
changed=0
say() { printf 'setup: %s\n' "$*"; }

# ---- Debian packages --------------------------------------------------------------------------------------------------

present() {   # probe
  case $1 in
    cmd:*)    command -v "${1#cmd:}" >/dev/null ;;
    header:*) [ -e "/usr/include/${1#header:}" ] || [ -e "/usr/local/include/${1#header:}" ] ||
              echo "#include <${1#header:}>" | cc -E -x c - >/dev/null 2>&1 ;;
    lib:*)    ls /usr/lib/llvm-*/lib/clang/*/lib/linux/lib"${1#lib:}"*.a /usr/lib/clang/*/lib/*/lib"${1#lib:}"*.a \
                >/dev/null 2>&1 ;;
  esac
}

rows() { for n in $needs; do sed -e 's/#.*//' -e '/^[[:space:]]*$/d' "tools/packages-$n.txt"; done; }

missing() {   # names of the packages whose probe fails, with their class
  rows | while read -r package probe class _; do present "$probe" || echo "$package $class"; done
}

apt_install() {
  if [ "$(id -u)" -eq 0 ]; then sudo=; elif sudo -n true 2>/dev/null; then sudo="sudo -n"; else return 1; fi
  command -v apt-get >/dev/null || return 1
  changed=1
  say "installing $*"
  $sudo apt-get install -y -q --no-install-recommends "$@" >>"$log" 2>&1 && return 0
  say "refreshing the package lists"
  $sudo apt-get update -q >>"$log" 2>&1
  $sudo apt-get install -y -q --no-install-recommends "$@" >>"$log" 2>&1 && return 0
  for p in "$@"; do $sudo apt-get install -y -q --no-install-recommends "$p" >>"$log" 2>&1; done
}

lacking=$(missing)
if [ -n "$lacking" ]; then
  # shellcheck disable=SC2046
  apt_install $(echo "$lacking" | cut -d' ' -f1)
  lacking=$(missing)
fi

if [ -n "$lacking" ]; then
  why="they could not be installed (see $log)"
  [ "$(id -u)" -eq 0 ] || sudo -n true 2>/dev/null || why="installing them needs root"
  command -v apt-get >/dev/null || why="this is not Debian, so install their like yourself"
  say "missing Debian packages, $why:" $(echo "$lacking" | cut -d' ' -f1)
  for class in $(echo "$lacking" | cut -d' ' -f2 | sort -u); do
    list=$(echo "$lacking" | awk -v c="$class" '$2 == c { printf " %s", $1 }')
    case $class in
      build)  say "without$list nothing can be built"; fatal=1 ;;
      live)   say "without$list these do not work: make demo, make live; these do: make lint unit system formal fuzz synth"
              [ "$need" = demo ] && fatal=1 ;;
      fuzz)   say "without$list make fuzz does not work and its tests are skipped" ;;
      format) say "without$list make check does not look at formatting" ;;
      abi)    say "without$list the NDIS layouts are checked for Linux only" ;;
      speed)  say "without$list builds are slower" ;;
    esac
  done
fi

# ---- Python packages, in .venv ----------------------------------------------------------------------------------------

python_ok() { "$1" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 9))' 2>/dev/null; }
find_python() {
  for p in "${PYTHON:-python3}" python3 /usr/bin/python3 python3.12 python3.11 python3.10; do
    command -v "$p" >/dev/null && python_ok "$p" && { command -v "$p"; return 0; }
  done
  return 1
}

make_venv() {
  [ -x .venv/bin/python ] && .venv/bin/python -c 'import pip' 2>/dev/null && return 0
  changed=1
  local python
  python=$(find_python) || { apt_install python3-venv; python=$(find_python); } || {
    say "no Python 3.9 or newer with its venv module; on Debian it is in the package python3-venv"; return 1; }
  rm -rf .venv
  say "making .venv with $("$python" -V)"
  "$python" -m venv .venv >>"$log" 2>&1 || { say "python -m venv failed (see $log)"; return 1; }
}

# A list is done when its stamp has its hash and every distribution it pins is still there in that version.
list_done() {
  [ "$(cat ".venv/flue-$1.stamp" 2>/dev/null)" = "$(sha256sum < "tools/requirements-$1.txt")" ] || return 1
  .venv/bin/python - "tools/requirements-$1.txt" <<'PY'
import sys
from importlib.metadata import PackageNotFoundError, version
for line in open(sys.argv[1]):
    line = line.split("#")[0].strip()
    if line:
        name, pin = line.split("==")
        try:
            if version(name) != pin:
                sys.exit(1)
        except PackageNotFoundError:
            sys.exit(1)
PY
}

if [ $fatal -eq 0 ]; then
  if make_venv; then
    for n in $needs; do
      list_done "$n" && continue
      changed=1
      say "installing tools/requirements-$n.txt into .venv"
      if .venv/bin/python -m pip install -q --disable-pip-version-check --no-input --no-deps \
           -r "tools/requirements-$n.txt" >>"$log" 2>&1; then
        sha256sum < "tools/requirements-$n.txt" > ".venv/flue-$n.stamp"
      else
        say "pip could not install tools/requirements-$n.txt (see $log)"; fatal=1
      fi
    done
  else
    fatal=1
  fi
fi

# ---- What only the running system can give ----------------------------------------------------------------------------

if [ "$need" != synth ] && [ "$need" != build ]; then
  live=
  if [ "$(id -u)" -ne 0 ] && ! unshare -Urn true 2>/dev/null; then
    live="no root, and no network namespace of one's own (unshare -Urn)"
  elif ! ( : <> /dev/net/tun ) 2>/dev/null; then
    live="/dev/net/tun cannot be opened"
  fi
  if [ -n "$live" ]; then
    say "$live: make demo and make live do not work here; make lint unit system formal fuzz synth do"
    [ "$need" = demo ] && fatal=1
  fi
fi

if [ $fatal -ne 0 ]; then say "'$need' cannot run yet"; exit 1; fi
if [ $changed -ne 0 ]; then say "'$need' is ready"; else say "'$need' is complete, nothing to do"; fi
