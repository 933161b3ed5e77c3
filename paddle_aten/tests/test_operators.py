"""The table of operators.py, its references computed by a process that knows Paddle's CPU kernels alone."""

import numpy as np
import paddle
import paddle.nn.functional as F
import pytest

from paddle_aten.tests import operators

NAMES = [case.name for case in operators.cases()]


@pytest.fixture(scope="module")
def stored(references):
    return np.load(references / "operators.npz")


@pytest.fixture(scope="module")
def table():
    return {case.name: case for case in operators.cases()}


@pytest.mark.parametrize("name", NAMES)
def test_equals_paddles_cpu_kernels(name, stored, table):
    assert operators.compare(table[name], stored) < table[name].tolerance


@pytest.mark.parametrize("name", [case.name for case in operators.cases() if case.arrays])
def test_float32_is_close(name, stored, table):
    assert operators.compare_float32(table[name], stored) < 1e-4


def assigned_where_positive(x):
    y = x * 1
    y[x > 0] = x[0, 0]
    return y * x


def assigned_at_positions(x):
    y = x * 1
    y[1:3, paddle.to_tensor([0, -1])] = x[:2, :2]
    return y * x


# What Paddle's CPU kernels do not do (the first), or do wrongly.
BEYOND_PADDLE = {
    "conv2d_transpose": (
        lambda x, w: F.conv2d_transpose(x, w, stride=2, padding=[1, 2, 1, 2]),
        [(2, 3, 4, 4), (3, 2, 5, 5)],
    ),
    "values at positions": (assigned_at_positions, [(4, 5)]),
    "one value for a mask": (assigned_where_positive, [(4, 5)]),
    "group_norm without scale": (lambda x: F.group_norm(x, 3) ** 3, [(2, 3, 2, 2)]),
}


@pytest.mark.parametrize("name", BEYOND_PADDLE)
def test_derivatives_are_slopes(name):
    function, shapes = BEYOND_PADDLE[name]
    random = np.random.default_rng(0)
    xs = [random.standard_normal(shape) for shape in shapes]
    direction = [random.standard_normal(shape) for shape in shapes]

    def gradients(step, twice):
        at = [paddle.to_tensor(x + step * d, stop_gradient=False) for x, d in zip(xs, direction)]
        value = (function(*at) ** 2).sum()
        if twice:
            value = sum((g * g).sum() for g in paddle.grad(value, at, create_graph=True))
        return float(value), sum((g.numpy() * d).sum() for g, d in zip(paddle.grad(value, at), direction))

    for twice in (False, True)[: 1 + (name == "conv2d_transpose")]:
        step = 1e-5
        slope = (gradients(step, twice)[0] - gradients(-step, twice)[0]) / (2 * step)
        assert gradients(0.0, twice)[1] == pytest.approx(slope, rel=1e-6)


def test_the_table_has_second_derivatives_and_no_name_twice():
    table = operators.cases()
    assert len(set(NAMES)) == len(table) > 150
    assert sum(case.order > 1 for case in table) >= 50


def test_a_wrong_result_is_seen():
    a = [np.ones(3), np.array([1, 2])]
    assert operators.error(a, a) == 0
    assert operators.error([np.ones(3) + 1e-6, a[1]], a) > 1e-7
    assert operators.error([a[0], a[1] + 1], a) == np.inf
    assert operators.error(a[:1], a) == np.inf
    for wrong in (np.nan, np.inf):
        b = [np.array([1, 1, wrong]), a[1]]
        assert operators.error(b, a) == operators.error(a, b) == np.inf and operators.error(b, b) == 0
    assert operators.error([a[0].astype("float32"), a[1]], a) == np.inf
