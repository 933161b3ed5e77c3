"""Table 3's and Figure 3's networks: parameter counts, and the authors' equations written plainly."""

import numpy as np
import paddle
import paddle.nn.functional as F
import pytest
from random_layers import double, parameter_count

from wgangp import layers
from wgangp.networks import cifar


@pytest.mark.parametrize(
    "build, count",
    [
        (cifar.dcgan_generator, 5_179_907),
        (cifar.dcgan_critic, 4_114_689),
        (lambda: cifar.dcgan_critic(batch_norm=True), 4_114_689 + 1_536),
        (cifar.ResNetGenerator, 1_204_483),
        (lambda: cifar.ResNetGenerator(classes=10), 1_218_307),
        (cifar.ResNetCritic, 1_053_825),
        (lambda: cifar.ResNetCritic(classes=10), 1_053_825 + 1_290),
    ],
)
def test_parameter_counts_are_the_authors(build, count):
    assert parameter_count(build()) == count


def conv(x, layer):
    return F.conv2d(x, layer.weight, layer.bias, padding=layer.kernel_size // 2)


def batch_norm(x, layer, labels=None):
    scale, offset = (p[None] if labels is None else p[labels] for p in (layer.scale.numpy(), layer.offset.numpy()))
    mean, variance = x.mean([0, 2, 3], keepdim=True), x.var([0, 2, 3], unbiased=False, keepdim=True)
    return (x - mean) / (variance + 1e-5).sqrt() * scale[:, :, None, None] + offset[:, :, None, None]


def test_table_3_s_generator_is_the_authors_written_plainly():
    generator = double(cifar.ResNetGenerator(4, classes=10))
    z, labels = paddle.randn([6, 128], "float64"), np.array([3, 1, 4, 1, 5, 9])
    x = generator.linear(z).reshape([6, 4, 4, 4])
    for block in generator.blocks:
        larger = F.interpolate(x, scale_factor=2)
        y = F.interpolate(F.relu(batch_norm(x, block.norm1, labels)), scale_factor=2)
        y = F.relu(batch_norm(conv(y, block.conv1), block.norm2, labels))
        x = conv(larger, block.shortcut) + conv(y, block.conv2)
    x = F.tanh(conv(F.relu(batch_norm(x, generator.norm)), generator.conv))
    ours = generator(z, paddle.to_tensor(labels))
    np.testing.assert_allclose(ours.numpy(), x.numpy(), atol=1e-11)


def test_table_3_s_critic_is_the_authors_written_plainly():
    critic = double(cifar.ResNetCritic(4, classes=10))
    x = images = paddle.randn([2, 3, 32, 32], "float64")
    first, down, *plain = critic.blocks
    shortcut = conv(F.avg_pool2d(x, 2), first.shortcut)
    x = shortcut + F.avg_pool2d(conv(F.relu(conv(x, first.conv1)), first.conv2), 2)
    shortcut = F.avg_pool2d(conv(x, down.shortcut), 2)
    x = shortcut + F.avg_pool2d(conv(F.relu(conv(F.relu(x), down.conv1)), down.conv2), 2)
    for block in plain:
        x = x + conv(F.relu(conv(F.relu(x), block.conv1)), block.conv2)
    features = F.relu(x).mean([2, 3])
    scores, logits = critic.heads(images)
    np.testing.assert_allclose(scores.numpy(), critic.score(features).numpy()[:, 0], atol=1e-11)
    np.testing.assert_allclose(logits.numpy(), critic.classifier(features).numpy(), atol=1e-11)
    np.testing.assert_array_equal(critic(images).numpy(), scores.numpy())


def test_channels_last_with_labels():
    generator = double(cifar.ResNetGenerator(4, classes=10))
    z, labels = paddle.randn([4, 128], "float64"), paddle.to_tensor([3, 1, 4, 1])
    plain = generator(z, labels).numpy()
    layers.use_channels_last(generator)
    np.testing.assert_allclose(generator(z, labels).numpy(), plain, atol=1e-12)
