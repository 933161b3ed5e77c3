"""The device is loaded before anything imports paddle; without PyTorch or the library everything is skipped."""

import pytest

import paddle_aten

try:
    paddle_aten.load()
    REASON = None
except paddle_aten.Unavailable as error:
    REASON = str(error)


def pytest_collection_modifyitems(items):
    for item in items:
        if REASON and "without_device" not in item.keywords:
            item.add_marker(pytest.mark.skip(reason=REASON))


@pytest.fixture(autouse=True)
def device():
    if REASON is None:
        import paddle

        paddle.set_device("aten")
        paddle_aten.set_tf32(False)
        paddle.seed(0)
