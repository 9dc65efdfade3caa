#!/usr/bin/env bash
# The workbench without Docker. As CI runs it: scripts and Dockerfile are looked at, and the examples run against the local cloud, in the
# Python of clients/python/check.sh and this machine's R. `check.sh --image FOLDER` runs every step of the image but RStudio's in a
# new Debian in FOLDER (root, and mmdebstrap, are needed; some minutes), starts it there, and runs the examples in it.
set -euo pipefail
cd "$(dirname "$0")"
repo=$(cd ../.. && pwd)
node="$repo/node_modules/.bin/node --conditions=millrace-source"

look_at_files() {
  for script in *.sh; do
    bash -n "$script"
    [ -x "$script" ] || { echo "$script cannot be run" >&2; return 1; }
  done
  python3 dockerfile.py look
  try_refusals
}

# Another hash, another version, no hash: install-rstudio.sh installs none of them.
try_refusals() {
  local package sum
  package=$(mktemp --suffix=.deb)
  stand-in/package.sh 1.2.3+4 "$package"
  sum=$(sha256sum "$package" | cut -d ' ' -f 1)
  refuses 'FAILED' 1.2.3-4 "${sum//[0-7]/8}" "file://$package"
  refuses 'is of version 1.2.3+4, not 1.2.3-5' 1.2.3-5 "$sum" "file://$package"
  refuses 'is no SHA-256' 1.2.3-4 unknown "file://$package"
  refuses 'which SHA-256' 1.2.3-4
  rm "$package"
}

refuses() {
  local says=$1 said
  shift
  if said=$(./install-rstudio.sh "$@" 2>&1); then echo "install-rstudio.sh has taken $*" >&2; return 1; fi
  [[ $said == *"$says"* ]] || { echo "install-rstudio.sh $* says: $said" >&2; return 1; }
}

# The packages of clients/python, and beside them what only the workbench has.
small_python() {
  local venv=$PWD/.venv packages
  if ! cmp -s requirements.txt .venv/requirements.txt; then
    bash install-debian.sh python3
    python3 -m venv "$venv"
    packages=$(echo ../python/.venv/lib/python3*/site-packages)
    echo "import site; site.addsitedir('$(cd "$packages" && pwd)')" >"$(echo "$venv"/lib/python3*/site-packages)/clients.pth"
    grep -E '^(duckdb|ipykernel|nbconvert)==' requirements.txt >.venv/some.txt
    "$venv"/bin/python -m pip install --quiet --disable-pip-version-check -r .venv/some.txt -c ../python/requirements.txt
    cp requirements.txt .venv/requirements.txt
  fi
}

check_here() {
  small_python
  library=$(mktemp -d)
  trap 'rm -rf "$library"' EXIT
  ./install-r.sh "$library" >"$library/install.log" 2>&1 || { cat "$library/install.log"; return 1; }
  (cd "$repo" && node scripts/ensure-installed.mjs && R_LIBS=$library $node test/clients/workbench.ts \
    --python clients/workbench/.venv/bin/python --r 'Rscript --vanilla')
}

check_image() {
  local image=$1 start=$SECONDS
  mmdebstrap --quiet --variant=minbase --include=ca-certificates bookworm "$image"
  echo "A new Debian: $((SECONDS - start)) s"
  (cd "$repo" && node scripts/ensure-installed.mjs)
  python3 dockerfile.py run "$image" "$PWD/check.sh" --inside "$image"
}

# The examples and the start, as its user, with a stand-in for RStudio that is installed as RStudio is.
check_inside() {
  cp -R stand-in "$1/tmp"
  stand-in/package.sh 1.2.3+4 "$1/tmp/stand-in/rstudio.deb"
  chroot "$1" /build/workbench/install-rstudio.sh 1.2.3-4 "$(sha256sum "$1/tmp/stand-in/rstudio.deb" | cut -d ' ' -f 1)" \
    file:///tmp/stand-in/rstudio.deb
  local as="chroot --userspec=analyst $1 env HOME=/home/analyst PATH=/opt/millrace/python/bin:/usr/bin:/bin"
  (cd "$repo" && $node test/clients/workbench.ts --examples /opt/millrace/examples --python "$as python" --r "$as Rscript --vanilla")
  $as python /tmp/stand-in/check_start.py
  rm -r "$1/tmp/stand-in"
}

look_at_files
case ${1:-} in
  --image) check_image "$2" ;;
  --inside) check_inside "$2" ;;
  *) check_here ;;
esac
