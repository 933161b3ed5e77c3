"""Every operator against Paddle's CPU kernels, in float64: values, first and second derivatives.

Without pytest, on machines that lack it or whose CPU kernels of Paddle do not run:

python -m paddle_aten.tests.operators --save FILE      references from Paddle's CPU kernels, FILE.npz
python -m paddle_aten.tests.operators --load FILE      compares the device with them, a line per operator
"""

import argparse
import sys
from dataclasses import dataclass, field

import numpy as np

random = np.random.default_rng(0)  # begun anew by `cases`, so that every call makes the same arrays


def normal(*shape):
    return random.standard_normal(shape)


def positive(*shape):
    return random.random(shape) + 0.5


def apart(*shape):
    """Numbers of which no two are near each other."""
    return random.permutation(np.prod(shape)).reshape(shape) / 7.0 - 2


IDS = random.integers(0, 7, 5)
ROWS = random.integers(0, 4, 6)
GRID = random.integers(0, 4, (3, 5))


@dataclass
class Case:
    """A function of tensors, its arguments, and how often it is differentiated.

    The tolerance is wider where Paddle's own CPU kernel computes in float32 in part (a factor such as 1/9).
    """

    name: str
    function: object
    arrays: list = field(default_factory=list)
    order: int = 2
    tolerance: float = 1e-9


