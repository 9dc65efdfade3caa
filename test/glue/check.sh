#!/usr/bin/env bash
# The mirror in AWS Glue, against moto's Glue beside the local cloud's DynamoDB and S3, moved by TypeScript and by the Python client.
# Makes .venv with exactly the packages of requirements.txt when it is missing or other.
set -euo pipefail
cd "$(dirname "$0")"
if ! cmp -s requirements.txt .venv/requirements.txt; then
  python3 -m venv .venv
  .venv/bin/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
  cp requirements.txt .venv/requirements.txt
fi
cd ../..
bash clients/python/install.sh
node scripts/ensure-installed.mjs
node_modules/.bin/node --conditions=millrace-source test/glue/main.ts test/glue/.venv/bin/moto_server clients/python/.venv/bin/python
