"""The gate against numpy; the fused ReLU against the plain one."""

import numpy as np
import paddle
from random_layers import double, normal

from wgangp import layers


def test_gate():
    x = normal([2, 6, 3, 3])
    expected = np.tanh(x[:, 1::2]) / (1 + np.exp(-x[:, ::2]))
    np.testing.assert_allclose(layers.Gate()(paddle.to_tensor(x)).numpy(), expected, atol=1e-14)


def test_rectified_is_the_relu_of_the_normalised():
    x, labels = paddle.to_tensor(normal([4, 5, 3, 3])), paddle.to_tensor([2, 0, 2, 1])
    norms = (layers.BatchNorm(5), []), (layers.ConditionalBatchNorm(5, 3), [labels]), (layers.LayerNorm(5), [])
    for norm, given in norms:
        expected = np.maximum(double(norm)(x, *given).numpy(), 0)
        np.testing.assert_array_equal(layers.norm_relu(norm, x, *given).numpy(), expected)
