import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import wgangp  # noqa: F401  isort: skip (before paddle: it sets what MKL reads)

import paddle
import pytest


@pytest.fixture(autouse=True)
def seeded():
    paddle.seed(0)


@pytest.fixture
def float64():
    paddle.set_default_dtype("float64")
    yield
    paddle.set_default_dtype("float32")
