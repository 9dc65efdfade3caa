#!/usr/bin/env bash
# Python of the workbench: Debian's, with the packages of requirements.txt and the client, in a folder of its own.
# Usage: install-python.sh [FOLDER [FOLDER_OF_THE_CLIENT]]. The Dockerfile runs this, and so does a test without Docker.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
folder=${1:-/opt/millrace/python}
client=${2:-$here/../python}
"$here"/install-debian.sh ca-certificates python3 python3-venv

python3 -m venv "$folder"
pip() { "$folder"/bin/python -m pip --disable-pip-version-check --no-cache-dir "$@"; }
# The client's own list is a second opinion: where both name a package and differ, pip refuses.
pip install --quiet -r "$here/requirements.txt" -c "$client/requirements.txt"

# Built from a copy, as a build leaves files beside the source.
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
cp -R "$client"/pyproject.toml "$client"/README.md "$client"/src "$copy"
pip install --quiet --no-deps --no-build-isolation "$copy"
pip check
"$folder"/bin/python -c 'import duckdb, jupyterlab, millrace, onnxruntime, pandas, pyarrow, sklearn, skl2onnx'
