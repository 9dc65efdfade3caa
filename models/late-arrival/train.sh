#!/usr/bin/env bash
# Everything from nothing: the Python environment, the training table by Millrace's own fold, the model, its metrics and artifact.
set -euo pipefail
cd "$(dirname "$0")/../.."
node scripts/ensure-installed.mjs
source models/late-arrival/environment.sh
table="${LATE_ARRIVAL_TABLE:-build/late-arrival/table.parquet}"
if [ ! -f "$table" ]; then
  mkdir -p "$(dirname "$table")"
  node_modules/.bin/node --conditions=millrace-source demo/training-table.ts "$table"
fi
"$python" models/late-arrival/train.py "$table" models/late-arrival
