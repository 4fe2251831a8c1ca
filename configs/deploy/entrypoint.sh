#!/bin/sh
# The kernels were compiled when the image was built. Numba wants to write beside what it reads,
# and the root file system may be read-only: so the cache is copied to the one place that is not.
set -eu
cache=/run/garita/kernel-cache
if [ -w /run/garita ] && [ ! -d "$cache" ]; then
  cp -R "$NUMBA_CACHE_DIR" "$cache.new" && mv "$cache.new" "$cache"
fi
[ ! -d "$cache" ] || export NUMBA_CACHE_DIR=$cache
exec /opt/garita/.venv/bin/python -P -m edge "$@"
