"""Convolutions against TensorFlow's definition in numpy."""

import numpy as np
import paddle
import pytest
from random_layers import double, normal

from wgangp import layers


def same_convolution(x, kernel, stride):
    """TensorFlow's SAME convolution by its definition: ceil(n / stride) outputs, the odd zero behind."""
    k, side = kernel.shape[2], x.shape[2]
    out = -(-side // stride)
    zeros = max((out - 1) * stride + k - side, 0)
    x = np.pad(x, [(0, 0), (0, 0)] + [(zeros // 2, zeros - zeros // 2)] * 2)
    result = np.zeros([len(x), len(kernel), out, out])
    for i in range(out):
        for j in range(out):
            window = x[:, :, i * stride : i * stride + k, j * stride : j * stride + k]
            result[:, :, i, j] = np.einsum("nchw,ochw->no", window, kernel)
    return result


@pytest.mark.parametrize("side, k, stride", [(8, 5, 2), (7, 5, 2), (8, 3, 2), (8, 3, 1), (8, 1, 2), (6, 1, 1)])
def test_convolution_pads_as_tensorflow(side, k, stride):
    conv, x = double(layers.Conv2D(3, 4, k, stride)), normal([2, 3, side, side])
    expected = same_convolution(x, conv.weight.numpy(), stride) + conv.bias.numpy()[:, None, None]
    np.testing.assert_allclose(conv(paddle.to_tensor(x)).numpy(), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("k", [3, 5])
@pytest.mark.parametrize("side", [4, 7])
def test_deconvolution_is_the_transpose_of_the_convolution(side, k):
    deconv = double(layers.Deconv2D(4, 3, k))
    deconv.bias.set_value(paddle.zeros([3], "float64"))
    x, y = normal([2, 3, 2 * side, 2 * side]), paddle.to_tensor(normal([2, 4, side, side], 1), stop_gradient=False)
    image = deconv(y)
    assert image.shape == list(x.shape)
    product = (image * paddle.to_tensor(x)).sum()
    assert float(product) == pytest.approx((same_convolution(x, deconv.weight.numpy(), 2) * y.numpy()).sum(), rel=1e-12)
    to_y, to_weight = (g.numpy() for g in paddle.grad(product, [y, deconv.weight]))
    np.testing.assert_allclose(to_y, same_convolution(x, deconv.weight.numpy(), 2), atol=1e-12)
    other = normal(to_weight.shape, 2)
    assert (to_weight * other).sum() == pytest.approx((same_convolution(x, other, 2) * y.numpy()).sum(), rel=1e-11)
