# Sourced by dist_*.sh and slurm_*.sh: what they have in common.

tools=$(dirname "${BASH_SOURCE[0]}")

# need COUNT GIVEN USAGE: end with the usage unless enough arguments were given.
need() {
    if [ "$2" -lt "$1" ]; then
        echo "usage: $0 $3" >&2
        exit 2
    fi
}

# whole_number NAME VALUE LEAST: end with one line unless it is a whole number, that many
# or more. Only digits get into arithmetic, which would run code of other text.
whole_number() {
    if ! [[ $2 =~ ^(0|[1-9][0-9]{0,5})$ ]] || [ "$2" -lt "$3" ]; then
        echo "$1='$2' is not a whole number of $3 or more" >&2
        exit 2
    fi
}

# with_torchrun PROCESSES PROGRAM [ARGUMENT ...]
with_torchrun() {
    whole_number NUM_PROCESSES "$1" 1
    whole_number NNODES "${NNODES:-1}" 1
    whole_number NODE_RANK "${NODE_RANK:-0}" 0
    whole_number PORT "${PORT:-29500}" 1
    # Share the cores out; torchrun would give each process one only.
    local cores share
    cores=$(nproc 2>/dev/null || getconf _NPROCESSORS_ONLN)
    share=$((cores / $1))
    export OMP_NUM_THREADS="${OMP_NUM_THREADS:-$((share > 0 ? share : 1))}"

    # The machines meet where they are told to, and number themselves, or each has its
    # number and knows the address of the first.
    local meeting
    if [ -n "${RDZV_ENDPOINT:-}" ]; then
        meeting=(--rdzv_backend="${RDZV_BACKEND:-c10d}"
            --rdzv_endpoint="$RDZV_ENDPOINT" --rdzv_id="${RDZV_ID:-hiclr}")
    else
        meeting=(--node_rank="${NODE_RANK:-0}"
            --master_addr="${MASTER_ADDR:-127.0.0.1}" --master_port="${PORT:-29500}")
    fi
    exec python -m torch.distributed.run \
        --nnodes="${NNODES:-1}" "${meeting[@]}" \
        --nproc_per_node="$1" \
        "$tools/$2" --launcher pytorch "${@:3}"
}

# with_srun PARTITION JOB_NAME PROGRAM [ARGUMENT ...]
with_srun() {
    local gpus_per_node=${GPUS_PER_NODE:-8}
    whole_number GPUS_PER_NODE "$gpus_per_node" 0
    whole_number GPUS "${GPUS:-8}" 1
    whole_number CPUS_PER_TASK "${CPUS_PER_TASK:-5}" 1
    local resources=()
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
        --ntasks="${GPUS:-8}" \
        --cpus-per-task="${CPUS_PER_TASK:-5}" \
        --kill-on-bad-exit=1 \
        ${SRUN_ARGS:-} \
        python -u "$tools/$3" --launcher slurm "${@:4}"
}