def cases():
    """The table. Functions import nothing: they are given paddle and paddle.nn.functional as p and F."""
    import paddle as p
    import paddle.nn.functional as F

    random.bit_generator.state = np.random.default_rng(1).bit_generator.state

    def batch_norm(x, scale, bias, training=True, data_format="NCHW"):
        channels = scale.shape[0]
        mean, variance = p.full([channels], 0.1, x.dtype), p.full([channels], 1.3, x.dtype)
        return F.batch_norm(x, mean, variance, scale, bias, training=training, data_format=data_format)

    def running(x):
        layer = p.nn.BatchNorm2D(3, momentum=0.8)
        layer.to(dtype=x.dtype)
        layer(x)
        return p.concat([layer._mean, layer._variance])

    def in_place(x):
        y = x * 1
        y.add_(x)
        y.clip_(-0.5, 0.7)
        return y

    def assigned(x):
        y = x * 1
        y[1] = 2.0
        y[0, ::2] = x[2, ::2]
        return y * x

    def at_positions(x):
        y = x * 1
        y[p.to_tensor([0, 2])] = 1.5
        y[1:3, p.to_tensor([0, -1])] = x[:2, :2].detach()
        return y * x

    def put(x, values):
        return p.index_put(x, (p.to_tensor([0, 2]), p.to_tensor([1, 1])), values) ** 2

    image, square = normal(2, 3, 8, 8), normal(4, 5)
    true = normal(4, 5) > 0
    smooth = {
        "tanh": F.tanh, "sigmoid": F.sigmoid, "softplus": F.softplus, "elu": F.elu, "silu": F.silu,
        "square": p.square, "sin": p.sin, "cos": p.cos,
    }  # fmt: skip
    smooth["softplus scaled"] = lambda x: F.softplus(x * 30, 2.0, 10.0)
    on_positive = {"sqrt": p.sqrt, "log": p.log, "rsqrt": p.rsqrt, "x^3": lambda x: x**3, "1/x": lambda x: 1 / x}
    once = {
        "exp": p.exp, "gelu": F.gelu, "gelu tanh": lambda x: F.gelu(x, True), "log_sigmoid": F.log_sigmoid,
        "erf": p.erf, "expm1": p.expm1, "clip": lambda x: p.clip(x, -0.5, 0.5), "softmax": F.softmax,
        "log_softmax": lambda x: F.log_softmax(x) ** 2, "cumsum": lambda x: p.cumsum(x, 1) ** 2,
        "cumsum flat": lambda x: p.cumsum(x) ** 2, "flip": lambda x: p.flip(x, [0]) ** 2,
        "roll": lambda x: p.roll(x, [1, 2], [0, 1]) ** 2, "max": lambda x: x.max(1), "min": lambda x: x.min(0),
        "prod": lambda x: x.prod(1), "tile": lambda x: p.tile(x, [2, 2]) ** 2, "slice": lambda x: x[1:3, ::2] ** 2,
        "norm": lambda x: p.linalg.norm(x, axis=1), "norm 1": lambda x: p.linalg.norm(x, 1, 0),
        "norm 4": lambda x: p.linalg.norm(x, 4.0, 1), "frobenius": lambda x: p.linalg.norm(x),
        "topk": lambda x: p.topk(x, 2)[0] ** 2, "gather_nd": lambda x: p.gather_nd(x, p.to_tensor([[0, 1], [3, 2], [0, 1]])) ** 2,
        "index_select": lambda x: p.index_select(x, p.to_tensor(ROWS)) ** 2, "in place": in_place,
        "take_along_axis": lambda x: p.take_along_axis(x, p.to_tensor(GRID), 0) ** 2,
        "where": lambda x: p.where(p.to_tensor(true), x, x * 2) ** 2, "floor": lambda x: p.floor(x) * x,
        "round": lambda x: p.round(x) * x, "ceil": lambda x: p.ceil(x) * x, "unbind": lambda x: p.unbind(x)[1] ** 2,
        "masked": lambda x: x.masked_fill(p.to_tensor(true), 2.0) ** 2, "split": lambda x: p.split(x, [2, 3], 1)[1] ** 2,
        "cumprod": lambda x: p.cumprod(x, 1), "logsumexp": lambda x: p.logsumexp(x, 1), "sort": lambda x: p.sort(x, 1) ** 2,
        "masked_select": lambda x: p.masked_select(x, p.to_tensor(true)) ** 2, "unstack": lambda x: sum(i * part**2 for i, part in enumerate(p.unstack(x, 1))),
        "expand_as": lambda x: x.unsqueeze(1).expand_as(p.zeros([4, 3, 5], x.dtype)) ** 2, "part assigned": assigned,
        "squeeze": lambda x: x.unsqueeze(1).squeeze(1) ** 2, "triu": lambda x: p.triu(x) ** 2,
        "cross entropy soft": lambda x: F.cross_entropy(x, F.softmax(x.detach() * 2), soft_label=True),
    }  # fmt: skip

    table = [Case(name, f, [normal(4, 5)]) for name, f in smooth.items()]
    table += [Case(name, f, [positive(4, 5)]) for name, f in on_positive.items()]
    table += [Case(name, f, [apart(4, 5)], 1) for name, f in once.items()]
    table += [
        Case(name, f, [positive(4, 5)], 1) for name, f in {"log1p": p.log1p, "log2": p.log2, "log10": p.log10}.items()
    ]
    table += [
        Case("add", lambda x, y: (x + y) * x, [square, normal(4, 1)]),
        Case("subtract", lambda x, y: (x - y) ** 2, [square, normal(5)]),
        Case("multiply", lambda x, y: x * y, [square, normal(4, 1)]),
        Case("divide", lambda x, y: x / y, [square, positive(5)]),
        Case("maximum", p.maximum, [square, normal(4, 5)], 1),
        Case("minimum", p.minimum, [square, normal(4, 5)], 1),
        Case("x^y", lambda x, y: x**y, [positive(4, 5), normal(4, 5)], 1),
        Case("abs", lambda x: p.abs(x) ** 3, [square]),
        Case("index_put", put, [square, normal(2)], 1),
        Case("addmm", lambda x, y, z: p.addmm(x, y, z, 2.0, 3.0) ** 2, [normal(4, 3), square, normal(5, 3)], 1),
        Case("meshgrid", lambda *xs: p.add_n(p.meshgrid(*xs)) ** 3, [normal(3), normal(4)], 1),
        Case("relu", lambda x: F.relu(x) ** 2, [square]),
        Case("leaky_relu", lambda x: F.leaky_relu(x, 0.2) ** 2, [square]),
        Case("scale", lambda x: (2 * x + 3) ** 2, [square]),
        Case("sum", lambda x: (x**2).sum(1), [normal(4, 5, 3)]),
        Case("mean", lambda x: (x**2).mean([0, 2], keepdim=True), [normal(4, 5, 3)]),
        Case("mean of all", lambda x: (x**2).mean(), [normal(4, 5, 3)]),
        Case("matmul", lambda x, y: x @ y, [square, normal(5, 3)]),
        Case("matmul transposed", lambda x, y: p.matmul(x, y, True, True), [normal(5, 4), normal(3, 5)]),
        Case("matmul batched", p.matmul, [normal(2, 4, 5), normal(5, 3)]),
        Case("matmul vector", p.matmul, [square, normal(5)], 1),
        Case("bmm", p.bmm, [normal(2, 4, 5), normal(2, 5, 3)], 1),
        Case("dot", p.dot, [normal(5), normal(5)], 1),
        Case("linear", lambda x, w, b: F.linear(x, w, b) ** 2, [square, normal(5, 3), normal(3)]),
        Case("reshape", lambda x: x.reshape([-1, 10]) ** 2, [square]),
        Case("transpose", lambda x: x.transpose([1, 0, 2]) ** 2, [normal(4, 5, 3)]),
        Case("expand", lambda x: x.expand([4, 5]) ** 2, [normal(1, 5)]),
        Case("concat", lambda x, y: p.concat([x, y], 1) ** 2, [square, normal(4, 2)]),
        Case("split halves", lambda x: p.split(x, 2, 1)[0] ** 2, [normal(4, 6)]),
        Case("stack", lambda x, y: p.stack([x, y]) ** 2, [normal(4, 6), normal(4, 6)], 1),
        Case("gather", lambda x: p.gather(x**2, p.to_tensor(ROWS)), [square]),
        Case("pad vector", lambda x: F.pad(x, [1, 2, 0, 1]) ** 2, [square]),
        Case("pad image", lambda x: F.pad(x, [1, 2, 0, 1], value=0.5) ** 2, [image], 1),
        Case("pad channels last", lambda x: F.pad(x, [1, 2, 0, 1], data_format="NHWC") ** 2, [image], 1),
        Case("pad reflect", lambda x: F.pad(x, [1, 2, 0, 1], mode="reflect") ** 2, [image], 1),
        Case("pad replicate", lambda x: F.pad(x, [1, 2, 0, 1], mode="replicate") ** 2, [image], 1),
        Case("conv2d", lambda x, w: F.conv2d(x, w, stride=2, padding=1), [image, normal(4, 3, 3, 3)]),
        Case("conv2d bias", lambda x, w, b: F.conv2d(x, w, b, padding=1) ** 2, [image, normal(4, 3, 3, 3), normal(4)]),
        Case("conv2d SAME", lambda x, w: F.conv2d(x, w, padding="SAME") ** 2, [image, normal(4, 3, 3, 3)]),
        Case("conv2d groups", lambda x, w: F.conv2d(x, w, groups=3, padding=1), [normal(2, 6, 8, 8), normal(6, 2, 3, 3)]),
        Case("conv2d dilated", lambda x, w: F.conv2d(x, w, dilation=2) ** 2, [image, normal(4, 3, 3, 3)]),
        Case("conv2d depthwise", lambda x, w: F.conv2d(x, w, groups=3, padding=1) ** 2, [image, normal(3, 1, 3, 3)], 1),
        Case("conv2d_transpose depthwise", lambda x, w: F.conv2d_transpose(x, w, stride=2, groups=3) ** 2, [image, normal(3, 1, 3, 3)], 1),
        Case("conv1d", lambda x, w: F.conv1d(x, w, padding=2) ** 2, [normal(2, 3, 9), normal(4, 3, 5)]),
        Case("embedding", lambda w: F.embedding(p.to_tensor(IDS), w) ** 2, [normal(7, 3)], 1),
        Case("cross entropy", lambda x: F.cross_entropy(x, p.to_tensor(IDS)), [normal(5, 7)], 1),
        Case("layer_norm", lambda x, s, b: F.layer_norm(x, [5], s, b) ** 2, [normal(4, 3, 5), positive(5), normal(5)], 1),
        Case("group_norm", lambda x, s, b: F.group_norm(x, 2, weight=s, bias=b) ** 2, [normal(2, 4, 5, 5), positive(4), normal(4)], 1),
        Case("instance_norm", lambda x, s, b: F.instance_norm(x, weight=s, bias=b) ** 2, [normal(2, 4, 5, 5), positive(4), normal(4)]),
        Case("batch_norm", lambda *a: batch_norm(*a) ** 2, [normal(4, 3, 5, 5), positive(3), normal(3)]),
        Case("batch_norm of vectors", lambda x, s, b: batch_norm(x, s, b, data_format="NC") ** 2, [normal(6, 3), positive(3), normal(3)]),
        Case("batch_norm evaluating", lambda *a: batch_norm(*a, training=False) ** 2, [normal(4, 3, 5, 5), positive(3), normal(3)], 1),
        Case("running statistics", running, [normal(4, 3, 5, 5)], 0),
        Case("avg_pool2d", lambda x: F.avg_pool2d(x, 2) ** 2, [image]),
        Case("avg_pool2d exclusive", lambda x: F.avg_pool2d(x, 3, 1, 1, exclusive=True) ** 2, [image], 2, 1e-7),
        Case("avg_pool2d inclusive", lambda x: F.avg_pool2d(x, 2, 1, 1, exclusive=False) ** 2, [image]),
        Case("avg_pool2d ceil", lambda x: F.avg_pool2d(x, 3, 2, ceil_mode=True) ** 2, [image], 1, 1e-7),
        Case("max_pool2d", lambda x: F.max_pool2d(x, 3, 2) ** 2, [image], 1),
        Case("avg_pool2d SAME", lambda x: F.avg_pool2d(x, 3, 2, "SAME") ** 2, [image], 2, 1e-7),
        Case("avg_pool2d uneven", lambda x: F.avg_pool2d(x, 2, 2, [0, 1, 1, 0], exclusive=True) ** 2, [normal(2, 3, 7, 7)]),
        Case("max_pool2d uneven", lambda x: F.max_pool2d(x, 3, 2, [0, 1, 1, 0]) ** 2, [image], 1),
        Case("max_pool2d padded", lambda x: F.max_pool2d(x, 3, 1, 1) ** 2, [image], 1),
        Case("adaptive_avg_pool2d", lambda x: F.adaptive_avg_pool2d(x, 1) ** 2, [image]),
        Case("nearest", lambda x: F.interpolate(x, scale_factor=2, mode="nearest") ** 2, [image], 1),
        Case("binary cross entropy", lambda x: F.binary_cross_entropy_with_logits(x, p.full_like(x, 0.3)), [square], 1),
        Case("squared norm", lambda x: p._C_ops.squared_l2_norm(x), [square], 0),
    ]  # fmt: skip
    ties = np.array([[1.0, 2, 2, 0, -1], [0, 0, 0, 1, 1], [-0.5, 0.5, 0, 2, -2], [3, 3, 3, 3, 3]])
    at_ties = {
        "clip": lambda x: p.clip(x, -0.5, 2.0) ** 2, "max": lambda x: x.max(1) ** 2, "min of all": lambda x: x.min() ** 2,
        "maximum": lambda x: p.maximum(x, p.ones_like(x)) ** 2, "minimum": lambda x: p.minimum(x, p.ones_like(x)) ** 2,
        "relu": lambda x: F.relu(x) ** 2, "abs": lambda x: p.abs(x), "cumprod": lambda x: p.cumprod(x, 1),
        "max_pool2d": lambda x: F.max_pool2d(x.reshape([1, 1, 4, 5]), 2) ** 2,
    }  # fmt: skip
    table += [Case(f"x^{n} at zero", lambda x, n=n: p.pow(x, n) * x, [ties], max(n, 1)) for n in (0, 1, 2)]
    table += [Case(f"{name} at ties", f, [ties], 1) for name, f in at_ties.items()]
    table += [
        Case("rows", lambda x: x[p.to_tensor([[0, -1], [1, 1]])] ** 2, [square], 1),
        Case("pairs", lambda x: x[p.to_tensor([0, 1]), :, p.to_tensor([1, 2])] ** 2, [image], 1),
        Case("columns of a part", lambda x: x[1, p.to_tensor(GRID[0]) % 3, ::2] ** 2, [image], 1),
        Case("masked elements", lambda x: x[x > 0] ** 2, [square], 1),
        Case("positions assigned", at_positions, [square], 1),
        Case("reversed", lambda x: x[:, ::-1] ** 2, [square], 1),
        Case("conv2d SAME dilated", lambda x, w: F.conv2d(x, w, padding="SAME", dilation=2) ** 2, [image, normal(4, 3, 3, 3)]),
        Case("conv2d_transpose output size", lambda x, w: F.conv2d_transpose(x, w, stride=2, output_size=[18, 18]) ** 2, [image, normal(3, 4, 3, 3)], 1),
        Case("nearest by 1.5", lambda x: F.interpolate(x, scale_factor=1.5, mode="nearest") ** 2, [normal(2, 3, 5, 7)], 1),
        Case("bilinear by 1.5", lambda x: F.interpolate(x, scale_factor=1.5, mode="bilinear", align_mode=1) ** 2, [normal(2, 3, 5, 7)], 1, 1e-6),
        Case("bilinear channels last", lambda x: F.interpolate(x, [3, 9], mode="bilinear", align_mode=1, data_format="NHWC") ** 2, [normal(2, 5, 7, 3)], 1, 1e-6),
        Case("cross entropy of pixels", lambda x: F.cross_entropy(x, p.to_tensor(np.arange(128).reshape(2, 1, 8, 8) % 3), axis=1), [image], 1),
        Case("cross entropy ignoring", lambda x: F.cross_entropy(x, p.to_tensor([0, 1, -100, 2])), [square], 1),
        Case("cross entropy weighted", lambda x: F.cross_entropy(x, p.to_tensor([0, 1, 3, 2]), p.arange(1, 6, dtype=x.dtype)), [square], 1),
        Case("embedding with padding", lambda w: F.embedding(p.to_tensor(IDS), w, padding_idx=2) ** 2, [normal(7, 3)], 1),
        Case("matmul broadcast", lambda x, y: p.matmul(x, y, False, True) ** 2, [normal(2, 4, 5), normal(3, 5)]),
    ]  # fmt: skip
    for channels in ("NCHW", "NHWC"):
        x = image if channels == "NCHW" else image.transpose(0, 2, 3, 1).copy()

        def uneven(x, w, channels=channels):
            return F.conv2d(x, w, stride=2, padding="SAME", data_format=channels) ** 2

        def given(x, w, channels=channels):
            sides = [[0, 0], [0, 0], [2, 0], [0, 1]] if channels == "NCHW" else [[0, 0], [2, 0], [0, 1], [0, 0]]
            return F.conv2d(x, w, padding=sides, data_format=channels) ** 2

        def transposed(x, w, channels=channels):
            return F.conv2d_transpose(x, w, stride=2, padding=[1, 2, 1, 2], data_format=channels) ** 2

        def even(x, w, channels=channels):
            return F.conv2d_transpose(x, w, stride=2, padding=1, data_format=channels) ** 2

        table += [
            Case(f"conv2d 5x5 stride 2 SAME {channels}", uneven, [x, normal(4, 3, 5, 5)]),
            Case(f"conv2d four paddings {channels}", given, [x, normal(4, 3, 3, 3)]),
            Case(f"conv2d_transpose uneven {channels}", transposed, [x, normal(3, 4, 5, 5)], 1),
            Case(f"conv2d_transpose {channels}", even, [x, normal(3, 4, 4, 4)], 1),
        ]
    for align, mode in ((False, 0), (False, 1), (True, 0)):

        def resize(x, align=align, mode=mode):
            return F.interpolate(x, [13, 11], mode="bilinear", align_corners=align, align_mode=mode) ** 2

        table.append(Case(f"bilinear align_corners={align} align_mode={mode}", resize, [normal(2, 3, 5, 7)], 1, 1e-6))

    numbers = random.integers(-5, 6, (4, 5))
    bytes_ = random.integers(0, 256, (6, 3, 2, 2)).astype("uint8")
    exact = {
        "gather bytes": lambda: p.gather(p.to_tensor(bytes_), p.to_tensor(ROWS)),
        "bytes to float": lambda: p.to_tensor(bytes_).astype("float32"),
        "casts": lambda: p.to_tensor(numbers).astype("int32").astype("bool").astype("float64"),
        "one_hot": lambda: F.one_hot(p.to_tensor(IDS), 7),
        "argmax": lambda: p.to_tensor(apart(4, 5)).argmax(1),
        "argmin of all": lambda: p.to_tensor(apart(4, 5)).argmin(),
        "argsort": lambda: p.argsort(p.to_tensor(apart(4, 5)), 1, descending=True),
        "topk index": lambda: p.topk(p.to_tensor(apart(4, 5)), 3)[1],
        "nonzero": lambda: p.nonzero(p.to_tensor(numbers)),
        "arange": lambda: p.arange(3, 17, 2),
        "linspace": lambda: p.linspace(0.0, 1.0, 7, "float64"),
        "eye": lambda: p.eye(3, 4, dtype="float64"),
        "full": lambda: p.full([2, 3], 7, "int64"),
        "tril": lambda: p.tril(p.to_tensor(numbers)),
        "large integers": lambda: p.to_tensor(numbers + 2**40) * 3 + 1 - p.to_tensor(2**40 + 1),
        "scaled integers": lambda: p.scale(p.to_tensor(numbers), 2.5, 1.0),
        "bitwise": lambda: (p.to_tensor(numbers) & p.to_tensor(numbers[:1])) ^ ~(p.to_tensor(numbers) | p.to_tensor(numbers[1:2])),
        "part assigned once": lambda: p.slice_scatter(p.to_tensor(numbers), p.to_tensor(numbers[:2]), [0], [1], [3], [1]),
        "integer sums": lambda: p.to_tensor(numbers).sum(0),
        "remainder": lambda: p.to_tensor(numbers) % 3,
        "floor_divide": lambda: p.to_tensor(numbers) // 3,
        "sign": lambda: p.sign(p.to_tensor(numbers.astype("float64"))),
        "concat of integers": lambda: p.concat([p.to_tensor(numbers), p.to_tensor(numbers)], 1),
    }  # fmt: skip
    x, y = normal(4, 5), normal(4, 5)
    x[0, 0], y[1] = np.nan, x[1]
    pair = {
        "==": lambda a, b: a == b, "!=": lambda a, b: a != b, "<": lambda a, b: a < b, "<=": lambda a, b: a <= b,
        ">": lambda a, b: a > b, ">=": lambda a, b: a >= b, "and": lambda a, b: p.logical_and(a > 0, b > 0),
        "or": lambda a, b: p.logical_or(a > 0, b > 0), "xor": lambda a, b: p.logical_xor(a > 0, b > 0),
        "not": lambda a, b: p.logical_not(a > 0), "isnan": lambda a, b: p.isnan(a), "isfinite": lambda a, b: p.isfinite(a),
        "isinf": lambda a, b: p.isinf(p.exp(a * 1000)), "any": lambda a, b: (a == b).any(1), "all": lambda a, b: (a == b).all(1),
        "all of all": lambda a, b: (a == b).all(), "isclose": lambda a, b: p.isclose(a, b),
        "allclose": lambda a, b: p.allclose(a[1], b[1]), "equal_all": lambda a, b: p.equal_all(a[1], b[1]),
    }  # fmt: skip
    table += [Case(name, f, [], 0) for name, f in exact.items()]
    table += [Case(name, lambda f=f: f(p.to_tensor(x), p.to_tensor(y)), [], 0) for name, f in pair.items()]
    return table


