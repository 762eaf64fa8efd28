#!/bin/sh
# The demonstration of today: the stateless adapter.
exec python3 "$(dirname "$0")/demo_stateless.py" "$@"
