"""The set of Table 1, the draws from it and the networks built."""

from collections import Counter
from itertools import product

import numpy as np
import paddle
import pytest
from scipy import stats

from wgangp import DCGAN, WGAN_GP, InputError, double_backward
from wgangp.layers import leaky_relu
from wgangp.networks import random_architecture
from wgangp.networks.convolutional import ConvCritic, DeconvGenerator
from wgangp.networks.random_architecture import CHOICES, SIZE, Architecture, architecture, build, draw

PLAIN = Architecture("ReLU", "LeakyReLU", 4, 4, False, False, 32, 32)


def test_the_set_is_the_papers():
    everything = {architecture(index) for index in range(SIZE)}
    assert len(everything) == 4 * 4 * 4 * 4 * 2 * 2 * 3 * 3 == 9216
    assert everything == {Architecture(*choice) for choice in product(*CHOICES.values())}
    for index in (-1, SIZE):
        with pytest.raises(InputError, match=f"architecture {index} is not one of 0 to 9215"):
            architecture(index)


def chi_square_p(indices, cells):
    counts = np.bincount(indices, minlength=cells)
    return stats.chisquare(counts).pvalue


def test_draws_are_uniform():
    draws = np.concatenate([draw(200, seed) for seed in range(500)])
    assert 1e-3 < chi_square_p(draws, SIZE)  # 10.9 expected of each of the 9,216
    for i, (name, options) in enumerate(CHOICES.items()):
        positions = np.unravel_index(draws, [len(o) for o in CHOICES.values()])[i]
        assert 1e-3 < chi_square_p(positions, len(options)), name
    first = [draw(1, seed)[0] for seed in range(5000)]
    assert 1e-3 < chi_square_p(np.array(first) // 96, SIZE // 96)  # each position of the draw, not only all together
    biased = np.concatenate([draws, np.full(500, 7)])
    assert chi_square_p(biased, SIZE) < 1e-3


def test_fewer_are_the_first_of_more():
    many = draw(200)
    assert (draw(12) == many[:12]).all() and len(set(many)) == 200
    assert sorted(draw(SIZE)) == list(range(SIZE))


def test_softplus_against_its_formula():
    x = np.linspace(-30, 30, 301).astype("float32")
    expected = np.log1p(np.exp(2 * x.astype("float64") + 2)) / 2 - 1
    np.testing.assert_allclose(random_architecture.softplus(paddle.to_tensor(x)), expected, atol=2e-6)


def layers_with_weights(network):
    return sum(p.ndim > 1 for p in network.parameters())


@pytest.mark.parametrize("depth", random_architecture.DEPTHS)
def test_every_depth_nonlinearity_and_norm_builds_and_is_differentiable_twice(depth):
    for nonlinearity, norm, filters in zip(
        [*random_architecture.NONLINEARITIES] * 3, [None] * 4 + ["layer"] * 4 + ["batch"] * 4, [32, 64, 128] * 4
    ):
        chosen = Architecture(
            nonlinearity, nonlinearity, depth, depth, norm == "batch", norm is not None, filters, filters
        )
        generator, critic = build(chosen, norm or "layer", divisor=16)
        assert layers_with_weights(generator) == layers_with_weights(critic) == depth
        images = generator(paddle.randn([2, 128]))
        assert images.shape == [2, 3, 32, 32] and float(images.abs().max()) <= 1
        double_backward.check(critic, images)
        (gradient,) = paddle.grad(critic(probe := leaf(images)).square().sum(), probe, create_graph=True)
        gradient.square().sum().backward()
        first = critic.first.weight.grad
        assert first is not None and np.isfinite(first.numpy()).all() and np.abs(first.numpy()).max() > 0
        kinds = Counter(type(layer).__name__ for layer in critic.sublayers())
        normed = {"layer": "LayerNorm", "batch": "BatchNorm", None: "Identity"}[norm]
        assert kinds[normed] == depth - 2  # all but the first convolution and the linear unit


def leaf(x):
    x = x.detach()
    x.stop_gradient = False
    return x


def test_depth_4_is_the_authors_dcgan():
    generator, critic = build(PLAIN, "layer", divisor=8)
    dcgan = DeconvGenerator([16, 8, 4]), ConvCritic([4, 8, 16], activation=leaky_relu)
    for ours, theirs in zip((generator, critic), dcgan, strict=True):
        shapes = [sorted(map(tuple, (p.shape for p in network.parameters()))) for network in (ours, theirs)]
        assert shapes[0] == shapes[1]
    z = paddle.randn([3, 128])
    dcgan[0].linear.set_state_dict(generator.linear.state_dict())
    for i in range(2):
        dcgan[0].deconvs[i].set_state_dict(generator.convs[i].state_dict())
    dcgan[0].last.set_state_dict(generator.last.state_dict())
    np.testing.assert_array_equal(generator(z), dcgan[0](z))
    dcgan[1].convs[0].set_state_dict(critic.first.state_dict())
    for i in range(2):
        dcgan[1].convs[i + 1].set_state_dict(critic.convs[i].state_dict())
    dcgan[1].linear.set_state_dict(critic.linear.state_dict())
    np.testing.assert_array_equal(critic(generator(z)), dcgan[1](generator(z)))


def test_weight_decay_is_the_gradient_of_half_the_squares():
    def stepped(decay):
        paddle.seed(1)
        gan = WGAN_GP(*build(PLAIN, "layer", divisor=16))
        before = [p.numpy().copy() for network in (gan.generator, gan.discriminator) for p in network.parameters()]
        data = np.random.default_rng(0).uniform(-1, 1, (8, 3, 32, 32)).astype("float32")
        gan.train(data, batch_size=4, iterations=1, d_weight_decay=decay, progress=None)
        after = [p.numpy() for network in (gan.generator, gan.discriminator) for p in network.parameters()]
        return before, after, len(gan.generator.parameters())

    _, free, n = stepped(None)
    before, decayed, _ = stepped(
        1e6
    )  # the decay's gradient then drowns the loss's: Adam steps by the sign of each weight
    for a, b in zip(free[:n], decayed[:n], strict=True):
        np.testing.assert_array_equal(a, b)  # the generator has none
    for start, end in zip(before[n:], decayed[n:], strict=True):
        large = np.abs(start) > 1e-3
        assert (np.sign(start - end)[large] == np.sign(start)[large]).all()
    with pytest.raises(InputError, match="weight decay is for Adam only"):
        DCGAN(*build(PLAIN, "batch", divisor=16)).train(
            np.zeros((4, 3, 32, 32), "float32"), batch_size=4, optimizer="rmsprop", d_weight_decay=1.0, progress=None
        )
