#!/usr/bin/env bash
# Train under Slurm, one task for each GPU:
#   tools/slurm_train.sh PARTITION JOB_NAME CONFIG [options of tools/train.py]
# GPUS, GPUS_PER_NODE and CPUS_PER_TASK set the size of the job; SRUN_ARGS holds
# further options of srun. GPUS_PER_NODE=0 asks for no GPU.
set -euo pipefail
source "$(dirname "$0")/_launch.sh"

need 3 "$#" 'PARTITION JOB_NAME CONFIG [options of tools/train.py]'
with_srun "$1" "$2" train.py "$3" "${@:4}"
