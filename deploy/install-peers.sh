#!/usr/bin/env bash
# Makes an environment for each service that `make bench` holds Backline against. Usage: deploy/install-peers.sh FOLDER
#
# Nothing of them goes into Backline's own environment. Their requirements: eval/benchmarks/peers/*.txt
set -euo pipefail
cd "$(dirname "$0")/.."
python=${PYTHON:-python3}
for wanted in eval/benchmarks/peers/*.txt; do
  venv=$1/$(basename "$wanted" .txt)
  if ! cmp -s "$wanted" "$venv/installed.txt"; then
    echo "Installing $(basename "$wanted" .txt) into $venv ..."
    [ -x "$venv/bin/python" ] || "$python" -m venv "$venv"
    pip=("$venv/bin/python" -m pip --disable-pip-version-check install --quiet)
    # The CPU build where its index answers, as in install.sh; else the next line takes the default build.
    "${pip[@]}" --no-deps --timeout 3 --retries 0 --index-url https://download.pytorch.org/whl/cpu \
      "$(grep -E '^torch==' constraints.txt)" 2>/dev/null || true
    "${pip[@]}" -r "$wanted"
    cp "$wanted" "$venv/installed.txt"
  fi
done
