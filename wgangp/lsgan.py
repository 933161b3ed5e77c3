"""The least-squares GAN."""

from wgangp import losses
from wgangp.base_gan import BaseGAN


class LSGAN(BaseGAN):
    """GAN with least-squares losses, targets 1 for real and 0 for generated.

    Args:
        generator, discriminator, critic_iters, latent_dim: as in `BaseGAN`.

    Source: gan_64x64.py, lsgan mode; Appendix E for the step size.
    """

    optimizer, learning_rate = "rmsprop", 1e-4
    unbounded_scores = False  # their targets are 0 and 1

    def __init__(self, generator, discriminator, critic_iters=1, latent_dim=None):
        super().__init__(generator, discriminator, critic_iters, latent_dim)

    def critic_loss(self, real, fake):
        return losses.least_squares_critic_loss(*self.score_both(real, fake)), {}

    def generator_loss(self, fake_scores):
        return losses.least_squares_generator_loss(fake_scores)
