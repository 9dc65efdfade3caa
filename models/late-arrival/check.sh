#!/usr/bin/env bash
# Checks the training on the first 400,000 flights: noise teaches nothing, a leak is seen, ONNX says what scikit-learn says.
set -euo pipefail
cd "$(dirname "$0")/../.."
node scripts/ensure-installed.mjs
source models/late-arrival/environment.sh
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
export LATE_ARRIVAL_TABLE="$folder/table.parquet"
node_modules/.bin/node --conditions=millrace-source demo/training-table.ts "$LATE_ARRIVAL_TABLE" "${FLIGHTS:-400000}"
"$python" -m pytest -q -p no:cacheprovider -W "ignore:Field onnx.AttributeProto.ints" models/late-arrival/test_train.py
