# Sourced by run_all.sh and run_tests.sh: sets PYTHON to one that has what the project needs.
#
# An active environment with the right packages is used as it is (also one from environment.yml, with
# paddlepaddle-gpu). Otherwise .venv is made; it counts only once its stamp is written, so a failed
# download or a full disk leaves nothing that the next run would trust.

fail() { echo "$1" >&2; exit 1; }

enter_project() {  # enter_project SCRIPT: go to the script's folder; relative folders stay those of the caller
    for name in WGANGP_OUTPUT WGANGP_DATA; do
        case ${!name:-/} in /* | "~"*) ;; *) export "$name=$PWD/${!name}" ;; esac
    done
    CDPATH='' cd "$(dirname "$1")"
}

has_packages() {  # has_packages PYTHON - EXTRA...: are the project's packages there, in constraints.txt's versions?
    "$@" 2>/dev/null <<'PY'
import re
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, version
project = tomllib.load(open("pyproject.toml", "rb"))["project"]
extras = [project["optional-dependencies"][extra] for extra in ("reproduction", *sys.argv[1:])]
versions = dict(re.findall(r"^([\w-]+)==(\S+)$", open("constraints.txt").read(), re.M))
for requirement in sum(extras, project["dependencies"]):
    name = re.match(r"[\w-]+", requirement)[0]
    for candidate in [name] + [name + "-gpu"] * (name == "paddlepaddle"):
        try:
            if version(candidate) == versions[candidate]:
                break
        except PackageNotFoundError:
            pass
    else:
        sys.exit(1)
PY
}

default_tier() {  # medium where there is a GPU to compute on, else short
    "$PYTHON" - "${WGANGP_DEVICE:-auto}" <<'PY'
import sys
from wgangp.runtime import devices
devices.load_aten(sys.argv[1])
print("short" if devices.computes_on_cpu(sys.argv[1]) else "medium")
PY
}

find_python() {  # a Python 3.11 or 3.12
    for candidate in python3 python3.12 python3.11 python; do
        if "$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 12))' 2>/dev/null; then
            command -v "$candidate"
            return
        fi
    done
    return 1
}

setup_env() {  # setup_env [EXTRA...]: the extras that an active environment must have, beside `reproduction`
    if { [ -n "${VIRTUAL_ENV:-}" ] || [ -n "${CONDA_PREFIX:-}" ]; } && has_packages python - "$@"; then
        PYTHON=$(command -v python)
        echo "Using the active environment: $PYTHON"
        return
    fi
    stamp=.venv/wgangp-complete
    wanted=$(cat pyproject.toml constraints.txt)
    if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ]; then
        PYTHON=$PWD/.venv/bin/python
        echo "Using .venv"
        return
    fi
    if [ -e .venv ] && [ ! -f .venv/wgangp-made ]; then
        has_packages .venv/bin/python - "$@" || fail ".venv was not made by this script and lacks packages of \
constraints.txt; activate another environment, or remove .venv and run again."
        PYTHON=$PWD/.venv/bin/python
        echo "Using your .venv"
        return
    fi
    base=$(find_python) || fail "No Python 3.11 or 3.12 was found; install one (with venv) and run again."
    echo "Making .venv with $base and installing the packages of constraints.txt (about 1 GB, a few minutes) ..."
    rm -rf .venv
    mkdir .venv && touch .venv/wgangp-made
    "$base" -m venv .venv || fail "$base cannot make a virtual environment; on Debian and Ubuntu: apt install python3-venv."
    .venv/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[reproduction,dev]" ||
        fail "Installing the packages failed (above); .venv is incomplete and will be made anew by the next run."
    printf '%s' "$wanted" > .venv/part && sync .venv/part && mv .venv/part "$stamp" ||
        fail "Cannot write in .venv; make room on the disk and run again."
    PYTHON=$PWD/.venv/bin/python
    if command -v nvidia-smi >/dev/null; then
        echo "An NVIDIA driver is here, but .venv has Paddle for the CPU; for the GPU see docs/gpu.md."
    fi
}
