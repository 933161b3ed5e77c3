"""The non-saturating GAN, as DCGAN trains it."""

from wgangp import losses
from wgangp.base_gan import BaseGAN


class DCGAN(BaseGAN):
    """GAN with cross-entropy losses, the generator's non-saturating.

    Args:
        generator, discriminator, critic_iters, latent_dim: as in `BaseGAN`; the discriminator
            gives logits.

    Source: gan_cifar.py, dcgan mode; Appendix E for the step size.
    """

    learning_rate, beta1, beta2 = 2e-4, 0.5, 0.999

    def __init__(self, generator, discriminator, critic_iters=1, latent_dim=None):
        super().__init__(generator, discriminator, critic_iters, latent_dim)

    def critic_loss(self, real, fake):
        return losses.gan_critic_loss(*self.score_both(real, fake)), {}

    def generator_loss(self, fake_scores):
        return losses.gan_generator_loss(fake_scores)
