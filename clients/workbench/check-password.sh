#!/usr/bin/env bash
# RStudio asks this instead of PAM, which needs root: the name is the argument, the password comes in. Exit code 0 lets in.
set -euo pipefail
IFS= read -r password || [ -n "${password:-}" ]
[ "${1:-}" = "$(id -un)" ] && [ -n "${WORKBENCH_PASSWORD:-}" ] && [ "$password" = "$WORKBENCH_PASSWORD" ]
