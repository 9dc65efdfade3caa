#!/usr/bin/env bash
# Two real trainings of late-arrival, each on a batch of the catalogue and made again from its artifact, and how good each really was, week
# by week: a few minutes for the routes of BUCKETS of 64 buckets.
set -euo pipefail
cd "$(dirname "$0")/../.."
folder="${1:-build/late-arrival/compare}"
BUCKETS="${BUCKETS:-4}" bash models/late-arrival/reproduce.sh "$folder"
node_modules/.bin/node --conditions=millrace-source models/late-arrival/compare.ts "$folder" "${BUCKETS:-4}"
