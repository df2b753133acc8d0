#!/bin/sh
# Starts Backline in the image: an empty data folder gets the exported model and the index that the image brings, and one
# of an earlier image the export that this one brings.
set -eu
here=$(dirname "$0")
export BACKLINE_HOME="${BACKLINE_HOME:-/data}"
[ -d "$BACKLINE_HOME/models" ] || cp -R "$here/home/." "$BACKLINE_HOME/"
for export in "$here"/home/models/*; do
    [ -e "$BACKLINE_HOME/models/${export##*/}" ] || cp -R "$export" "$BACKLINE_HOME/models/"
done
exec "$here/venv/bin/backline" "$@"
