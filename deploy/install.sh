#!/usr/bin/env bash
# Makes the virtual environment and installs Backline into it. Usage: deploy/install.sh VENV [EXTRAS]
#
# On Linux PyTorch's default build brings CUDA libraries that nothing here uses, so its CPU index is tried first, for
# torch alone, with three seconds and no retries; where it does not answer, the default index serves.
set -euo pipefail
cd "$(dirname "$0")/.."
venv=$1
extras=${2:-}
python=${PYTHON:-python3}

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
  echo "Backline needs Python 3.11 or newer; set PYTHON to one, such as: make serve PYTHON=python3.12" >&2
  exit 1
}
[ -x "$venv/bin/python" ] || "$python" -m venv "$venv"
pip=("$venv/bin/python" -m pip --disable-pip-version-check)
torch=$(grep -E '^torch==' constraints.txt)

if ! "$venv/bin/python" -c 'import importlib.metadata as m; m.version("torch")' 2>/dev/null; then
  if [ "$(uname -s)" = Linux ]; then
    echo "Installing PyTorch: trying the CPU build (about 200 MB to download, 800 MB on the disk) ..."
    if ! "${pip[@]}" install --quiet --no-deps --timeout 3 --retries 0 \
        --index-url https://download.pytorch.org/whl/cpu "$torch" 2>/dev/null; then
      echo "PyTorch's CPU index does not answer; taking the default build, on Linux up to 4.6 GB on the disk."
    fi
  fi
fi
echo "Installing Backline and its libraries (a few minutes the first time) ..."
"${pip[@]}" install -c constraints.txt "$torch" --editable ".${extras:+[$extras]}"
"$venv/bin/python" - <<'PYTHON'
from importlib.metadata import distribution

torch = distribution("torch")
size = sum(file.size or 0 for file in torch.files or ()) // 1_000_000
build = "CPU build" if "+cpu" in torch.version else "default build"
print(f"PyTorch {torch.version} ({build}), {size} MB on the disk")
PYTHON
