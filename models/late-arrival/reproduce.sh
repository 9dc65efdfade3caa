#!/usr/bin/env bash
# Two versions are trained on a batch of the catalogue, published, and made again from their artifacts alone: the routes of BUCKETS of 64
# buckets, on a local cloud that is gone afterwards. Another batch, coefficient or hyperparameter must be seen.
set -euo pipefail
cd "$(dirname "$0")/../.."
node scripts/ensure-installed.mjs
source models/late-arrival/environment.sh
export LATE_ARRIVAL_FOLDER="${1:-build/late-arrival/reproduce}"
node_modules/.bin/node --conditions=millrace-source models/late-arrival/stored.ts "$LATE_ARRIVAL_FOLDER" "${BUCKETS:-1}" bash -euo pipefail -c '
  "$0" models/late-arrival/compare_train.py "$LATE_ARRIVAL_FOLDER/table.parquet" "$LATE_ARRIVAL_FOLDER"
  "$0" -m pytest -q -p no:cacheprovider -W "ignore:Field onnx.AttributeProto.ints" models/late-arrival/test_reproduce.py' "$python"
