#!/usr/bin/env bash
# Makes .venv with the client and exactly the packages of requirements.txt when it is missing or other.
set -euo pipefail
cd "$(dirname "$0")"
if ! cmp -s requirements.txt .venv/requirements.txt; then
  python3 -m venv .venv
  .venv/bin/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
  .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
  cp requirements.txt .venv/requirements.txt
fi
