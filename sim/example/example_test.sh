#!/bin/sh
# The examples do what they say; they are run as they stand.
here=$(cd "$(dirname "$0")" && pwd)
bin=$here/../../build/bin
passed=0 failed=0
check() {   # NAME TEXT COMMAND...: one test; the output contains TEXT
  name=$1; text=$2; shift 2
  out=$(FLUE_MODEL_DIR=$bin timeout 60 "$@" 2>&1); status=$?
  case $status$out in
    0*"$text"*) passed=$((passed + 1)); echo "ok   $name" ;;
    *) failed=$((failed + 1)); echo "FAIL $name: status $status: $out" ;;
  esac
}
# HND-001, HND-005
check a_script_loads_a_connection_with_bytes_in_flight_and_sees_them_sent_again "50 bytes: bytes that were in flight" "$bin/example_script"
echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" = 0 ]
