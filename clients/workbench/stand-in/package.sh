#!/usr/bin/env bash
# A package with the name, the version and the place of RStudio Server, and the stand-in in it. Usage: package.sh VERSION FILE
set -euo pipefail
cd "$(dirname "$0")"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
chmod 755 "$folder"
mkdir -p "$folder/DEBIAN" "$folder/usr/lib/rstudio-server/bin"
cp rserver rsession "$folder/usr/lib/rstudio-server/bin"
cat >"$folder/DEBIAN/control" <<END
Package: rstudio-server
Version: $1
Architecture: all
Maintainer: The Millrace authors <millrace@example.org>
Description: Stands in for RStudio Server where the workbench is tried
END
dpkg-deb --root-owner-group --build "$folder" "$2" >/dev/null
