"""Initial weights have the authors' distribution."""

import math

import numpy as np
import pytest

from wgangp import layers


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
