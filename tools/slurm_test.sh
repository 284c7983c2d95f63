#!/usr/bin/env bash
# Evaluate under Slurm, one task for each GPU:
#   tools/slurm_test.sh PARTITION JOB_NAME CONFIG CHECKPOINT [options of tools/test.py]
# GPUS, GPUS_PER_NODE and CPUS_PER_TASK set the size of the job; SRUN_ARGS holds
# further options of srun. GPUS_PER_NODE=0 asks for no GPU.
set -euo pipefail
source "$(dirname "$0")/_launch.sh"

need 4 "$#" 'PARTITION JOB_NAME CONFIG CHECKPOINT [options of tools/test.py]'
with_srun "$1" "$2" test.py "$3" "$4" "${@:5}"
