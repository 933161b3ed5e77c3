"""What all image networks have in common: shapes, second derivatives, memory layouts, training."""

import numpy as np
import paddle
import pytest
from random_layers import double

import wgangp
from wgangp import layers, losses
from wgangp.networks import cifar, lsun, mnist


def two_deep(size):
    return lsun.DeepGenerator(1, size), lsun.DeepCritic(1, size)


# Small enough for float64 second derivatives; the GP's version of each critic.
TINY = {
    "mnist": (lambda: (mnist.mnist_generator(2), mnist.mnist_critic(2)), [1, 28, 28]),
    "cifar dcgan": (lambda: (cifar.dcgan_generator(2), cifar.dcgan_critic(2)), [3, 32, 32]),
    "cifar resnet": (lambda: (cifar.ResNetGenerator(4), cifar.ResNetCritic(4)), [3, 32, 32]),
    **{f"lsun {name}": (lambda name=name: lsun.pair(name, "layer", 4, 16), [3, 16, 16]) for name in lsun.NAMES},
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
        double(network)
    z, real = paddle.randn([3, generator.latent_dim], "float64"), paddle.randn([3, *shape], "float64")
    plain = results_of(generator, critic, z, real)
    for network in (generator, critic):
        layers.use_channels_last(network)
    last = results_of(generator, critic, z, real)
    assert len(plain) == len(last) > 10
    for a, b in zip(plain, last, strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-9, atol=1e-11 * max(1, float(a.abs().max())))


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
