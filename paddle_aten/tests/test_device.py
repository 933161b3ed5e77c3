"""Random numbers, optimizers, missing kernels, versions."""

import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import paddle
import pytest

import paddle_aten
from paddle_aten.tests import optimizers


def draws():
    return [
        paddle.randn([50]).numpy(),
        paddle.rand([50]).numpy(),
        paddle.randint(0, 100, [50]).numpy(),
        paddle.randperm(50).numpy(),
        paddle.bernoulli(paddle.full([50], 0.5)).numpy(),
        paddle.nn.functional.dropout(paddle.ones([50])).numpy(),
        paddle.standard_normal([50]).numpy(),
    ]


def test_paddles_seed_decides():
    paddle.seed(3)
    first = draws()
    again = draws()
    paddle.seed(3)
    repeated = draws()
    paddle.seed(4)
    other = draws()
    for a, b, c, d in zip(first, again, repeated, other, strict=True):
        assert (a == c).all() and (a != b).any() and (a != d).any()


def test_random_state_is_saved_and_restored():
    paddle.seed(5)
    draws()
    state = paddle.get_rng_state()
    first = draws()
    paddle.set_rng_state(state)
    assert all((a == b).all() for a, b in zip(first, draws(), strict=True))


def test_distributions():
    n = 200_000
    paddle.seed(1)
    normal, uniform = paddle.randn([n]).numpy(), paddle.uniform([n], min=-1.0, max=3.0).numpy()
    assert abs(normal.mean()) < 5 / n**0.5 and abs(normal.var() - 1) < 5 * (2 / n) ** 0.5
    assert abs((normal**4).mean() - 3) < 5 * (96 / n) ** 0.5
    assert (
        -1 <= uniform.min() < -0.99 and 2.99 < uniform.max() <= 3 and abs(uniform.mean() - 1) < 5 * (16 / 12 / n) ** 0.5
    )
    kept = paddle.nn.functional.dropout(paddle.ones([n]), 0.25).numpy()
    assert abs((kept == 0).mean() - 0.25) < 5 * (0.1875 / n) ** 0.5 and kept.max() == pytest.approx(4 / 3)
    cut = paddle.empty([n])
    paddle.nn.initializer.TruncatedNormal(std=2.0)(cut)
    assert np.abs(cut.numpy()).max() <= 4 and cut.numpy().std() == pytest.approx(2 * 0.8796, rel=0.01)
    drawn = np.bincount(paddle.randint(0, 10, [n]).numpy(), minlength=10)
    assert len(drawn) == 10 and ((drawn - n / 10) ** 2 / (n / 10)).sum() < 35  # chi-square, 9 degrees
    assert (np.sort(paddle.randperm(1000).numpy()) == np.arange(1000)).all()


def test_captured_step_draws_as_the_step_does():
    total = paddle.zeros([4])

    def step():
        paddle.assign(total + paddle.randn([4]) * paddle.rand([4]), output=total)
        return total

    for _ in range(3):
        step()
    captured = paddle_aten.Captured(step)
    found = []
    for run in (step, captured):
        paddle.assign(paddle.zeros([4]), output=total)
        for seed in (7, 8, 7):
            paddle.seed(seed)
            run()
        run()
        found.append(total.numpy().copy())
    assert (found[0] == found[1]).all() and found[0].any()


@pytest.fixture(scope="module")
def on_the_cpu(references):
    return np.load(references / "optimizers.npz")


@pytest.mark.parametrize("name, dtype", optimizers.CASES)
def test_optimizers_equal_paddles_on_the_cpu(name, dtype, on_the_cpu):
    near = {"rel": 2e-5, "abs": 2e-6} if dtype == "float32" else {"rel": 1e-10, "abs": 1e-12}
    assert optimizers.optimised(name, dtype) == pytest.approx(on_the_cpu[f"{name}/{dtype}"], **near)


