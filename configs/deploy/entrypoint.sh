#!/bin/sh
# The kernels were compiled when the image was built. Numba uses only a cache that it could write
# to, and the root file system may be read-only: so the cache is copied to where writing is allowed.
set -eu
place=/run/garita
if ! { mkdir -p "$place/kernel-cache" && cp -R "$NUMBA_CACHE_DIR/." "$place/kernel-cache"; }; then
  echo "garita: cannot write to $place as uid $(id -u); start the container with --tmpfs $place" >&2
  exit 2
fi
export NUMBA_CACHE_DIR="$place/kernel-cache"
exec /opt/garita/.venv/bin/python -P -m edge "$@"
