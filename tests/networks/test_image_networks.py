"""The image networks: parameter counts, shapes, second derivatives, training."""

import numpy as np
import paddle
import paddle.nn.functional as F
import pytest

import wgangp
from wgangp import layers, losses
from wgangp.networks import cifar, fields, lsun, mnist


def parameters(network):
    return sum(int(np.prod(p.shape)) for p in network.parameters())


@pytest.mark.parametrize(
    "build, count",
    [
        (mnist.mnist_generator, 1_554_177),
        (mnist.mnist_critic, 1_030_145),
        (cifar.dcgan_generator, 5_179_907),
        (cifar.dcgan_critic, 4_114_689),
        (lambda: cifar.dcgan_critic(batch_norm=True), 4_114_689 + 1_536),
        (lambda: fields.field_critic(32, 128, channels=3), 4_114_689),  # gan_cifar.py's
        (lambda: fields.field_critic(32, 128, channels=3, batch_norm=True), 4_114_689 + 1_536),
        (lambda: fields.field_generator(32, 128, channels=3), 5_179_907 - 2 * 15 * 512),  # one norm per channel
        (cifar.ResNetGenerator, 1_204_483),
        (lambda: cifar.ResNetGenerator(classes=10), 1_218_307),
        (cifar.ResNetCritic, 1_053_825),
        (lambda: cifar.ResNetCritic(classes=10), 1_053_825 + 1_290),
    ],
)
def test_parameter_counts_are_the_authors(build, count):
    assert parameters(build()) == count


def test_parameter_counts_of_figure_2():
    # by hand: 5x5 kernels, two values per normalised channel, the linear layers
    widths, convs = [3, 64, 128, 256, 512], 0
    for a, b in zip(widths[:-1], widths[1:], strict=True):
        convs += 25 * a * b
    generator, critic = lsun.pair("dcgan")
    assert parameters(critic) == convs + (64 + 128 + 256 + 512) + 2 * (128 + 256 + 512) + 8192 + 1
    assert parameters(generator) == 128 * 8192 + 8192 + convs + (256 + 128 + 64 + 3) + 2 * (512 + 256 + 128 + 64)
    bare = lsun.pair("no_normalisation", "layer")
    assert parameters(generator) - parameters(bare[0]) == 2 * (512 + 256 + 128 + 64)
    assert parameters(critic) - parameters(bare[1]) == 2 * (128 + 256 + 512)
    assert parameters(lsun.pair("mlp")[0]) == 129 * 512 + 3 * 513 * 512 + 513 * 12288
    assert parameters(lsun.pair("constant_filters")[0]) == 129 * 1024 + 3 * (25 * 64 + 1) * 64 + 25 * 64 * 3 + 3


def test_the_deep_resnet_has_101_layers():
    kinds = (paddle.nn.Linear, layers.Conv2D, layers.Deconv2D)
    for network in lsun.pair("resnet101", dim=4):
        on_path = [
            name for name, part in network.named_sublayers() if isinstance(part, kinds) and "shortcut" not in name
        ]
        assert len(network.blocks) == 33
        assert len(on_path) == 33 * 3 + 2 == 101


