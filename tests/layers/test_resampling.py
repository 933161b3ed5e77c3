"""Convolutions that resample against the plain forms."""

import numpy as np
import paddle
import paddle.nn.functional as F
import pytest
from random_layers import double, normal

from wgangp import layers, losses


def plain_conv_mean_pool(layer, x):
    return F.avg_pool2d(F.conv2d(x, layer.weight, layer.bias, padding=layer.kernel_size // 2), 2)


def plain_upsample_conv(layer, x):
    larger = F.interpolate(x, scale_factor=2, mode="nearest")
    return F.conv2d(larger, layer.weight, layer.bias, padding=layer.kernel_size // 2)


def value_and_gradients(layer, function, x):
    x = paddle.to_tensor(x, stop_gradient=False)
    y = function(x)
    return [y, *paddle.grad(y.tanh().sum(), [x, *layer.parameters()])]


@pytest.mark.parametrize("k", [1, 3, 5])
@pytest.mark.parametrize(
    "kind, plain", [(layers.ConvMeanPool, plain_conv_mean_pool), (layers.UpsampleConv, plain_upsample_conv)]
)
def test_resampling_convolutions_equal_the_plain_form(kind, plain, k):
    layer, x = double(kind(3, 4, k)), normal([2, 3, 8, 8])
    ours = value_and_gradients(layer, layer, x)
    theirs = value_and_gradients(layer, lambda x: plain(layer, x), x)
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("k", [1, 3])
def test_conv_mean_pool_has_the_plain_form_s_second_derivatives(k):
    layer, x = double(layers.ConvMeanPool(3, 4, k)), normal([2, 3, 8, 8])
    gradients = []
    for function in (layer, lambda x: plain_conv_mean_pool(layer, x)):
        norms = losses.gradient_norms(lambda x, f=function: f(x).tanh().sum([1, 2, 3]), paddle.to_tensor(x))
        gradients.append(paddle.grad(norms.square().sum(), layer.weight)[0].numpy())
    np.testing.assert_allclose(*gradients, rtol=1e-12, atol=1e-12)


def test_subpixel_convolution_is_depth_to_space():
    layer, x = double(layers.SubpixelConv2D(3, 2, 1)), paddle.to_tensor(normal([2, 3, 4, 4]))
    depth = F.conv2d(x, layer.weight, layer.bias).numpy()
    image = layer(x).numpy()
    for i in range(2):
        for j in range(2):  # TensorFlow: block-major channels
            block = 2 * i + j
            np.testing.assert_array_equal(image[:, :, i::2, j::2], depth[:, 2 * block : 2 * block + 2])
