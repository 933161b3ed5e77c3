"""Figure 1a of v3: a critic with clipped weights sees only simple approximations of the data.

"Critics trained with weight clipping ignore higher moments of the data distribution" (Section 3.1).
Part one trains a critic against a fixed generator, the real data plus N(0, I), and asks how much of
the optimal critic it explains: R^2 of the best affine fit to the dual potentials of the exact transport.
Beside it stands how much of the exact Wasserstein distance it finds for its own Lipschitz constant:
tightness = estimate / (largest gradient norm on the window x W1). Both are 1 for an optimal critic.
Part two trains a generator, too, and asks what it covers.
"""

from typing import Literal

import numpy as np
import paddle
from paddle import nn

from experiments.fig2_toy_8gaussians.measures import measure_critic, measure_generator
from reproduction.config import MethodConfig
from wgangp.data.toy import Toy
from wgangp.networks.toy import toy_critic, toy_generator


class Config(MethodConfig):
    method: Literal["clip", "gp"]
    data: Literal["8gaussians", "25gaussians", "swissroll"]
    generator: Literal["fixed", "trained"]
    width: int
    depth: int
    batch_reuse: int  # critic steps on the same real batch
    lr_decay: bool
    w1_points: int  # real and generated each


class NoisyData(nn.Layer):
    """The fixed generator: a real batch plus N(0, I)."""

    latent_dim = 2

    def forward(self, real):
        return real + paddle.randn(real.shape)


def build(config):
    critic = toy_critic(config.width, config.depth)
    if config.generator == "trained":
        return config.gan(toy_generator(config.width, config.depth), critic)
    gan = config.gan(NoisyData(), critic)
    gan.draw_fakes = lambda reals: [gan.generator(real) for real in reals]
    return gan


def run(config, seed, job):
    gan, data = build(config), Toy(config.data, reuse=config.batch_reuse)
    config.train(gan, data, seed, job, lr_decay=config.lr_decay)
    measure = measure_critic if config.generator == "fixed" else measure_generator
    return measure(gan, data, config, np.random.default_rng([seed, 1]), seed, job)
