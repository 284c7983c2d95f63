#!/usr/bin/env bash
# Evaluate under Slurm, one task for each GPU:
#   tools/slurm_test.sh PARTITION JOB_NAME CONFIG CHECKPOINT [options of tools/test.py]
# GPUS, GPUS_PER_NODE and CPUS_PER_TASK set the size of the job; SRUN_ARGS holds
# further options of srun. GPUS_PER_NODE=0 asks for no GPU.
set -euo pipefail

if [ "$#" -lt 4 ]; then
    echo "usage: $0 PARTITION JOB_NAME CONFIG CHECKPOINT [options of tools/test.py]" >&2
    exit 2
fi

gpus=${GPUS:-8}
gpus_per_node=${GPUS_PER_NODE:-8}
resources=()
if [ "$gpus_per_node" -gt 0 ]; then
    resources=(--gres="gpu:$gpus_per_node" --ntasks-per-node="$gpus_per_node")
fi

# One port for each job, so that two on a machine do not meet.
export MASTER_PORT="${MASTER_PORT:-$((12000 + RANDOM % 20000))}"

# SRUN_ARGS is several words on purpose, hence unquoted.
# shellcheck disable=SC2086
exec srun -p "$1" \
    --job-name="$2" \
    ${resources[@]+"${resources[@]}"} \
    --ntasks="$gpus" \
    --cpus-per-task="${CPUS_PER_TASK:-5}" \
    --kill-on-bad-exit=1 \
    ${SRUN_ARGS:-} \
    python -u "$(dirname "$0")/test.py" "$3" "$4" --launcher slurm "${@:5}"
