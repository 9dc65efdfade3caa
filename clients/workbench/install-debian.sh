#!/usr/bin/env bash
# Packages of Debian, by name or NAME=VERSION: installed where one is missing, and no list or archive is left behind in an image.
# Usage: install-debian.sh PACKAGE...
set -euo pipefail
missing=()
for package in "$@"; do
  installed=$(dpkg-query --show --showformat '${db:Status-Abbrev}${Version}' "${package%%=*}" 2>/dev/null || true)
  case $package in
    *=*) [ "$installed" = "ii ${package#*=}" ] || missing+=("$package") ;;
    *) [[ $installed == ii* ]] || missing+=("$package") ;;
  esac
done
[ "${#missing[@]}" -gt 0 ] || exit 0
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -qq --yes --no-install-recommends "${missing[@]}" >/dev/null
apt-get clean
rm -rf /var/lib/apt/lists/*
