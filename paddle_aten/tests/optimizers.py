"""Paddle's optimizers on two small parameters."""

import numpy as np
import paddle

OPTIMIZERS = {
    "sgd": lambda p: paddle.optimizer.SGD(0.05, parameters=p),
    "momentum": lambda p: paddle.optimizer.Momentum(0.01, 0.9, parameters=p, use_nesterov=True),
    "rmsprop": lambda p: paddle.optimizer.RMSProp(0.01, rho=0.9, epsilon=1e-10, parameters=p),
    "rmsprop centred": lambda p: paddle.optimizer.RMSProp(0.01, momentum=0.5, centered=True, parameters=p),
    "adam": lambda p: paddle.optimizer.Adam(0.01, parameters=p),
    "adam of many": lambda p: paddle.optimizer.Adam(0.01, 0.0, 0.9, parameters=p, use_multi_tensor=True),
    "adam decaying": lambda p: paddle.optimizer.Adam(paddle.optimizer.lr.PolynomialDecay(0.01, 20), parameters=p),
    "adamw": lambda p: paddle.optimizer.AdamW(0.01, parameters=p, weight_decay=0.1),
    "clipped": lambda p: paddle.optimizer.Adam(0.01, parameters=p, grad_clip=paddle.nn.ClipGradByGlobalNorm(0.5)),
}
# Paddle's step over many tensors takes float32 alone.
CASES = [(name, "float32") for name in OPTIMIZERS]
CASES += [(name, "float64") for name in OPTIMIZERS if name != "adam of many"]


def optimised(name, dtype="float32", steps=20):
    """Two parameters after some steps, in one array."""
    random = np.random.default_rng(0)
    target = paddle.to_tensor(random.standard_normal((4, 5)).astype(dtype))
    parameters = []
    for shape in ([4, 5], [5]):
        parameters.append(paddle.create_parameter(shape, dtype))
        parameters[-1].set_value(random.standard_normal(shape).astype(dtype))
    w, v = parameters
    optimizer = OPTIMIZERS[name](parameters)
    for _ in range(steps):
        (((w + v - target) ** 2).sum() + (w**2 * v).sum() * 0.1).backward()
        optimizer.step()
        optimizer.clear_grad()
        if isinstance(optimizer._learning_rate, paddle.optimizer.lr.LRScheduler):
            optimizer._learning_rate.step()
    return np.concatenate([w.numpy().ravel(), v.numpy()])
