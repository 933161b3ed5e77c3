#!/usr/bin/env bash
# Sets up what the tests need and runs them, the slow ones only with -m slow; arguments go to pytest. Those of the aten
# device (tests/aten, paddle_aten/tests) need its library and are skipped or left out: see CONTRIBUTING.md.
set -eu
. "$(dirname "$0")/setup_env.sh"
enter_project "$0"
setup_env dev
cores=$(env -u OMP_NUM_THREADS nproc)  # nproc prints that where it is set
export OMP_NUM_THREADS=1
"$PYTHON" -m pytest -q -n "$cores" --dist loadfile -m "not slow" "$@"
