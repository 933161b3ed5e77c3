"""A small GAN that tests train."""

import numpy as np
import paddle

from wgangp import WGAN_GP
from wgangp.networks.toy import toy_critic, toy_generator


def new(method=WGAN_GP, seed=0, **options):
    paddle.seed(seed)
    return method(toy_generator(8, 2), toy_critic(8, 2), **options)


def weights(gan):
    return np.concatenate([p.numpy().ravel() for p in gan.generator.parameters() + gan.discriminator.parameters()])