@pytest.mark.parametrize("scale", [1.0, 1e-8])  # with gradients of 1e-8 the place of epsilon decides the result
@pytest.mark.parametrize("shared", [False, True])
def test_tensorflows_adam(scale, shared):
    random = np.random.default_rng(0)
    shapes, lr, beta1, beta2 = [(4, 5), (5,), ()], 0.01, 0.5, 0.9
    x = [random.standard_normal(shape) for shape in shapes]
    m, v = [np.zeros(shape) for shape in shapes], [np.zeros(shape) for shape in shapes]
    tensors = [[paddle.to_tensor(a) for a in arrays] for arrays in (x, m, v)]
    powers = [[paddle.full([1], beta, "float64") for _ in shapes[: 1 if shared else None]] for beta in (beta1, beta2)]
    rate = paddle.full([1], lr, "float64")
    for t in range(1, 21):
        g = [scale * random.standard_normal(shape) for shape in shapes]
        paddle_aten.adam(tensors[0], [paddle.to_tensor(a) for a in g], *tensors[1:], *powers, rate, beta1, beta2, 1e-8)
        for i in range(len(shapes)):
            m[i], v[i] = beta1 * m[i] + (1 - beta1) * g[i], beta2 * v[i] + (1 - beta2) * g[i] ** 2
            x[i] = x[i] - lr * np.sqrt(1 - beta2**t) / (1 - beta1**t) * m[i] / (np.sqrt(v[i]) + 1e-8)
    for ours, theirs in zip(tensors[0], x, strict=True):
        assert ours.numpy() == pytest.approx(theirs, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
def test_parts_of_convolutions(layout):
    random = np.random.default_rng(0)
    last = layout == "NHWC"
    shape = (2, 8, 8, 3) if last else (2, 3, 8, 8)
    x, w, b = (paddle.to_tensor(random.standard_normal(s), stop_gradient=False) for s in (shape, (4, 3, 3, 3), (4,)))
    y = paddle.nn.functional.conv2d(x, w, b, 2, 1, data_format=layout)
    dy = paddle.to_tensor(random.standard_normal(y.shape))
    dx, dw = (gradient.numpy() for gradient in paddle.grad(y, [x, w], dy))
    how = (2, 1, last)
    if last:
        w, dw = w.transpose([0, 2, 3, 1]), dw.transpose([0, 2, 3, 1])
    close = partial(pytest.approx, rel=1e-12, abs=1e-12)
    assert paddle_aten.conv_dx(dy, x, w, *how).numpy() == close(dx)
    assert paddle_aten.conv_dw(dy, x, w, *how).numpy() == close(dw)
    assert paddle_aten.conv(x, w, *how).numpy() == close((y - b.reshape([-1] if last else [-1, 1, 1])).numpy())
    rectified = paddle_aten.conv_relu(x, w, b, *how).numpy()
    assert rectified == close(np.maximum(y.numpy(), 0)) and rectified.any()


@pytest.mark.parametrize("relu", [False, True])
@pytest.mark.parametrize("shape", [(12, 5), (12, 5, 4, 6), (12, 4, 6, 5)])
def test_norm_of_parts(shape, relu):
    random = np.random.default_rng(0)
    last = shape[-1] == 5
    x = random.standard_normal(shape) + 10 * random.standard_normal((12, *[1] * (len(shape) - 1)))
    scale, offset = random.standard_normal((2, 5))
    found = paddle_aten.norm_of_parts(*map(paddle.to_tensor, (x, scale, offset)), 3, 1e-3, relu, last)
    moved = x if last else np.moveaxis(x, 1, -1)
    axes = tuple(range(moved.ndim - 1))
    parts = [
        (part - part.mean(axes)) / np.sqrt(part.var(axes) + np.float32(1e-3)) * scale + offset
        for part in np.split(moved, 3)
    ]
    expected = np.concatenate(parts) if last else np.moveaxis(np.concatenate(parts), -1, 1)
    expected = np.maximum(expected, 0) if relu else expected
    assert found.numpy() == pytest.approx(expected, rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("last", [False, True])
def test_pointwise_operations_in_one_pass(last):
    random = np.random.default_rng(0)
    shape, half = ((2, 4, 6, 3), (2, 2, 3, 3)) if last else ((2, 3, 4, 6), (2, 3, 2, 3))
    x, y, small, b = (random.standard_normal(s) for s in (shape, shape, half, (3,)))
    tensors = x_, y_, small_, b_ = [paddle.to_tensor(a) for a in (x, y, small, b)]
    sums = paddle_aten.add_with_bias(x_, y_, b_, last)
    assert sums.numpy() == pytest.approx(x + y + (b if last else b[:, None, None]), rel=1e-15)
    masked = np.where(y > 0, x, 0)
    assert (paddle_aten.relu_backward_plus(y_, x_, x_, last).numpy() == masked + x).all()
    plane = (1, 2) if last else (2, 3)
    wide = small.repeat(2, plane[0]).repeat(2, plane[1])
    assert (paddle_aten.relu_backward_plus(y_, x_, small_, last).numpy() == masked + wide).all()
    for tensor, array in zip(tensors, (x, y, small, b), strict=True):
        assert (tensor.numpy() == array).all()
    with paddle.no_grad():
        paddle_aten.relu_backward_over(x_[1:], y_[1:])
    assert (y_.numpy() == np.concatenate([y[:1], masked[1:]])).all()


def test_parts_of_a_split_are_views():
    x = paddle.arange(24.0).reshape([2, 3, 4])
    first, second = x.split([1, 2], 1)
    second.add_(paddle.to_tensor(100.0))
    expected = np.arange(24.0).reshape(2, 3, 4)
    expected[:, 1:] += 100
    assert (x.numpy() == expected).all() and (first.numpy() == expected[:, :1]).all()
    assert (second.split(2, 2)[1].numpy() == expected[:, 1:, 2:]).all()


def test_a_missing_kernel_is_named():
    with pytest.raises(Exception, match="lgamma"):
        paddle.lgamma(paddle.ones([3]))


def test_backwards_views_are_read_and_written():
    x = paddle.arange(6).reshape([2, 3])
    assert x[:, ::-1].numpy().tolist() == [[2, 1, 0], [5, 4, 3]]
    assert x.numpy().tolist() == [[0, 1, 2], [3, 4, 5]]
    backwards = x[:, ::-1]
    backwards.add_(paddle.to_tensor([10, 20, 30]))
    assert backwards.numpy().tolist() == [[12, 21, 30], [15, 24, 33]]
    assert x.numpy().tolist() == [[30, 21, 12], [33, 24, 15]]  # a view, as on the CPU


def test_drawing_in_place():
    paddle.seed(2)
    uniform, normal = paddle.empty([100]).uniform_(2, 3), paddle.empty([100]).normal_(5, 0.1)
    assert 2 <= uniform.min() < uniform.max() <= 3 and 4 < normal.min() < normal.max() < 6
    paddle.seed(2)
    assert (paddle.empty([100]).uniform_(2, 3).numpy() == uniform.numpy()).all()


def test_dropout_draws_only_in_training():
    paddle.seed(6)
    expected = paddle.rand([3]).numpy()
    paddle.seed(6)
    paddle.nn.functional.dropout(paddle.ones([3]), training=False)
    assert (paddle.rand([3]).numpy() == expected).all()


def test_what_aten_refuses_is_an_exception():
    with pytest.raises(Exception, match="ATen: .*[Pp]adding size"):
        paddle.nn.functional.pad(paddle.ones([1, 1, 4, 4]), [7, 7, 0, 0], mode="reflect")


def test_mutual_copies():
    on_cpu = paddle.to_tensor([1.0, 2.0], place="cpu")
    assert (on_cpu._copy_to(paddle.CustomPlace("aten", 0), True) + 1).numpy().tolist() == [2, 3]


@pytest.mark.without_device
def test_other_versions_are_refused(tmp_path, monkeypatch):
    (tmp_path / paddle_aten.NAME).write_bytes(b"\x00paddle_aten built for paddle 2.0.0 torch 1.0.0;\x00")
    monkeypatch.setenv("CUSTOM_DEVICE_ROOT", str(tmp_path))
    monkeypatch.setattr(paddle_aten, "installed", lambda: {"paddle": "3.3.1", "torch": "2.13.0"})
    with pytest.raises(
        paddle_aten.Unavailable, match="was built for paddle 2.0.0 and torch 1.0.0, but paddle 3.3.1 and"
    ):
        paddle_aten.check()
    (tmp_path / paddle_aten.NAME).write_bytes(b"something else")
    with pytest.raises(paddle_aten.Unavailable, match="built for unknown versions"):
        paddle_aten.check()
    monkeypatch.setattr(paddle_aten, "installed", lambda: {"paddle": "3.3.1", "torch": None})
    with pytest.raises(paddle_aten.Unavailable, match="PyTorch is not installed"):
        paddle_aten.check()


@pytest.mark.skipif(
    not (Path(paddle_aten.__file__).parent / "lib").exists(), reason="Paddle itself loads what CUSTOM_DEVICE_ROOT names"
)
def test_loading_twice():
    paddle_aten.load()
    assert paddle_aten.available() and paddle.get_device().startswith("aten")
    assert paddle_aten.is_cuda() or paddle_aten.device_name() == "CPU (ATen)"


def test_tf32_is_switched():
    for on in (True, False):
        paddle_aten.set_tf32(on)
        assert paddle_aten.tf32() == on


def test_loading_after_paddle_is_refused():
    import os

    environment = {k: v for k, v in os.environ.items() if k != "CUSTOM_DEVICE_ROOT"}
    script = "import paddle, paddle_aten\ntry: paddle_aten.load()\nexcept paddle_aten.Unavailable as e: print(e)"
    told = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True).stdout
    assert "call paddle_aten.load() before that" in told
