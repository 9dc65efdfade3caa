#!/usr/bin/env bash
# The health of the container: both servers answer.
set -euo pipefail
curl --fail --silent --max-time 5 --output /dev/null "http://127.0.0.1:${WORKBENCH_JUPYTER_PORT:-8888}/api"
curl --fail --silent --max-time 5 --output /dev/null "http://127.0.0.1:${WORKBENCH_RSTUDIO_PORT:-8787}/auth-sign-in"
