"""Training on the `aten` device, which must be loaded before paddle: WGANGP_DEVICE=aten python -m pytest tests/aten."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import paddle
import pytest

import paddle_aten
from reproduction.results import ROOT


@pytest.fixture(scope="session", autouse=True)
def loaded():
    try:
        paddle_aten.check()
    except paddle_aten.Unavailable as error:
        pytest.skip(str(error))
    if "aten" not in paddle.device.get_all_custom_device_type():
        pytest.skip("the device is not loaded; set WGANGP_DEVICE=aten")


@pytest.fixture(autouse=True)
def device():
    paddle.set_device("aten")
    paddle_aten.set_tf32(False)
    paddle.seed(0)


@pytest.fixture(scope="session")
def on_the_cpu(tmp_path_factory):
    """What Paddle's own CPU kernels give, in a process that knows them alone, or of $PADDLE_ATEN_REFERENCES."""
    given = os.environ.get("PADDLE_ATEN_REFERENCES")
    folder = Path(given or tmp_path_factory.mktemp("references"))
    if given is None:
        environment = {name: value for name, value in os.environ.items() if name != "CUSTOM_DEVICE_ROOT"}
        environment |= {"WGANGP_DEVICE": "cpu", "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])}
        command = [sys.executable, ROOT / "tests/aten/first_steps.py", folder]
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr[-2000:]
    return np.load(folder / "first_steps.npz")
