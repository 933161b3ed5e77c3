"""Figure 1a of v3: a critic with clipped weights sees only simple approximations of the data.

"Critics trained with weight clipping ignore higher moments of the data distribution" (Section 3.1).
Part one trains a critic against a fixed generator, the real data plus N(0, I), and asks how much of
the optimal critic it explains: R^2 of the best affine fit to the dual potentials of the exact transport.
Beside it stands how much of the exact Wasserstein distance it finds for its own Lipschitz constant:
tightness = estimate / (largest gradient norm on the window x W1). Both are 1 for an optimal critic.
Part two trains a generator, too, and asks what it covers.
"""

from functools import partial
from typing import Literal

import numpy as np
import paddle
from paddle import nn

from reproduction.experiment import Config as BaseConfig
from reproduction.results import row as result_row
from wgangp import WGAN, WGAN_GP
from wgangp.data.toy import Toy
from wgangp.metrics.toy import (
    exact_w1,
    explained_share,
    mode_coverage,
    optimal_critic,
    optimal_surface,
    value_surface,
)
from wgangp.networks.toy import toy_critic, toy_generator

HALF_WIDTH = 2.0  # the paper's window is [-2, 2]^2


class Config(BaseConfig):
    method: Literal["clip", "gp"]
    data: Literal["8gaussians", "25gaussians", "swissroll"]
    generator: Literal["fixed", "trained"]
    width: int
    depth: int
    batch_size: int
    iterations: int
    critic_iters: int
    batch_reuse: int  # critic steps on the same real batch
    learning_rate: float
    lr_decay: bool
    beta1: float
    beta2: float
    lambda_gp: float
    c: float
    w1_points: int  # real and generated each


class NoisyData(nn.Layer):
    """The fixed generator: a real batch plus N(0, I)."""

    latent_dim = 2

    def forward(self, real):
        return real + paddle.randn(real.shape)


def build(config):
    method = WGAN if config.method == "clip" else WGAN_GP
    options = {"clip": config.c} if config.method == "clip" else {"lambda_gp": config.lambda_gp}
    critic = toy_critic(config.width, config.depth)
    if config.generator == "trained":
        return method(toy_generator(config.width, config.depth), critic, critic_iters=config.critic_iters, **options)
    own = {"draw_fakes": lambda gan, reals: [gan.generator(real) for real in reals]}
    against_noisy_data = type(method.__name__, (method,), own)
    return against_noisy_data(NoisyData(), critic, critic_iters=config.critic_iters, **options)


def run(config, seed):
    gan, data = build(config), Toy(config.data, reuse=config.batch_reuse)
    rates = {"g_learning_rate": config.learning_rate, "d_learning_rate": config.learning_rate}
    training = rates | {"beta1": config.beta1, "beta2": config.beta2, "lr_decay": config.lr_decay}
    training |= {"batch_size": config.batch_size, "iterations": config.iterations, "seed": seed}
    gan.train(data, **training, **config.train_options)
    rng = np.random.default_rng([seed, 1])
    measure = measure_critic if config.generator == "fixed" else measure_generator
    return measure(gan, data, config, rng, seed)


def measure_critic(gan, data, config, rng, seed):
    n = config.w1_points
    real = data.sample(n, rng)
    fake = data.sample(n, rng) + rng.standard_normal((n, 2)).astype("float32")
    w1, *optimal = optimal_critic(real, fake)
    with paddle.no_grad():
        of_critic = [gan.discriminator(paddle.to_tensor(x)).numpy().ravel() for x in (real, fake)]
    values, norms = value_surface(gan.discriminator, HALF_WIDTH, 128)
    surface = optimal_surface(fake, optimal[1], HALF_WIDTH, 64)
    config.save_arrays(
        data,
        values=values[::2, ::2].astype("float16"),
        optimal_values=surface.astype("float16"),
        estimates=thinned(gan.history["wasserstein_estimate"]),
    )
    protocol = "on the same real and generated points, as many of each; norm on 128 x 128 points of [-2, 2]^2"
    row = partial(result_row, data=data, protocol=protocol, samples=n)
    estimate, largest = float(of_critic[0].mean() - of_critic[1].mean()), float(norms.max())
    return [
        row("exact_w1", w1),
        row("critic_estimate", estimate),
        row("largest_gradient_norm", largest),
        row("tightness", estimate / (largest * w1)),
        row("optimal_critic_explained", explained_share(np.concatenate(of_critic), np.concatenate(optimal))),
    ]


def measure_generator(gan, data, config, rng, seed):
    n = config.w1_points
    samples, real, other = gan.generate(10_000, seed=seed), data.sample(n, rng), data.sample(n, rng)
    config.save_arrays(data, samples=samples[:2000], estimates=thinned(gan.history["wasserstein_estimate"]))
    row = partial(result_row, data=data)
    w1 = partial(row, protocol="exact W1 to as many real points", samples=n)
    rows = [w1("sample_w1", exact_w1(samples[:n], real)), w1("sample_w1_real_against_real", exact_w1(other, real))]
    if data.centers is not None:
        found, good = mode_coverage(samples, data.centers, data.std)
        modes = partial(row, protocol="good: within 4 standard deviations of a mode", samples=len(samples))
        rows += [modes("modes_found", found), modes("share_of_good_samples", good)]
    return rows


def thinned(curve, most=500):
    """At most `most` evenly spaced points of a training curve, with their iterations, [2, points]."""
    chosen = np.unique(np.linspace(0, len(curve) - 1, most).astype(int))
    return np.stack([chosen + 1, curve.to_numpy()[chosen]]).astype("float32")
