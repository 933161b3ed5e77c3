"""The residual block of each kind against its plain form."""

import numpy as np
import paddle
import paddle.nn.functional as F
import pytest
from random_layers import double, normal

from wgangp.layers import BatchNorm, ConditionalBatchNorm, LayerNorm
from wgangp.networks.resnet import ResidualBlock


def larger(x):
    return F.interpolate(x, scale_factor=2, mode="nearest")


def smaller(x):
    return F.avg_pool2d(x, 2)


def conv(layer, x):
    return F.conv2d(x, layer.weight, layer.bias, padding=layer.kernel_size // 2)


@pytest.mark.parametrize("norm", [None, BatchNorm, LayerNorm, lambda channels: ConditionalBatchNorm(channels, 3)])
@pytest.mark.parametrize("resample", [None, "up", "down"])
def test_a_block_is_two_convolutions_and_a_shortcut(resample, norm):
    channels = (4, 4) if resample is None else (4, 6)
    block, x = double(ResidualBlock(*channels, resample, norm)), paddle.to_tensor(normal([3, 4, 6, 6]))
    labels = [paddle.to_tensor([2, 0, 1])] if isinstance(block.norm1, ConditionalBatchNorm) else []
    before, after, shortcut = {
        None: (lambda y: y, lambda y: y, lambda x: x),
        "up": (larger, lambda y: y, lambda x: conv(block.shortcut, larger(x))),
        "down": (lambda y: y, smaller, lambda x: conv(block.shortcut, smaller(x))),
    }[resample]
    y = conv(block.conv1, before(F.relu(block.norm1(x, *labels))))
    y = after(conv(block.conv2, F.relu(block.norm2(y, *labels))))
    np.testing.assert_allclose(block(x, *labels).numpy(), (shortcut(x) + y).numpy(), atol=1e-11)


def test_a_strided_block_steps_by_two_pixels_in_place_of_the_pool():
    block, x = double(ResidualBlock(4, 6, "down", strided=True)), paddle.to_tensor(normal([3, 4, 6, 6]))
    y = F.relu(conv(block.conv1, F.relu(x)))
    y = F.conv2d(y, block.conv2.weight, block.conv2.bias, stride=2, padding=[0, 1, 0, 1])  # TensorFlow's SAME
    expected = conv(block.shortcut, smaller(x)) + y
    np.testing.assert_allclose(block(x).numpy(), expected.numpy(), atol=1e-11)
