"""The distribution, installed without the checkout."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import paddle_aten

pytest.importorskip("setuptools", minversion="77")


@pytest.mark.without_device
def test_installs_on_its_own(tmp_path):
    source, site = tmp_path / "source", tmp_path / "site"
    ignored = shutil.ignore_patterns("__pycache__", "build", "lib", "*.egg-info")
    shutil.copytree(Path(paddle_aten.__file__).parent, source, ignore=ignored)
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--no-build-isolation"]
    subprocess.run([*install, "--target", site, source], check=True)
    sources = {path.name for path in (source / "src").iterdir()}
    assert sources == {path.name for path in (site / "paddle_aten" / "src").iterdir()}
    assert (site / "paddle_aten" / "build.sh").is_file() and not (site / "paddle_aten" / "tests").exists()
    script = "import paddle_aten as p\nprint(p.__file__)\ntry: p.check()\nexcept p.Unavailable as error: print(error)"
    done = subprocess.run([sys.executable, "-c", script], cwd=site, env={}, capture_output=True, text=True)
    path, reason = done.stdout.splitlines()
    assert path == f"{site}/paddle_aten/__init__.py" and f"{site}/paddle_aten/build.sh" in reason
