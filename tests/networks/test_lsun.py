"""The seven pairs of Figure 2 and the deep ResNet: parameter counts, depth, refusals."""

import numpy as np
import paddle
import paddle.nn.functional as F
import pytest
from random_layers import double, normal, parameter_count

import wgangp
from wgangp import layers
from wgangp.layers import BatchNorm, Conv2D, Deconv2D
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


@pytest.mark.parametrize("resample, kind, size", [(None, Conv2D, 6), ("up", Deconv2D, 12), ("down", Conv2D, 3)])
def test_a_bottleneck_block_is_three_convolutions_and_a_shortcut(resample, kind, size):
    channels = (4, 4) if resample is None else (4, 6)
    block = double(lsun.BottleneckBlock(*channels, resample, BatchNorm))
    x = paddle.to_tensor(normal([3, 4, 6, 6]))
    assert type(block.conv) is kind and block.conv.weight.shape[2:] == [3, 3]
    assert sorted(block.reduce.weight.shape) == [1, 1, 2, 4] and block.expand.bias is None
    branch = block.norm(block.expand(F.relu(block.conv(F.relu(block.reduce(F.relu(x)))))))
    expected = block.shortcut(x) + 0.3 * branch
    assert expected.shape == [3, channels[1], size, size]
    np.testing.assert_allclose(block(x).numpy(), expected.numpy(), atol=1e-12)
