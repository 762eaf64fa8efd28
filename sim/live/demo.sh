#!/bin/sh
# The demonstration: live connections through the engine.
exec python3 "$(dirname "$0")/demo.py" "$@"
