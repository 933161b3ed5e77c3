#!/usr/bin/env bash
# Reproduces every figure and table: sets itself up, trains, and shows each experiment as soon as its runs have ended.
# Interrupted at any moment, run the same command to resume.
#
#   bash run_all.sh                                      everything
#   ONLY="fig1_gradient_norms" TIER=short bash run_all.sh
#
#   TIER   smoke (seconds), short (minutes on 2 CPU cores), medium (the paper's networks, fewer iterations; about
#          ten hours of a GPU) or paper (the paper's setting); default: medium where there is a GPU to compute on, else short
#   ONLY   experiments, separated by spaces; default: all
#   SEEDS  e.g. "0 1 2"; default: those that each config.yaml pins
#   WGANGP_OUTPUT   folder for results, figures, notebooks, runs and report; default: this folder
#   WGANGP_DATA     folder of the data; default: data in this folder
set -eu
. "$(dirname "$0")/setup_env.sh"
enter_project "$0"
[ $# = 0 ] || fail "run_all.sh takes no arguments, but the variables TIER, ONLY, SEEDS, WGANGP_OUTPUT and WGANGP_DATA, as \
in: ONLY=fig1_gradient_norms TIER=short bash run_all.sh"
case ${TIER:-short} in smoke | short | medium | paper) ;; *) fail "TIER is '$TIER'; use smoke, short, medium or paper." ;; esac
case ${SEEDS:-} in *[!0-9\ ]*) fail "SEEDS is '$SEEDS'; give whole numbers with spaces between them, such as '0 1 2'." ;; esac
setup_env
export PYTHONPATH="$PWD${PYTHONPATH:+:$PYTHONPATH}"
export WGANGP_OUTPUT="${WGANGP_OUTPUT:-$PWD}"
wgangp() { "$PYTHON" -m wgangp "$@"; }
if [ -z "${TIER:-}" ]; then
    TIER=$(default_tier 2>/dev/null) ||
        fail "$PYTHON cannot import Paddle; try: $PYTHON -c 'import paddle'"
fi
case ${ONLY:-} in *[!\ ]*) ;; *) ONLY=all ;; esac
seeds=$(for seed in ${SEEDS:-}; do printf -- '--seed %s ' "$seed"; done)
failed=0

echo "== Training and measuring, tier $TIER (for more: TIER=medium or TIER=paper bash run_all.sh)"
# shellcheck disable=SC2086
wgangp run $ONLY --tier "$TIER" $seeds --notebooks || failed=$?
[ "$failed" -le 1 ] || exit "$failed"
wgangp report

echo "== Comparison with the paper"
# shellcheck disable=SC2086
wgangp compare $ONLY --yours "$TIER" $seeds
[ "$failed" = 0 ] || { echo "Some runs failed (above)." >&2; exit 1; }
