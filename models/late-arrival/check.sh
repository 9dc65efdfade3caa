#!/usr/bin/env bash
# Checks the training on the first 400,000 flights: noise teaches nothing, a leak is seen, ONNX says what scikit-learn says. Then that two
# versions of fewer routes are made again from their artifacts and the catalogue.
set -euo pipefail
cd "$(dirname "$0")/../.."
node scripts/ensure-installed.mjs
source models/late-arrival/environment.sh
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
export LATE_ARRIVAL_TABLE="$folder/table.parquet"
node_modules/.bin/node --conditions=millrace-source demo/training-table.ts "$LATE_ARRIVAL_TABLE" "${FLIGHTS:-400000}"
"$python" -m pytest -q -p no:cacheprovider -W "ignore:Field onnx.AttributeProto.ints" models/late-arrival/test_train.py
# Where R is, its glm on the first flights must be the one whose coefficients are kept in glm/.
if command -v Rscript >/dev/null; then
  mkdir "$folder/glm"
  "$python" models/late-arrival/table_csv.py "$LATE_ARRIVAL_TABLE" "$folder/table.csv" 200000
  Rscript models/late-arrival/glm.R "$folder/table.csv" "$folder/glm"
  "$python" models/late-arrival/compare_csv.py "$folder/glm" models/late-arrival/glm
fi
bash models/late-arrival/reproduce.sh "$folder/reproduce"
