#!/usr/bin/env bash
# The Python client: types, its own tests, its tests against the local cloud, and its quick start on the packaged pipeline. Makes .venv
# with exactly the packages of requirements.txt when it is missing or other.
set -euo pipefail
cd "$(dirname "$0")"
if ! cmp -s requirements.txt .venv/requirements.txt; then
  python3 -m venv .venv
  .venv/bin/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
  .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
  cp requirements.txt .venv/requirements.txt
fi
.venv/bin/python -m mypy
.venv/bin/python -m pytest
cd ../..
node scripts/ensure-installed.mjs
node_modules/.bin/node --conditions=millrace-source test/clients/python.ts clients/python/.venv/bin/python
node_modules/.bin/node --conditions=millrace-source test/clients/quickstart.ts clients/python/.venv/bin/python
