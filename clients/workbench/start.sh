#!/usr/bin/env bash
# Jupyter Lab on 8888 and RStudio Server on 8787, both as who runs this, both behind one password: WORKBENCH_PASSWORD, or one that is
# made and printed. Ends when one of them ends, so that whoever looks after the container sees it.
set -euo pipefail
python=${WORKBENCH_PYTHON:-/opt/millrace/python/bin/python}
rserver=${WORKBENCH_RSERVER:-/usr/lib/rstudio-server/bin/rserver}
here=$(cd "$(dirname "$0")" && pwd)
if [ -z "${WORKBENCH_PASSWORD:-}" ]; then
  WORKBENCH_PASSWORD=$("$python" -c 'import secrets; print(secrets.token_urlsafe(24))')
  echo "The password of this container is $WORKBENCH_PASSWORD"
fi
USER=$(id -un)
export USER WORKBENCH_PASSWORD JUPYTER_TOKEN=$WORKBENCH_PASSWORD

# RStudio gives its sessions no environment, but R reads this file. Nobody else may.
state=$(mktemp -d)
env | sed -nE "s/^((AWS|MILLRACE)_[A-Z0-9_]+)=(.*)\$/\1='\3'/p" >"$state/environment"
export R_PROFILE=$here/Rprofile.site
printf '#!/bin/sh\nexport R_PROFILE=%s R_ENVIRON=%s\nexec %s/rsession "$@"\n' "$R_PROFILE" "$state/environment" "$(dirname "$rserver")" >"$state/rsession"
chmod 700 "$state/rsession"
printf 'provider=sqlite\ndirectory=%s\n' "$state" >"$state/database.conf"
(umask 077 && "$python" -c 'import secrets; print(secrets.token_hex(32))' >"$state/cookie-key")

mkdir -p ~/examples
cp --no-clobber "$here"/examples/* ~/examples/
"$python" -m jupyter lab --no-browser --ip=0.0.0.0 --port="${WORKBENCH_JUPYTER_PORT:-8888}" --ServerApp.root_dir="$HOME" &
"$rserver" --server-daemonize=0 --server-user="$USER" --server-data-dir="$state" --server-pid-file="$state/rserver.pid" \
  --database-config-file="$state/database.conf" --secure-cookie-key-file="$state/cookie-key" --rsession-path="$state/rsession" \
  --www-address=0.0.0.0 --www-port="${WORKBENCH_RSTUDIO_PORT:-8787}" --auth-none=0 --auth-pam-helper-path="$here/check-password.sh" &
trap 'kill $(jobs -p) 2>/dev/null || true; wait || true; rm -rf "$state"' EXIT
trap 'exit 143' TERM INT
wait -n
