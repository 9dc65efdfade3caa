#!/usr/bin/env bash
# Two real trainings of late-arrival and how good each really was, week by week: a few minutes for the routes of BUCKETS of 64 buckets.
set -euo pipefail
cd "$(dirname "$0")/../.."
node scripts/ensure-installed.mjs
source models/late-arrival/environment.sh
folder="${1:-build/late-arrival/compare}"
mkdir -p "$folder"
run=(node_modules/.bin/node --conditions=millrace-source models/late-arrival/compare.ts "$folder" "${BUCKETS:-4}")
[ -f "$folder/table.parquet" ] || "${run[@]}" table
"$python" models/late-arrival/compare_train.py "$folder/table.parquet" "$folder"
"${run[@]}" history
