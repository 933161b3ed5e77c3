"""The layers against explicit sums in numpy, and the 4x4 forms against the plain ones."""

import math

import numpy as np
import paddle
import paddle.nn.functional as F
import pytest

import wgangp
from wgangp import double_backward, layers


def double(layer):
    """The layer in float64 with every parameter random, biases and scales too."""
    layer.to(dtype="float64")
    for parameter in layer.parameters():
        parameter.set_value(parameter + 0.3 * paddle.randn(parameter.shape, "float64"))
    return layer


def normal(shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


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
        norms = wgangp.losses.gradient_norms(lambda x, f=function: f(x).tanh().sum([1, 2, 3]), paddle.to_tensor(x))
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


def test_gate():
    x = normal([2, 6, 3, 3])
    expected = np.tanh(x[:, 1::2]) / (1 + np.exp(-x[:, ::2]))
    np.testing.assert_allclose(layers.Gate()(paddle.to_tensor(x)).numpy(), expected, atol=1e-14)


@pytest.mark.parametrize(
    "layer, std",
    [
        (layers.Conv2D(64, 32, 3), math.sqrt(4 / (64 * 9 + 32 * 9))),
        (layers.Conv2D(64, 32, 3, he_init=False), math.sqrt(2 / (64 * 9 + 32 * 9))),
        (layers.Conv2D(32, 64, 5, stride=2), math.sqrt(4 / (32 * 25 + 64 * 25 / 4))),
        (layers.UpsampleConv(32, 64, 3, gain=0.5), 0.5 * math.sqrt(4 / (32 * 9 + 64 * 9))),
        (layers.SubpixelConv2D(64, 32, 1, he_init=False), math.sqrt(2 / (64 + 4 * 32))),
        (layers.Deconv2D(64, 32), math.sqrt(4 / (64 * 25 / 4 + 32 * 25))),
        (layers.Deconv2D(64, 32, std=0.02), 0.02),
        (layers.uniform_linear(100, 80), math.sqrt(2 / 180)),
    ],
)
def test_initial_weights_are_uniform_with_the_authors_fans(layer, std):
    weight = layer.weight.numpy()
    assert weight.std() == pytest.approx(std, rel=0.05)
    assert np.abs(weight).max() == pytest.approx(std * math.sqrt(3), rel=0.01)
    assert np.abs(weight).max() <= std * math.sqrt(3) * 1.000001
    assert not layer.bias.numpy().any()


@pytest.mark.parametrize("shape", [[8, 5], [4, 5, 3, 3]])
def test_batch_norm_uses_the_batch_s_statistics_in_training_and_in_sampling(shape):
    layer, x = double(layers.BatchNorm(5)), 3 + 2 * normal(shape)
    axes = (0,) if len(shape) == 2 else (0, 2, 3)
    wide = [1, 5] + [1] * (len(shape) - 2)
    expected = (x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True) + 1e-5)
    expected = expected * layer.scale.numpy().reshape(wide) + layer.offset.numpy().reshape(wide)
    for mode in (layer.train, layer.eval):
        mode()
        np.testing.assert_allclose(layer(paddle.to_tensor(x)).numpy(), expected, atol=1e-12)
    assert set(layer.state_dict()) == {"scale", "offset"}
    assert not layer.zeros.numpy().any() and (layer.ones.numpy() == 1).all()


def test_conditional_batch_norm_has_a_scale_and_an_offset_per_class():
    layer, x = double(layers.ConditionalBatchNorm(5, 3)), normal([4, 5, 3, 3])
    labels = np.array([2, 0, 2, 1])
    expected = (x - x.mean((0, 2, 3), keepdims=True)) / np.sqrt(x.var((0, 2, 3), keepdims=True) + 1e-5)
    expected = expected * layer.scale.numpy()[labels][:, :, None, None] + layer.offset.numpy()[labels][:, :, None, None]
    y = layer(paddle.to_tensor(x), paddle.to_tensor(labels))
    np.testing.assert_allclose(y.numpy(), expected, atol=1e-12)
    assert {name: value.shape for name, value in layer.state_dict().items()} == {"scale": [3, 5], "offset": [3, 5]}


def test_layer_norm():
    layer, x = double(layers.LayerNorm(5)), 3 + 2 * normal([4, 5, 3, 3])
    expected = (x - x.mean((1, 2, 3), keepdims=True)) / np.sqrt(x.var((1, 2, 3), keepdims=True) + 1e-5)
    expected = expected * layer.scale.numpy()[:, None, None] + layer.offset.numpy()[:, None, None]
    np.testing.assert_allclose(layer(paddle.to_tensor(x)).numpy(), expected, atol=1e-12)


def test_batch_norm_is_recognised_in_a_critic():
    for layer, has in (
        (layers.BatchNorm(3), True),
        (layers.ConditionalBatchNorm(3), True),
        (layers.LayerNorm(3), False),
    ):
        assert double_backward.has_batch_norm(paddle.nn.Sequential(layers.Conv2D(3, 3, 3), layer)) is has
