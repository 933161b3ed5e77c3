"""WGAN with weight clipping, the method that the paper improves."""

import paddle

from wgangp import losses
from wgangp.base_gan import BaseGAN
from wgangp.errors import number


class WGAN(BaseGAN):
    """Wasserstein GAN whose critic's weights, biases included, are clipped to [-c, c].

    Args:
        generator, discriminator, critic_iters, latent_dim: as in `BaseGAN`.
        clip: the bound c, > 0.

    Source: Section 2.2; gan_toy.py lines 92-107.
    """

    optimizer, learning_rate = "rmsprop", 5e-5

    def __init__(self, generator, discriminator, critic_iters=5, latent_dim=None, clip=0.01):
        super().__init__(generator, discriminator, critic_iters, latent_dim)
        self.clip = number("clip", clip, above=0)

    def method_settings(self):
        return {"clip": self.clip}

    def critic_loss(self, real, fake):
        loss = losses.wasserstein_critic_loss(*self.score_both(real, fake))
        return loss, {"wasserstein_estimate": -loss}

    def generator_loss(self, fake_scores):
        return losses.wasserstein_generator_loss(fake_scores)

    def constrain_critic(self):
        with paddle.no_grad():
            for parameter in self.discriminator.parameters():
                parameter.clip_(-self.clip, self.clip)