def conv(x, layer):
    return F.conv2d(x, layer.weight, layer.bias, padding=layer.kernel_size // 2)


def batch_norm(x, layer, labels=None):
    scale, offset = (p[None] if labels is None else p[labels] for p in (layer.scale.numpy(), layer.offset.numpy()))
    mean, variance = x.mean([0, 2, 3], keepdim=True), x.var([0, 2, 3], unbiased=False, keepdim=True)
    return (x - mean) / (variance + 1e-5).sqrt() * scale[:, :, None, None] + offset[:, :, None, None]


def test_table_3_s_generator_is_the_authors_written_plainly():
    generator = random_double(cifar.ResNetGenerator(4, classes=10))
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
    critic = random_double(cifar.ResNetCritic(4, classes=10))
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


def random_double(network):
    network.to(dtype="float64")
    for parameter in network.parameters():
        parameter.set_value(parameter + 0.1 * paddle.randn(parameter.shape, "float64"))
    return network


def two_deep(size):
    return lsun.DeepGenerator(1, size), lsun.DeepCritic(1, size)


# Small enough for float64 second derivatives; the GP's version of each critic.
TINY = {
    "mnist": (lambda: (mnist.mnist_generator(2), mnist.mnist_critic(2)), [1, 28, 28]),
    "cifar dcgan": (lambda: (cifar.dcgan_generator(2), cifar.dcgan_critic(2)), [3, 32, 32]),
    "cifar resnet": (lambda: (cifar.ResNetGenerator(4), cifar.ResNetCritic(4)), [3, 32, 32]),
    **{f"lsun {name}": (lambda name=name: lsun.pair(name, "layer", 4, 16), [3, 16, 16]) for name in lsun.NAMES},
    "lsun good": (lambda: (lsun.GoodGenerator(2), lsun.GoodCritic(2)), [3, 64, 64]),
    "lsun deep 64": (lambda: two_deep(64), [3, 64, 64]),
    "lsun deep 128": (lambda: two_deep(128), [3, 128, 128]),
}


@pytest.fixture(params=TINY)
def tiny(request):
    paddle.seed(1)
    build, shape = TINY[request.param]
    return *build(), shape


def test_shapes_and_ranges(tiny):
    generator, critic, shape = tiny
    with paddle.no_grad():
        images = generator(3 * paddle.randn([3, generator.latent_dim]))
        assert images.shape == [3, *shape]
        low = 0 if shape[0] == 1 else -1
        assert low <= float(images.min()) < float(images.max()) <= 1
        assert critic(images).shape == [3]


def check_gradient_of_penalty(critic, shape):
    """The penalty's gradient along random directions of all parameters against central differences."""
    critic.to(dtype="float64")
    generator = np.random.default_rng(0)

    def normal(shape):
        return paddle.to_tensor(generator.standard_normal(shape))

    for parameter in critic.parameters():
        parameter.set_value(parameter + 0.05 * normal(parameter.shape))
    x = 0.5 * normal([3, *shape])

    def penalty():
        return losses.penalty_from_norms(losses.gradient_norms(critic, x))

    gradients = paddle.grad(penalty(), critic.parameters(), allow_unused=True)
    values = [p.clone() for p in critic.parameters()]
    step = 1e-7
    for _ in range(2):
        directions = [normal(value.shape) for value in values]
        along = sum(float((g * d).sum()) for g, d in zip(gradients, directions, strict=True) if g is not None)
        ends = []
        for sign in (1, -1):
            for parameter, value, direction in zip(critic.parameters(), values, directions, strict=True):
                parameter.set_value(value + sign * step * direction)
            ends.append(float(penalty()))
        assert along == pytest.approx((ends[0] - ends[1]) / (2 * step), rel=1e-5)
        assert abs(along) > 1e-6


def test_penalty_s_gradient_against_central_differences(tiny):
    _, critic, shape = tiny
    check_gradient_of_penalty(critic, shape)


def results_of(generator, critic, z, real):
    """Images, scores, the penalty's and the generator's gradients."""
    images = generator(z)
    penalty = losses.gradient_penalty(critic, real, images.detach(), paddle.full([z.shape[0], 1, 1, 1], 0.3, "float64"))
    gradients = paddle.grad(penalty, critic.parameters(), allow_unused=True)
    gradients += paddle.grad(critic(images).sum(), generator.parameters(), allow_unused=True)
    return [images, critic(images), penalty, *(g for g in gradients if g is not None)]


def test_channels_last_inside_does_not_show(tiny):
    generator, critic, shape = tiny
    for network in (generator, critic):
        random_double(network)
    z, real = paddle.randn([3, generator.latent_dim], "float64"), paddle.randn([3, *shape], "float64")
    plain = results_of(generator, critic, z, real)
    for network in (generator, critic):
        layers.use_channels_last(network)
    last = results_of(generator, critic, z, real)
    assert len(plain) == len(last) > 10
    for a, b in zip(plain, last, strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-9, atol=1e-11 * max(1, float(a.abs().max())))


def test_channels_last_with_labels():
    generator = random_double(cifar.ResNetGenerator(4, classes=10))
    z, labels = paddle.randn([4, 128], "float64"), paddle.to_tensor([3, 1, 4, 1])
    plain = generator(z, labels).numpy()
    layers.use_channels_last(generator)
    np.testing.assert_allclose(generator(z, labels).numpy(), plain, atol=1e-12)


def test_batch_norm_can_be_differentiated_twice_where_it_is_allowed():
    paddle.seed(1)
    check_gradient_of_penalty(cifar.dcgan_critic(2, batch_norm=True), [3, 32, 32])


def test_two_steps_of_training(tiny):
    generator, critic, shape = tiny
    before = [p.numpy().copy() for network in (generator, critic) for p in network.parameters()]
    gan = wgangp.WGAN_GP(generator, critic, critic_iters=1)
    data = np.random.default_rng(0).random([8, *shape], dtype="float32")
    history = gan.train(data, batch_size=8, iterations=2, g_learning_rate=1e-3, d_learning_rate=1e-3, progress=None)
    assert np.isfinite(history["critic_loss"]).all() and len(history) == 2
    after = [p.numpy() for network in (generator, critic) for p in network.parameters()]
    moved = sum(bool((a != b).any()) for a, b in zip(before, after, strict=True))
    assert moved >= 0.9 * len(before)  # biases before a normalisation have no gradient but rounding
    assert gan.generate(3).shape == (3, *shape)


def test_critics_of_the_other_methods_have_batch_norm_and_the_penalty_refuses_it():
    for generator, critic in (
        (cifar.dcgan_generator(2), cifar.dcgan_critic(2, batch_norm=True)),
        (mnist.mnist_generator(2, batch_norm=True), mnist.mnist_critic(2, batch_norm=True)),
        lsun.pair("gated", "batch", 4, 16),
    ):
        assert wgangp.DCGAN(generator, critic).scores_in_one_call is False
        with pytest.raises(wgangp.InputError, match="batch normalisation"):
            wgangp.WGAN_GP(generator, critic)


def test_first_batch_norm_is_per_unit_except_for_lsun():
    assert cifar.dcgan_generator(2).norms[0].scale.shape == [16 * 8]
    assert mnist.mnist_generator(2, batch_norm=True).norms[0].scale.shape == [16 * 8]
    assert lsun.pair("dcgan", dim=2)[0].norms[0].scale.shape == [16]


def test_unknown_names_are_refused():
    for arguments in (("vgg",), ("dcgan", "group"), ("dcgan", "layer", 4, 48)):
        with pytest.raises(wgangp.InputError):
            lsun.pair(*arguments)
    with pytest.raises(wgangp.InputError):
        lsun.DeepCritic(size=32)


def test_training_draws_in_sub_batches_and_sampling_does_not():
    paddle.seed(2)
    generator = cifar.ResNetGenerator(4)
    gan = wgangp.WGAN_GP(generator, cifar.ResNetCritic(4))
    z = paddle.randn([8, 128])
    with paddle.no_grad():
        drawn = np.concatenate([fake.numpy() for fake in gan.in_batches([8], z)])
        several = np.concatenate([fake.numpy() for fake in gan.in_batches([4, 4], z)])
        quarters = np.concatenate([generator(part).numpy() for part in z.split(4)])
        halves = np.concatenate([generator(z[:4]).numpy(), generator(z[4:]).numpy()])
        whole = generator(z).numpy()
    np.testing.assert_allclose(drawn, halves, atol=1e-5)
    np.testing.assert_allclose(several, quarters, atol=1e-5)
    assert np.abs(drawn - whole).max() > 1e-3
    gan.batch_size = 8
    paddle.seed(5)
    z = paddle.randn([8, 128])
    with paddle.no_grad():
        np.testing.assert_array_equal(gan.generate(8, seed=5), generator(z).numpy())
    with pytest.raises(wgangp.InputError, match="sub-batches"):
        gan.in_batches([7], z[:7])
    with pytest.raises(wgangp.InputError, match="a batch of 3 "):
        gan.in_batches([4, 3], z[:7])
