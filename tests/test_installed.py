"""The package where it is installed, without the checkout."""

import os
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest

from reproduction.__main__ import FRAME
from reproduction.results import ROOT

pytest.importorskip("setuptools", minversion="77")


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A folder that the package is installed in."""
    source, site = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("site")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    for name in ("wgangp", "reproduction"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--no-build-isolation"]
    subprocess.run([*install, "--target", site, source], check=True)
    (site / "sitecustomize.py").write_text('import sys; sys.modules["paddle_aten"] = None')  # it is not installed
    return site


@pytest.fixture
def python(site, tmp_path):
    """Runs Python in a folder of its own with the installed package."""
    environment = os.environ | {"PYTHONPATH": str(site), "PYTHONDONTWRITEBYTECODE": "1", "WGANGP_OFFLINE": "1"}
    environment.pop("WGANGP_OUTPUT", None)

    def run(*arguments):
        command = [sys.executable, *map(str, arguments)]
        return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)

    return run


def test_readme_example_runs(python, site):
    (example,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    done = python("-c", example + "\nimport wgangp\nprint(wgangp.__file__, samples.shape)")
    assert done.stdout.split("\n")[-2] == f"{site}/wgangp/__init__.py (1000, 2)", done.stderr


def without_frame(command):
    """Code of a command that runs in an environment without the packages of the extra `reproduction`."""
    return (
        f"import sys; sys.modules.update(dict.fromkeys({FRAME})); "
        f"from reproduction.__main__ import main; sys.exit(main({command}))"
    )


def test_names_and_modules_of_the_package_are_there_without_further_imports(python, site):
    done = python(
        "-c",
        "import wgangp\n"
        "assert all(getattr(wgangp, name) is not None for name in wgangp.__all__)\n"
        "assert set(wgangp.__all__) == set(wgangp._HOMES)\n"
        "assert wgangp.layers.LayerNorm and wgangp.losses.gradient_penalty and wgangp.metrics and wgangp.data\n"
        "assert wgangp.networks and wgangp.optimizers.Adam and set(wgangp._MODULES) < set(dir(wgangp))",
    )
    assert done.returncode == 0, done.stderr
    assert (site / "wgangp" / "py.typed").is_file()  # so that type checkers look into it


@pytest.mark.parametrize(
    "command, words",
    [
        (["data", "list"], "cifar-10-python.tar.gz"),
        (["doctor"], "installed without a checkout"),
        (["doctor", "--check", "--device", "cpu"], "PASS"),
        (["score", "points.npy", "--data", "8gaussians"], "modes found"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_commands_that_need_the_library_alone(python, site, tmp_path, command, words):
    np.save(tmp_path / "points.npy", np.zeros((20, 2)))
    before = set(site.rglob("*"))
    done = python("-c", without_frame(command))
    assert done.returncode == 0 and words in done.stdout, done.stderr
    assert set(site.rglob("*")) == before and [path.name for path in tmp_path.iterdir()] == ["points.npy"]


def test_commands_that_need_the_checkout_say_so(python, site, tmp_path):
    commands = ("run all", "compare", "notebook", "report", "readme", "import folder", "generate runs/a/checkpoint.npz")
    done = python("-c", f"from reproduction.__main__ import main; print(*(main(one.split()) for one in {commands}))")
    assert done.stdout.split() == ["2"] * len(commands) and not list(tmp_path.iterdir())
    for command, line in zip(commands, done.stderr.splitlines(), strict=True):
        name = command.split()[0]
        assert line == (
            f"wgangp: {name} needs a checkout of the repository: the package installed in {site} comes without "
            f"experiments/; clone the repository and run python -m wgangp {name} there."
        )


def test_checkout_without_the_packages_of_the_extra():
    command = [sys.executable, "-c", without_frame(["compare"])]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert (
        "compare needs the package pydantic, which is not installed; run: pip install -c constraints.txt" in done.stderr
    )
