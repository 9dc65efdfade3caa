#!/usr/bin/env bash
# R of the workbench: Debian's packages of debian-packages.txt, and the client.
# Usage: install-r.sh [LIBRARY [FOLDER_OF_THE_CLIENT]]. The Dockerfile runs this, and so does a test without Docker.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
library=${1:-/usr/local/lib/R/site-library}
client=${2:-$here/../r}
mapfile -t packages < <(grep -v '^#' "$here/debian-packages.txt")
"$here"/install-debian.sh "${packages[@]}"

mkdir -p "$library"
# Built from a copy, as a build leaves object files beside the source; those of another build are not taken.
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
cp -R "$client" "$copy/millrace"
R CMD INSTALL --preclean --no-test-load --library="$library" "$copy/millrace"
R_LIBS=$library Rscript --vanilla -e 'for (name in c("millrace", "dplyr", "lme4")) library(name, character.only = TRUE)'
