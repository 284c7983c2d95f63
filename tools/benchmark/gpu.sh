#!/usr/bin/env bash
# All that is to be measured on a GPU, in one call of under 8 minutes.
# Usage: tools/benchmark/gpu.sh [--device cuda|cpu] [--quick] [--released DIR] [OUT]
#   --device    default: cuda
#   --quick     tiny sizes, to try the script itself
#   --released  a checkout of github.com/JHang2020/HiCLR, measured beside ours
#   OUT         folder for the JSON files and the trace; default: work_dirs/gpu
set -euo pipefail
cd "$(dirname "$0")/../.."

device=cuda quick='' released=() out=work_dirs/gpu
while [ "$#" -gt 0 ]; do
    case $1 in
        --device) device=$2; shift 2 ;;
        --quick) quick=1; shift ;;
        --released) released=(--released "$2"); shift 2 ;;
        -*) echo "gpu.sh: unknown option $1" >&2; exit 2 ;;
        *) out=$1; shift ;;
    esac
done
mkdir -p "$out"
[ "$device" = cuda ] || export CUDA_VISIBLE_DEVICES=''

sizes=(128 512 1024) rounds=3 seconds=0.3 scale=0.1 epoch=()
if [ "$quick" ]; then
    sizes=(2) rounds=1 seconds=0 scale=0.0003 epoch=(--batch-size 2 --workers 0)
fi

# A part that fails or takes too long leaves the time to the others.
failed=0
part() {
    local limit=$1 name=$2
    shift 2
    printf '\n== %s\n' "$name"
    timeout "$limit" "$@" 2>&1 | tee "$out/$name.log" || { failed=1; echo "gpu.sh: $name failed" >&2; }
}

part 90 tests python -m pytest -q -m gpu tests/integration/test_gpu.py
part 190 step python tools/benchmark/step.py --device "$device" --switches all \
    --batch-size "${sizes[@]}" --rounds "$rounds" --no-memory "${released[@]}" \
    --out "$out/step.json" --profile "$out/trace.json"
part 60 views python tools/benchmark/views.py --device "$device" --rounds "$rounds" \
    --batch-size "${sizes[0]}" --seconds "$seconds" "${released[@]}" --out "$out/views.json"
part 120 epoch python tools/benchmark/epoch.py --scale "$scale" "${epoch[@]}" \
    --out "$out/epoch.json"
exit "$failed"