def evaluate(case, dtype="float64"):
    """What a case gives on Paddle's current device: value, gradients, gradients of the squared gradients."""
    import paddle

    xs = [paddle.to_tensor(array.astype(dtype), stop_gradient=False) for array in case.arrays]
    y = case.function(*xs)
    found = [y]
    if case.order:
        weights = np.cos(np.arange(y.size)).reshape(y.shape).astype(dtype)
        gradients = paddle.grad((y * paddle.to_tensor(weights)).sum(), xs, create_graph=case.order > 1)
        found += gradients
    if case.order > 1:
        sum((g * g).sum() for g in gradients).backward()
        found += [x.grad for x in xs if x.grad is not None]
    return [value.detach().numpy() for value in found]


def error(ours, theirs):
    """Largest relative error, in norm; infinite where shapes, types or numbers of results differ."""
    if [(a.shape, a.dtype) for a in ours] != [(b.shape, b.dtype) for b in theirs]:
        return np.inf
    errors = [0.0]
    for a, b in zip(ours, theirs):
        if b.dtype.kind != "f":
            errors.append(0.0 if (a == b).all() else np.inf)
        else:
            same = (a == b) | (np.isnan(a) & np.isnan(b))  # also infinities
            if not np.isfinite(a[~same]).all() or not np.isfinite(b[~same]).all():
                return np.inf
            errors.append(np.linalg.norm((a - b)[~same]) / max(np.linalg.norm(b[np.isfinite(b)]), 1e-12))
    return max(errors)


