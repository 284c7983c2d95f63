#!/usr/bin/env bash
# Train in several processes on this machine, on GPUs or, where there are none, on
# the CPU:
#   tools/dist_train.sh CONFIG NUM_PROCESSES [options of tools/train.py]
# Over several machines, start it on each with NNODES, and with either NODE_RANK,
# MASTER_ADDR and PORT, or RDZV_ENDPOINT=HOST:PORT (torchrun's own rendezvous, also with
# RDZV_BACKEND and RDZV_ID).
set -euo pipefail
source "$(dirname "$0")/_launch.sh"

need 2 "$#" 'CONFIG NUM_PROCESSES [options of tools/train.py]'
with_torchrun "$2" train.py "$1" "${@:3}"
