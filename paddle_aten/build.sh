#!/usr/bin/env bash
# Builds paddle_aten/lib/libpaddle_aten.so for the Paddle and the PyTorch of a Python (default: python3).
# Needs g++ alone, no CUDA toolkit; about 2 minutes on 2 cores, later only what changed.
#
#   bash paddle_aten/build.sh [PYTHON]
set -eu
cd "$(dirname "$0")"
python=${1:-python3}
found=$("$python" - <<'PY'
from importlib.metadata import PackageNotFoundError, distribution
from importlib.util import find_spec
import sys
if find_spec("torch") is None or find_spec("paddle") is None:
    sys.exit("paddle_aten: this Python lacks paddle or torch; install both and run again.")
def of(*names):
    for name in names:
        try:
            return distribution(name).version.split("+")[0]
        except PackageNotFoundError:
            pass
folders = [find_spec(name).submodule_search_locations[0] for name in ("paddle", "torch")]
print(*folders, of("paddlepaddle", "paddlepaddle-gpu"), of("torch"))
PY
)
read -r paddle torch paddle_version torch_version <<<"$found"
objects=build/paddle-$paddle_version-torch-$torch_version
mkdir -p "$objects" lib
flags="-std=c++17 -O2 -Wall -Wextra -fPIC -fvisibility=hidden -DPADDLE_WITH_CUSTOM_DEVICE
-D_GLIBCXX_USE_CXX11_ABI=1 -DPADDLE_VERSION=\"$paddle_version\" -DTORCH_VERSION=\"$torch_version\"
-isystem $paddle/include -isystem $paddle/include/third_party
-isystem $torch/include -isystem $torch/include/torch/csrc/api/include"
for source in src/*.cc; do
    object=$objects/$(basename "$source" .cc).o
    newer=$(find "$source" src/*.h build.sh -newer "$object" 2>/dev/null || echo unmade)
    [ -z "$newer" ] || echo "$source"
done | xargs -r -P "$(env -u OMP_NUM_THREADS nproc)" -I{} sh -c \
    'g++ '"$(echo $flags | sed 's/"/\\"/g')"' -c {} -o '"$objects"'/$(basename {} .cc).o' ||
    { echo "paddle_aten: compiling failed (above)." >&2; exit 1; }
g++ -shared -o lib/libpaddle_aten.so.part $(printf "$objects/%s.o " $(basename -s .cc src/*.cc)) -L"$torch/lib" -lc10 -ltorch_cpu \
    -Wl,--no-as-needed -ltorch -Wl,--as-needed -L"$paddle/libs" -lphi_core -lcommon -Wl,-z,nodelete
mv lib/libpaddle_aten.so.part lib/libpaddle_aten.so
echo "Built paddle_aten/lib/libpaddle_aten.so for Paddle $paddle_version and PyTorch $torch_version."
