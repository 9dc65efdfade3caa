#!/usr/bin/env bash
# RStudio Server of the workbench. Debian does not have it: the package is Posit's, by its address, its version and its hash, and nothing
# is installed that has another. Usage: install-rstudio.sh VERSION SHA256 [ADDRESS]
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
version=${1:?which version}
sha256=${2:?which SHA-256 its package has: build with --build-arg RSTUDIO_SHA256}
address=${3:-https://download2.rstudio.org/server/jammy/amd64/rstudio-server-$version-amd64.deb}
[[ $sha256 =~ ^[0-9a-f]{64}$ ]] || { echo "install-rstudio.sh: $sha256 is no SHA-256" >&2; exit 1; }
"$here"/install-debian.sh ca-certificates curl

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
curl --fail --silent --show-error --location --retry 3 --output "$folder/rstudio-server.deb" "$address"
echo "$sha256  $folder/rstudio-server.deb" | sha256sum --check --quiet -
# By dpkg's own word, not by the name of the file.
found=$(dpkg-deb --field "$folder/rstudio-server.deb" Version)
[ "${found//+/-}" = "$version" ] || { echo "install-rstudio.sh: the package is of version $found, not $version" >&2; exit 1; }
export DEBIAN_FRONTEND=noninteractive
# Who unpacks a local package as apt's own user must be able to read it.
chmod 755 "$folder"
apt-get update -qq
apt-get install -qq --yes --no-install-recommends "$folder/rstudio-server.deb" >/dev/null
apt-get clean
rm -rf /var/lib/apt/lists/*
