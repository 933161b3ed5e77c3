"""The losses and constraints of the methods that the paper compares with."""

import numpy as np
import paddle
import pytest
from toy_gan import new

from wgangp import DCGAN, LSGAN, WGAN
from wgangp.data.toy import Toy


def test_clipping_bounds_every_parameter():
    gan = new(WGAN, clip=0.02)
    gan.train(Toy("8gaussians"), batch_size=16, iterations=2, progress=None)
    largest = max(float(p.abs().max()) for p in gan.discriminator.parameters())
    assert largest == pytest.approx(0.02)


def test_clipping_leaves_frozen_parameters_alone():
    gan = new(WGAN)
    frozen = gan.discriminator.parameters()[0]
    frozen.stop_gradient = True
    before = frozen.numpy()
    assert np.abs(before).max() > gan.clip
    gan.train(Toy("8gaussians"), batch_size=16, iterations=1, progress=None)
    assert (frozen.numpy() == before).all()


@pytest.mark.parametrize(
    "method, of_critic, of_generator",
    [
        (WGAN, lambda real, fake: fake.mean() - real.mean(), lambda fake: -fake.mean()),
        (
            DCGAN,
            lambda real, fake: (np.log1p(np.exp(-real)).mean() + np.log1p(np.exp(fake)).mean()) / 2,
            lambda fake: np.log1p(np.exp(-fake)).mean(),
        ),
        (
            LSGAN,
            lambda real, fake: (((real - 1) ** 2).mean() + (fake**2).mean()) / 2,
            lambda fake: ((fake - 1) ** 2).mean(),
        ),
    ],
)
def test_steps_are_on_each_methods_loss(method, of_critic, of_generator):
    gan = new(method)
    real = paddle.randn([64, 2]) + 1
    fake = gan.draw(64).detach()
    scores = [gan.discriminator(x).numpy().ravel().astype("float64") for x in (real, fake)]
    loss, parts = gan.critic_loss(real, fake)
    assert float(loss) == pytest.approx(of_critic(*scores), rel=1e-5)
    assert set(parts) == ({"wasserstein_estimate"} if method is WGAN else set())
    paddle.seed(3)
    loss = gan.generator_step_loss(64)
    paddle.seed(3)
    scores = gan.discriminator(gan.draw(64)).numpy().ravel().astype("float64")
    assert float(loss) == pytest.approx(of_generator(scores), rel=1e-5)
