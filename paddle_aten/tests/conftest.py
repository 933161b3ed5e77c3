"""The device is loaded before anything imports paddle; without PyTorch or the library everything is skipped."""

import os
import subprocess
from pathlib import Path

import pytest

import paddle_aten

try:
    paddle_aten.load()
    REASON = None
except paddle_aten.Unavailable as error:
    REASON = str(error)


def pytest_collection_modifyitems(items):
    ours = [item for item in items if item.path.is_relative_to(Path(__file__).parent)]
    for item in ours:
        if REASON and "without_device" not in item.keywords:
            item.add_marker(pytest.mark.skip(reason=REASON))


@pytest.fixture(scope="session")
def references(tmp_path_factory):
    """Folder of what Paddle's own CPU kernels give, made once for all tests."""
    from paddle_aten.tests import references

    return references.folder(tmp_path_factory.mktemp("references"))


@pytest.fixture(autouse=True)
def device():
    if REASON is None:
        import paddle

        paddle.set_device("aten")
        paddle_aten.set_tf32(False)
        paddle.seed(0)


def without_device(command):
    """Run a Python command that knows Paddle's own kernels alone."""
    ours = ("CUSTOM_DEVICE_ROOT", "FLAGS_enable_api_kernel_fallback")
    environment = {name: value for name, value in os.environ.items() if name not in ours}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
