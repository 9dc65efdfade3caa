#!/usr/bin/env bash
# The Python client: types, its own tests, its tests against the local cloud, and its quick start on the packaged pipeline.
set -euo pipefail
cd "$(dirname "$0")"
bash install.sh
.venv/bin/python -m mypy
.venv/bin/python -m pytest
cd ../..
node scripts/ensure-installed.mjs
node_modules/.bin/node --conditions=millrace-source test/clients/python.ts clients/python/.venv/bin/python
node_modules/.bin/node --conditions=millrace-source test/clients/quickstart.ts clients/python/.venv/bin/python