def expected(case, stored):
    """The references of a case, of a file that `save` wrote."""
    found = []
    while f"{case.name}/{len(found)}" in stored:
        found.append(stored[f"{case.name}/{len(found)}"])
    return found


def compare(case, stored):
    """Error of a case against the references."""
    return error(evaluate(case), expected(case, stored))


def compare_float32(case, stored):
    """Error of a case computed in float32."""
    ours = evaluate(case, "float32")
    wide = [a.astype("float64") if a.dtype == "float32" else a for a in ours]
    return error(wide, expected(case, stored)) if {str(a.dtype) for a in ours} <= {"float32"} else np.inf


def save(path):
    """Write what Paddle's CPU kernels give into an .npz file."""
    values = {}
    for case in cases():
        values |= {f"{case.name}/{i}": value for i, value in enumerate(evaluate(case))}
    np.savez_compressed(path, **values)


def main():
    """Save references, or compare with them; the exit status says whether an operator differs."""
    parser = argparse.ArgumentParser(prog="python -m paddle_aten.tests.operators", description=__doc__.splitlines()[0])
    files = parser.add_mutually_exclusive_group(required=True)
    files.add_argument("--save", metavar="FILE", help="write references from Paddle's CPU kernels")
    files.add_argument("--load", metavar="FILE", help="compare the device with them")
    files = parser.parse_args()
    if files.save:
        return save(files.save)

    import paddle_aten

    paddle_aten.load()
    import paddle

    paddle.set_device("aten")
    paddle_aten.set_tf32(False)
    stored, table, failed = np.load(files.load), cases(), 0
    for case in table:
        try:
            wrong = compare(case, stored)
            verdict = f"{wrong:.1e}"
        except Exception as exception:  # of many kinds; the other operators still count
            wrong, verdict = np.inf, str(exception).strip().splitlines()[-1]
        differs = not wrong < case.tolerance
        failed += differs
        print(f"{'DIFFERS' if differs else 'equal  '} {case.name:40} {verdict}", flush=True)
    print(f"{failed} of {len(table)} operators differ on {paddle_aten.device_name()}")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
