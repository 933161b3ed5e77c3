"""Networks that cannot train together are refused."""

import numpy as np
import paddle
import pytest
from paddle import nn
from toy_gan import new, weights

from wgangp import DCGAN, LSGAN, WGAN, WGAN_GP, InputError
from wgangp.data.toy import Toy
from wgangp.networks.toy import toy_critic, toy_generator


class Gives(nn.Layer):
    """A network that gives something made of its output."""

    latent_dim = 2

    def __init__(self, network, make):
        super().__init__()
        self.network, self.make = network, make

    def forward(self, x):
        return self.make(self.network(x))


@pytest.mark.parametrize(
    "of_generator, of_critic, words",
    [
        (lambda x: (x, x), None, "the generator gives a tuple for 2 latent vectors"),
        (lambda x: {"x": x}, None, "the generator gives a dict"),
        (lambda x: x.mean(), None, r"the generator gives shape \[\]"),
        (lambda x: x.no_such_method(), None, "the generator cannot take latent vectors .*no_such_method"),
        (lambda x: x.detach(), None, "the generator's samples have no gradient by its parameters"),
        (lambda x: x.astype("float64"), None, "does not fit the critic|the generator's samples are float64"),
        (None, lambda x: (x, x), "the critic gives a tuple for 2 samples"),
        (None, lambda x: x.astype("float64"), "the critic's scores are float64; they must be float32"),
        (None, lambda x: x[:, :, :, 0], "does not fit the critic"),
    ],
)
def test_networks_that_give_something_else_are_refused(of_generator, of_critic, words):
    generator, critic = toy_generator(8, 2), toy_critic(8, 2)
    with pytest.raises(InputError, match=words):
        WGAN(
            Gives(generator, of_generator) if of_generator else generator,
            Gives(critic, of_critic) if of_critic else critic,
        )


def with_spread(x):
    """Scores that know of each other, as with minibatch standard deviation."""
    return x + x.std()


def of_two(x):
    return x + paddle.zeros([2] if x.ndim == 1 else [2, 1])


@pytest.mark.parametrize(
    "make, coupled",
    [
        (lambda x: x, False),
        (with_spread, True),
        (of_two, True),
        (lambda x: nn.functional.dropout(x, 0.5), False),
        (lambda x: nn.functional.batch_norm(x.reshape([-1, 1]), *[paddle.ones([1])] * 4, training=True), True),
    ],
    ids=["alone", "spread", "batches of 2", "dropout", "batch norm without a layer"],
)
def test_a_critic_that_couples_its_samples_is_given_real_and_generated_ones_apart(make, coupled):
    gan = WGAN(toy_generator(8, 2), Gives(toy_critic(8, 2), make))
    assert gan.scores_in_one_call is not coupled


def test_a_constant_generator_may_be_without_gradients():
    """One without parameters is fixed, and so is one that is frozen."""
    generator = toy_generator(8, 2)
    for parameter in generator.parameters():
        parameter.stop_gradient = True
    with paddle.no_grad():
        assert WGAN(generator, toy_critic(8, 2)).sample_shape == [2]
        assert WGAN(toy_generator(8, 2), toy_critic(8, 2)).sample_shape == [2]


def test_axes_in_another_order_are_told_from_other_shapes():
    gan = WGAN(Gives(toy_generator(8, 2), lambda x: x.reshape([-1, 1, 2])), Gives(toy_critic(8, 2), lambda x: x[:, 0]))
    gan.sample_shape = [3, 8, 8]
    for shape, words in ([8, 8, 3], "move the axes of the data with transpose"), ([3, 8, 9], "; reshape the data"):
        with pytest.raises(InputError, match=words):
            gan.check_data(paddle.zeros([2, *shape]))


def test_other_precisions_are_refused(float64):
    with pytest.raises(InputError, match=r"are float64; training is in float32: call paddle.set_default_dtype"):
        new()
    paddle.set_default_dtype("float32")
    gan = new()
    gan.discriminator.to(dtype="float64")
    with pytest.raises(InputError, match="are float64"):
        gan.train(Toy("8gaussians"), batch_size=16, iterations=1, progress=None)


def test_data_in_float64_are_trained_on_in_float32():
    array = np.random.default_rng(0).normal(size=(64, 2))

    def trained(data):
        gan = new()
        gan.train(data, batch_size=16, iterations=2, progress=None)
        return weights(gan)

    expected = trained(array.astype("float32"))
    in_order = [array[i : i + 16] for i in range(0, 64, 16)]
    assert (trained(array) == expected).all()
    assert (trained(iter(in_order * 3)) == trained(iter([batch.astype("float32") for batch in in_order * 3]))).all()


@pytest.mark.parametrize("last, low, high", [(nn.Tanh(), -1, 1), (nn.Sigmoid(), 0, 1)])
def test_images_out_of_the_generators_range_get_a_warning(last, low, high, recwarn):
    generator = nn.Sequential(nn.Linear(8, 12), last, nn.Unflatten(1, [3, 2, 2]))
    critic = nn.Sequential(nn.Conv2D(3, 1, 2), nn.Unflatten(1, [1]))
    gan = WGAN(generator, Gives(critic, lambda x: x.reshape([-1, 1])), latent_dim=8)
    options = {"batch_size": 16, "iterations": 1, "progress": None}
    images = np.random.default_rng(0).integers(0, 256, [32, 3, 2, 2]).astype("float32")
    gan.train(low + (high - low) * images / 255, **options)
    assert not recwarn
    with pytest.warns(
        UserWarning, match=rf"values from \d+ to 2\d\d, but the generator ends in a \w+, .*{low} and {high}"
    ):
        gan.train(images, **options)


@pytest.mark.parametrize("method, told", [(WGAN_GP, True), (WGAN, True), (DCGAN, True), (LSGAN, False)])
def test_a_critic_with_bounded_scores_gets_a_warning(method, told, recwarn):
    method(toy_generator(8, 2), nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 1)))
    assert not recwarn
    method(toy_generator(8, 2), nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 1), nn.Sigmoid()))
    assert [str(w.message)[:40] for w in recwarn] == ["the critic ends in a sigmoid, which boun"] * told
