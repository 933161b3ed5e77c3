"""The linear layer against numpy."""

import numpy as np
import paddle
from random_layers import double, normal

from wgangp import layers


def test_linear_layer_and_its_gradients():
    layer, x, dy = double(layers.uniform_linear(5, 3)), normal([4, 5]), normal([4, 3], 1)
    given = paddle.to_tensor(x, stop_gradient=False)
    y = layer(given)
    np.testing.assert_allclose(y.numpy(), x @ layer.weight.numpy() + layer.bias.numpy(), atol=1e-14)
    gradients = paddle.grad((y * paddle.to_tensor(dy)).sum(), [given, layer.weight, layer.bias])
    for gradient, expected in zip(gradients, (dy @ layer.weight.numpy().T, x.T @ dy, dy.sum(0)), strict=True):
        np.testing.assert_allclose(gradient.numpy(), expected, atol=1e-14)


def test_linear_layer_without_a_bias():
    layer, x = layers.Linear(5, 3, bias_attr=False), paddle.randn([4, 5])
    np.testing.assert_array_equal(layer(x).numpy(), (x @ layer.weight).numpy())
