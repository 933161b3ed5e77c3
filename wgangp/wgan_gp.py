"""WGAN with gradient penalty, the paper's method."""

from typing import Any

import paddle

from wgangp import double_backward, losses
from wgangp.errors import InputError, check_number
from wgangp.gan import BaseGAN

LossAndParts = tuple[paddle.Tensor, dict[str, paddle.Tensor]]


class WGAN_GP(BaseGAN):
    """Wasserstein GAN whose critic is kept near 1-Lipschitz by a gradient penalty.

    Args:
        generator: Paddle layer, latent vectors [n, latent_dim] to samples [n, ...].
        discriminator: the critic, samples [n, ...] to scores [n] or [n, 1]; differentiable twice and
            without batch normalisation.
        lambda_gp: weight of the penalty, at least 0.
        critic_iters: critic steps per generator step, at least 1.
        latent_dim: length of the latent vectors; the generator's own `latent_dim` when None.
        penalty: "two-sided" (norm 1 wanted) or "one-sided" (norms below 1 left alone).
        allow_batch_norm: accept a critic with batch norm, for which the penalty of one example's
            gradient is not what it should be (Section 4).

    A critic may bring gradients of its own, where it knows a faster way than differentiating twice: a method
    `loss_gradients(real, fake, loss_of_heads, penalty_of, labelled)`. `real` and `fake` are [n, ...]; `loss_of_heads`
    is a function of the scores of real and of generated samples, [n] each, and, where `labelled` is True, of their
    class logits, [n, classes] each; `penalty_of` is a function of the gradient norms [n] at points that the method
    draws by `wgangp.losses.interpolate(real, fake)`; both give a scalar and a dict. The method returns what the two
    functions gave and the gradients of the scalars' sum by `critic.parameters()`; or None, before it has drawn
    anything, where Paddle is to differentiate.

    Raises:
        InputError: the networks do not fit, or the critic cannot be differentiated twice.

    Source: Algorithm 1 and Eq. 3; one-sided: Appendix C.
    """

    labelled = False  # whether a batch is a pair of samples and labels

    def __init__(
        self,
        generator: paddle.nn.Layer,
        discriminator: paddle.nn.Layer,
        lambda_gp: float = 10.0,
        critic_iters: int = 5,
        latent_dim: int | None = None,
        penalty: str = "two-sided",
        allow_batch_norm: bool = False,
    ):
        super().__init__(generator, discriminator, critic_iters, latent_dim)
        self.lambda_gp = check_number("lambda_gp", lambda_gp, at_least=0)
        if penalty not in ("two-sided", "one-sided"):
            raise InputError(f"penalty is {penalty!r}; use 'two-sided' or 'one-sided'.")
        if allow_batch_norm not in (True, False):
            raise InputError(f"allow_batch_norm is {allow_batch_norm!r}; use True or False.")
        if not self.scores_in_one_call and not allow_batch_norm:
            raise InputError(
                "the critic has batch normalisation, which ties the examples of a batch together while the "
                "penalty is on each example's gradient; use wgangp.layers.LayerNorm, or allow_batch_norm=True."
            )
        double_backward.check(discriminator, paddle.zeros([2, *self.sample_shape]) + 0.5)
        self.penalty = penalty

    def method_settings(self) -> dict[str, Any]:
        return {"lambda_gp": self.lambda_gp, "penalty": self.penalty}

    def critic_loss(self, real: Any, fake: paddle.Tensor) -> LossAndParts:
        loss, parts = self.loss_of_heads(*self.score_both(real, fake))
        penalty, more = self.weighted_penalty(real, fake)
        return loss + penalty, parts | more

    def loss_of_heads(self, real_scores: paddle.Tensor, fake_scores: paddle.Tensor) -> LossAndParts:
        """The critic's loss without the penalty.

        Args:
            real_scores, fake_scores: [n] or [n, 1] each.

        Returns:
            A scalar tensor and {name: scalar tensor} for the history.
        """
        wasserstein = losses.wasserstein_critic_loss(real_scores, fake_scores)
        return wasserstein, {"wasserstein_estimate": -wasserstein}

    def critic_backward(self, real: Any, fake: paddle.Tensor) -> LossAndParts:
        critic, (samples, *labels) = self.discriminator, real if self.labelled else (real,)
        written_out = None
        if hasattr(critic, "loss_gradients"):
            loss_of_heads = lambda *heads: self.loss_of_heads(*heads, *labels)  # noqa: E731
            written_out = critic.loss_gradients(samples, fake, loss_of_heads, self.penalty_of, self.labelled)
        if written_out is None:
            return super().critic_backward(real, fake)
        (loss, parts), (penalty, more), gradients = written_out
        paddle.autograd.backward(critic.parameters(), gradients)
        return loss + penalty, parts | more

    def weighted_penalty(self, real: paddle.Tensor, fake: paddle.Tensor) -> LossAndParts:
        """lambda times the gradient penalty between real and generated samples.

        Args:
            real, fake: [n, ...], the same shape.

        Returns:
            A scalar tensor and {name: scalar tensor} for the history.
        """
        return self.penalty_of(losses.gradient_norms(self.discriminator, losses.interpolate(real, fake)))

    def penalty_of(self, norms: paddle.Tensor) -> LossAndParts:
        """lambda times the penalty of some gradient norms.

        Args:
            norms: [n].

        Returns:
            As `weighted_penalty`.
        """
        penalty = losses.penalty_from_norms(norms, one_sided=self.penalty == "one-sided")
        return self.lambda_gp * penalty, {"gradient_penalty": penalty, "gradient_norm": norms.mean()}

    def generator_loss(self, fake_scores: paddle.Tensor) -> paddle.Tensor:
        return losses.wasserstein_generator_loss(fake_scores)
