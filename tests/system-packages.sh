#!/usr/bin/env bash
# Installs the packages of system-packages.txt when SYSTEM=1, else names those that are missing.
set -euo pipefail
missing=()
while read -r package; do
  # Node from elsewhere than Debian brings npm along, and Debian's npm could not be installed beside it.
  [ "$package" = npm ] && command -v npm >/dev/null && continue
  dpkg -s "$package" >/dev/null 2>&1 || missing+=("$package")
done < <(grep -vE '^(#|$)' "$(dirname "$0")/system-packages.txt")
[ ${#missing[@]} -eq 0 ] && exit 0
if [ "${SYSTEM:-}" = 1 ]; then
  echo "Installing ${missing[*]} ..."
  as_root=(); [ "$(id -u)" = 0 ] || as_root=(sudo)
  "${as_root[@]}" apt-get update -qq
  DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
else
  echo "MISSING: ${missing[*]}. Tests that need them are not run; SYSTEM=1 make test installs them with apt-get."
fi
