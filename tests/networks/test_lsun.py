"""The seven pairs of Figure 2 and the deep ResNet: parameter counts, depth, refusals."""

import paddle
import pytest
from random_layers import parameter_count

import wgangp
from wgangp import layers
from wgangp.networks import lsun


def test_parameter_counts_of_figure_2():
    # by hand: 5x5 kernels, two values per normalised channel, the linear layers
    widths, convs = [3, 64, 128, 256, 512], 0
    for a, b in zip(widths[:-1], widths[1:], strict=True):
        convs += 25 * a * b
    generator, critic = lsun.pair("dcgan")
    assert parameter_count(critic) == convs + (64 + 128 + 256 + 512) + 2 * (128 + 256 + 512) + 8192 + 1
    assert parameter_count(generator) == 128 * 8192 + 8192 + convs + (256 + 128 + 64 + 3) + 2 * (512 + 256 + 128 + 64)
    bare = lsun.pair("no_normalisation", "layer")
    assert parameter_count(generator) - parameter_count(bare[0]) == 2 * (512 + 256 + 128 + 64)
    assert parameter_count(critic) - parameter_count(bare[1]) == 2 * (128 + 256 + 512)
    assert parameter_count(lsun.pair("mlp")[0]) == 129 * 512 + 3 * 513 * 512 + 513 * 12288
    assert parameter_count(lsun.pair("constant_filters")[0]) == 129 * 1024 + 3 * (25 * 64 + 1) * 64 + 25 * 64 * 3 + 3


def test_the_deep_resnet_has_101_layers():
    kinds = (paddle.nn.Linear, layers.Conv2D, layers.Deconv2D)
    for network in lsun.pair("resnet101", dim=4):
        on_path = [
            name for name, part in network.named_sublayers() if isinstance(part, kinds) and "shortcut" not in name
        ]
        assert len(network.blocks) == 33
        assert len(on_path) == 33 * 3 + 2 == 101


def test_unknown_names_and_sizes_are_refused():
    for arguments in (("vgg",), ("dcgan", "group"), ("dcgan", "layer", 4, 48)):
        with pytest.raises(wgangp.InputError):
            lsun.pair(*arguments)
    with pytest.raises(wgangp.InputError):
        lsun.DeepCritic(size=32)
