#!/usr/bin/env bash
# Train in several processes on this machine, on GPUs or, where there are none, on
# the CPU:
#   tools/dist_train.sh CONFIG NUM_PROCESSES [options of tools/train.py]
# Over several machines, also set NNODES, NODE_RANK, MASTER_ADDR and PORT.
set -euo pipefail

if [ "$#" -lt 2 ]; then
    echo "usage: $0 CONFIG NUM_PROCESSES [options of tools/train.py]" >&2
    exit 2
fi

# Share the cores out; torchrun would give each process one only.
cores=$(nproc 2>/dev/null || getconf _NPROCESSORS_ONLN)
share=$((cores / $2))
export OMP_NUM_THREADS="${OMP_NUM_THREADS:-$((share > 0 ? share : 1))}"

exec python -m torch.distributed.run \
    --nnodes="${NNODES:-1}" \
    --node_rank="${NODE_RANK:-0}" \
    --master_addr="${MASTER_ADDR:-127.0.0.1}" \
    --master_port="${PORT:-29500}" \
    --nproc_per_node="$2" \
    "$(dirname "$0")/train.py" "$1" --launcher pytorch "${@:3}"
