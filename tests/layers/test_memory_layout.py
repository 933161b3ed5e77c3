"""Layers with the channels last against the same with the channels first."""

import numpy as np
import paddle
import pytest
from random_layers import double, normal

from wgangp import layers

LAYERS = {
    "Conv2D": lambda: layers.Conv2D(4, 6, 5, stride=2),
    "ConvMeanPool": lambda: layers.ConvMeanPool(4, 6, 3),
    "UpsampleConv": lambda: layers.UpsampleConv(4, 6, 3),
    "Deconv2D": lambda: layers.Deconv2D(4, 6),
    "SubpixelConv2D": lambda: layers.SubpixelConv2D(4, 6, 3),
    "BatchNorm": lambda: layers.BatchNorm(4),
    "LayerNorm": lambda: layers.LayerNorm(4),
    "Gate": layers.Gate,
}


@pytest.mark.parametrize("name", LAYERS)
def test_channels_last_give_the_same_images(name):
    layer, x = double(LAYERS[name]()), paddle.to_tensor(normal([2, 4, 6, 8]))
    plain = layer(x).numpy()
    layers.use_channels_last(layer)
    last = layer(layer.enter(x))
    np.testing.assert_allclose(last.numpy(), plain.transpose(0, 2, 3, 1), atol=1e-12)
    np.testing.assert_array_equal(layer.leave(last).numpy(), last.numpy().transpose(0, 3, 1, 2))


def test_means_and_values_per_channel():
    layer, x = layers.ImageLayer(), normal([2, 4, 6, 8])
    for last in (False, True):
        layer.channels_last = last
        images = layer.enter(paddle.to_tensor(x))
        np.testing.assert_allclose(layer.mean_over_space(images).numpy(), x.mean((2, 3)), atol=1e-15)
        for values, wide in ((normal([4]), [1, 4, 1, 1]), (normal([2, 4]), [2, 4, 1, 1])):
            sum_of = layer.leave(images + layer.per_channel(paddle.to_tensor(values)))
            np.testing.assert_array_equal(sum_of.numpy(), x + values.reshape(wide))


def test_networks_of_others_are_left_alone():
    network = paddle.nn.Sequential(layers.Conv2D(3, 4, 3))
    layers.use_channels_last(network)
    assert not network[0].channels_last
