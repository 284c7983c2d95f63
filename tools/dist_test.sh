#!/usr/bin/env bash
# Evaluate in several processes on this machine, on GPUs or, where there are none,
# on the CPU:
#   tools/dist_test.sh CONFIG CHECKPOINT NUM_PROCESSES [options of tools/test.py]
# Over several machines, also set NNODES, NODE_RANK, MASTER_ADDR and PORT.
set -euo pipefail

if [ "$#" -lt 3 ]; then
    echo "usage: $0 CONFIG CHECKPOINT NUM_PROCESSES [options of tools/test.py]" >&2
    exit 2
fi

# Share the cores out; torchrun would give each process one only.
cores=$(nproc 2>/dev/null || getconf _NPROCESSORS_ONLN)
share=$((cores / $3))
export OMP_NUM_THREADS="${OMP_NUM_THREADS:-$((share > 0 ? share : 1))}"

exec python -m torch.distributed.run \
    --nnodes="${NNODES:-1}" \
    --node_rank="${NODE_RANK:-0}" \
    --master_addr="${MASTER_ADDR:-127.0.0.1}" \
    --master_port="${PORT:-29500}" \
    --nproc_per_node="$3" \
    "$(dirname "$0")/test.py" "$1" "$2" --launcher pytorch "${@:4}"
