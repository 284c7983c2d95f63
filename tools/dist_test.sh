#!/usr/bin/env bash
# Evaluate in several processes on this machine, on GPUs or, where there are none,
# on the CPU:
#   tools/dist_test.sh CONFIG CHECKPOINT NUM_PROCESSES [options of tools/test.py]
# Over several machines, start it on each with NNODES, and with either NODE_RANK,
# MASTER_ADDR and PORT, or RDZV_ENDPOINT=HOST:PORT (torchrun's own rendezvous, also with
# RDZV_BACKEND and RDZV_ID).
set -euo pipefail
source "$(dirname "$0")/_launch.sh"

need 3 "$#" 'CONFIG CHECKPOINT NUM_PROCESSES [options of tools/test.py]'
with_torchrun "$3" test.py "$1" "$2" "${@:4}"
