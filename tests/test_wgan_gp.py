"""WGAN-GP's steps, by autograd and by gradients that the critic brings."""

import numpy as np
import paddle
import pytest
from paddle import nn
from toy_gan import new, weights

from wgangp import WGAN_GP
from wgangp.data.toy import Toy
from wgangp.losses import interpolate
from wgangp.networks.toy import toy_generator
from wgangp.training import seed_everything


def test_one_critic_step_is_adam_on_the_stated_loss():
    """The first step, recomputed: same batch, same noise, an optimizer written here."""
    data = Toy("8gaussians")
    gan, twin = new(seed=3), new(seed=3)
    gan.critic_iters = 1
    gan.train(data, batch_size=16, iterations=1, seed=5, progress=None)

    real = paddle.to_tensor(data.sample(16, np.random.default_rng([5, 0])))
    seed_everything(5, 0)
    fake = twin.generator(paddle.randn([16, 2])).detach()
    alpha = paddle.rand([16, 1])
    x = real + alpha * (fake - real)
    x.stop_gradient = False
    norm = paddle.grad(twin.discriminator(x).sum(), x, create_graph=True)[0].norm(axis=1)
    loss = twin.discriminator(fake).mean() - twin.discriminator(real).mean() + 10 * ((norm - 1) ** 2).mean()
    loss.backward()
    compared = 0
    for mine, p in zip(gan.discriminator.parameters(), twin.discriminator.parameters(), strict=True):
        if p.grad is None:
            continue
        g = p.grad.numpy().astype("float64")
        step = 1e-4 * np.sqrt(0.1) * g / (np.sqrt(0.1 * g * g) + 1e-8)
        clear = np.abs(g) > 1e-5  # where rounding does not decide the direction
        compared += clear.sum()
        assert np.abs(mine.numpy() - (p.numpy() - step))[clear].max(initial=0) < 2e-6
    assert compared > 50


class QuadraticCritic(nn.Layer):
    """D(x) = w |x|^2 / 2, whose gradients are short to write out: the norm at x is |w| |x|."""

    def __init__(self):
        super().__init__()
        self.w, self.asked = self.create_parameter([1], default_initializer=nn.initializer.Constant(0.7)), []

    def forward(self, x):
        return self.w * x.square().sum(1) / 2

    def loss_gradients(self, real, fake, loss_of_heads, penalty_of, labelled):
        self.asked.append(labelled)
        lengths = interpolate(real, fake).square().sum(1).sqrt()
        loss, penalty = loss_of_heads(self(real), self(fake)), penalty_of(self.w.abs() * lengths)
        slope = ((fake.square().sum(1) - real.square().sum(1)) / 2).mean()
        slope += 10 * (2 * (self.w * lengths - 1) * lengths).mean()
        return loss, penalty, [slope.reshape([1])]


class LeavesThemToPaddle(QuadraticCritic):
    def loss_gradients(self, *_):
        self.asked.append(1)


class HasNone(QuadraticCritic):
    loss_gradients = property()  # as if it were not there


def trained_with(critic, **options):
    paddle.seed(0)
    gan = WGAN_GP(toy_generator(8, 2), critic)
    history = gan.train(Toy("8gaussians"), batch_size=16, iterations=6, progress=None, **options)
    return gan, history.drop(columns="seconds").to_numpy()[1:]


def test_a_critics_own_gradients_train_like_paddles():
    own, history = trained_with(QuadraticCritic(), d_learning_rate=1e-2)
    expected, expected_history = trained_with(HasNone(), d_learning_rate=1e-2)
    assert own.discriminator.asked == [False] * 30 and abs(own.discriminator.w.item() - 0.7) > 0.01
    assert own.discriminator.w.item() == pytest.approx(expected.discriminator.w.item(), rel=1e-4)
    np.testing.assert_allclose(history, expected_history, rtol=2e-3, atol=1e-5)


def test_a_critic_that_leaves_its_gradients_to_paddle_draws_the_same_numbers():
    asked, history = trained_with(LeavesThemToPaddle())
    plain, expected = trained_with(HasNone())
    assert len(asked.discriminator.asked) == 30
    assert (weights(asked) == weights(plain)).all() and (history == expected).all()
