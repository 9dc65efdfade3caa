#!/usr/bin/env bash
# The R client: built and checked as a package, its own tests, and its tests against the local cloud, both ways with TypeScript. Installs R
# and the packages it needs from Debian where they are missing.
set -euo pipefail
cd "$(dirname "$0")"
PACKAGES=(curl jsonlite openssl bit64 testthat)

has_packages() {
  command -v Rscript >/dev/null && command -v gcc >/dev/null && command -v make >/dev/null &&
    Rscript --vanilla -e 'missing <- setdiff(commandArgs(TRUE), rownames(installed.packages())); quit(status = length(missing))' "${PACKAGES[@]}"
}

if ! has_packages; then
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends gcc make libc6-dev r-base-core "${PACKAGES[@]/#/r-cran-}" >/dev/null
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/library"
source=$PWD
cd "$work"
R CMD build --no-build-vignettes "$source" >build.log 2>&1 || { cat build.log; exit 1; }
# No PDF of the manual, which needs LaTeX. The packages that Debian does not have are not asked for, nor is anybody else: warnings and notes
# are errors, but the one that says so.
export _R_CHECK_FORCE_SUGGESTS_=false R_PROFILE_USER="$work/profile.R"
mkdir -p nothing/src/contrib
touch nothing/src/contrib/PACKAGES
echo "options(repos = c(CRAN = 'file://$work/nothing'))" >profile.R
R CMD check --no-manual --no-build-vignettes --library="$work/library" millrace_*.tar.gz >check.log 2>&1 || { cat check.log; exit 1; }
if grep -v 'checking package dependencies' check.log | grep -E '\.\.\. *(WARNING|ERROR|NOTE)'; then cat check.log; exit 1; fi
grep -F '[ FAIL' millrace.Rcheck/tests/testthat.Rout
R CMD INSTALL --no-docs --library="$work/library" millrace_*.tar.gz >install.log 2>&1 || { cat install.log; exit 1; }
cd "$source/../.."
node scripts/ensure-installed.mjs
R_LIBS="$work/library" node_modules/.bin/node --conditions=millrace-source test/clients/r.ts
# Last night's snapshot from Python too, by what clients/python/check.sh has installed.
python=clients/python/.venv/bin/python
[ -x "$python" ] || { echo "$python is not there; run clients/python/check.sh first"; exit 1; }
node_modules/.bin/node --conditions=millrace-source test/clients/last-night.ts "$python" "$work/library"
