#!/usr/bin/env bash
# Every check that CI runs, in the order in which they fail fastest. Called by `./garita test`;
# arguments go to pytest.
set -euo pipefail
step() { printf '\n== %s\n' "$*"; }

if [ $# = 0 ]; then
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
  NUMBA_DISABLE_JIT=1 coverage run --include='fusion/kernels/*' -m pytest -q tests/reference
  coverage report --fail-under=90
fi
step "tests"
exec python -m pytest "$@"
