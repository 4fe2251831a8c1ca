#!/usr/bin/env bash
# Every check that CI runs, in the order in which they fail fastest. Called by `./garita test`;
# arguments go to pytest.
set -euo pipefail
step() { printf '\n== %s\n' "$*"; }

if [ $# = 0 ]; then
  # While these checks run, what the tests call is compiled on the other core.
  python -P -c 'from edge.kernel_cache import use_kernel_cache as use; use()
from edge.station.warmup import warm_up_image as compile_all; compile_all()' >/dev/null 2>&1 &
  compiling=$!
  trap 'kill "$compiling" 2>/dev/null || true' EXIT
  step "shell syntax"
  bash -n garita .ci/run tests/run.sh && echo ok
  step "ruff"
  ruff check .
  ruff format --check .
  step "mypy"
  mypy
  step "import contracts"
  lint-imports
  step "kernels in plain Python (coverage of what the compiler hides)"
  coverage erase
  NUMBA_DISABLE_JIT=1 coverage run --include='fusion/kernels/*' -m pytest -q -n 2 tests/reference
  coverage combine -q
  coverage report --fail-under=90
  wait "$compiling" || echo "the kernels could not be compiled beforehand: the tests will say why"
  # A file's tests stay together: some share what took long to make. One worker more than CI has
  # cores, because many tests wait for brokers, links and a browser.
  set -- -n 3 --dist loadfile --durations 15
fi
step "tests"
exec python -m pytest "$@"
