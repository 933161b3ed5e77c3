"""The methods that the paper compares with: WGAN with weight clipping, the GAN as DCGAN trains it, LSGAN."""

import paddle

from wgangp import losses
from wgangp.errors import check_number
from wgangp.gan import BaseGAN


class WGAN(BaseGAN):
    """Wasserstein GAN whose critic's weights, biases included and frozen ones left out, are clipped to [-c, c].

    Args:
        generator, discriminator, critic_iters, latent_dim: as in `BaseGAN`.
        clip: the bound c, > 0.

    Source: Section 2.2; gan_toy.py lines 92-107.
    """

    optimizer, learning_rate = "rmsprop", 5e-5

    def __init__(
        self,
        generator: paddle.nn.Layer,
        discriminator: paddle.nn.Layer,
        critic_iters: int = 5,
        latent_dim: int | None = None,
        clip: float = 0.01,
    ):
        super().__init__(generator, discriminator, critic_iters, latent_dim)
        self.clip = check_number("clip", clip, above=0)

    def method_settings(self) -> dict[str, float]:
        return {"clip": self.clip}

    def critic_loss(self, real: paddle.Tensor, fake: paddle.Tensor) -> tuple[paddle.Tensor, dict[str, paddle.Tensor]]:
        loss = losses.wasserstein_critic_loss(*self.score_both(real, fake))
        return loss, {"wasserstein_estimate": -loss}

    def generator_loss(self, fake_scores: paddle.Tensor) -> paddle.Tensor:
        return losses.wasserstein_generator_loss(fake_scores)

    def constrain_critic(self) -> None:
        with paddle.no_grad():
            for parameter in self.discriminator.parameters():
                if not parameter.stop_gradient:  # a frozen one keeps its values
                    parameter.clip_(-self.clip, self.clip)


class OneCriticStep(BaseGAN):
    """What DCGAN and LSGAN share: one step of the critic for each of the generator's, unless asked for more."""

    def __init__(
        self,
        generator: paddle.nn.Layer,
        discriminator: paddle.nn.Layer,
        critic_iters: int = 1,
        latent_dim: int | None = None,
    ):
        super().__init__(generator, discriminator, critic_iters, latent_dim)


class DCGAN(OneCriticStep):
    """GAN with cross-entropy losses, the generator's non-saturating.

    Args:
        generator, discriminator, critic_iters, latent_dim: as in `BaseGAN`; the discriminator
            gives logits.

    Source: gan_cifar.py, dcgan mode; Appendix E for the step size.
    """

    learning_rate, beta1, beta2 = 2e-4, 0.5, 0.999

    def critic_loss(self, real: paddle.Tensor, fake: paddle.Tensor) -> tuple[paddle.Tensor, dict[str, paddle.Tensor]]:
        return losses.gan_critic_loss(*self.score_both(real, fake)), {}

    def generator_loss(self, fake_scores: paddle.Tensor) -> paddle.Tensor:
        return losses.gan_generator_loss(fake_scores)


class LSGAN(OneCriticStep):
    """GAN with least-squares losses, targets 1 for real and 0 for generated.

    Args:
        generator, discriminator, critic_iters, latent_dim: as in `BaseGAN`.

    Source: gan_64x64.py, lsgan mode; Appendix E for the step size.
    """

    optimizer, learning_rate = "rmsprop", 1e-4
    unbounded_scores = False  # their targets are 0 and 1

    def critic_loss(self, real: paddle.Tensor, fake: paddle.Tensor) -> tuple[paddle.Tensor, dict[str, paddle.Tensor]]:
        return losses.least_squares_critic_loss(*self.score_both(real, fake)), {}

    def generator_loss(self, fake_scores: paddle.Tensor) -> paddle.Tensor:
        return losses.least_squares_generator_loss(fake_scores)
