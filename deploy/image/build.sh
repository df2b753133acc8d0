#!/usr/bin/env bash
# Makes what the image carries: an environment that serves without PyTorch, and a home with the exported model and the
# index. Usage: deploy/image/build.sh WORK TARGET [EXTRA]; TARGET must be the path at which it will run.
set -euo pipefail
cd "$(dirname "$0")/../.."
work=$1
target=$2
extra=${3:-}
python=${PYTHON:-python3}

mkdir -p "$work" "$target"
deploy/install.sh "$work/venv" "$extra"
BACKLINE_HOME="$target/home" "$work/venv/bin/backline" index
"$work/venv/bin/python" deploy/image/serving_packages.py ${extra:+"$extra"} >"$work/serving.txt"
"$work/venv/bin/pip" --disable-pip-version-check wheel --quiet --no-deps --wheel-dir "$work/wheels" .

"$python" -m venv "$target/venv"
"$target/venv/bin/pip" --disable-pip-version-check install --quiet --no-deps --requirement "$work/serving.txt"
"$target/venv/bin/pip" --disable-pip-version-check install --quiet --no-deps "$work"/wheels/backline-*.whl
install -m 755 deploy/image/start.sh "$target/start.sh"
du -sm "$target" | sed 's/\t.*/ MB for the image beside its base/'
