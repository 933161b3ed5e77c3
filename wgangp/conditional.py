"""WGAN-GP with labels: AC-GAN conditioning, as in Table 3's supervised model."""

from typing import Any

import numpy as np
import paddle
import paddle.nn.functional as F

from wgangp.data.batches import as_labels
from wgangp.errors import InputError, check_number
from wgangp.wgan_gp import WGAN_GP, LossAndParts


class ConditionalWGAN_GP(WGAN_GP):
    """WGAN-GP whose generator is given a label and whose critic also learns to tell real samples' labels.

    A batch is a pair of samples [n, ...] and labels, integers [n] or one-hot vectors. The critic's generated samples
    have the labels of the real batch, the generator's steps have labels drawn uniformly; the penalty is on the scores
    alone.

    Args:
        generator: Paddle layer, latent vectors [n, latent_dim] and labels [n] to samples [n, ...].
        discriminator: the critic, samples [n, ...] to scores [n], with a method `heads` to scores [n] and
            class logits [n, classes].
        classes: number of labels, which are integers from 0.
        others: of `WGAN_GP`.

    Source: gan_cifar_resnet.py lines 189-302; paper, Table 3 ("with AC-GAN conditioning", reference 20).
    """

    labelled = True
    critic_scale, generator_scale = 1.0, 0.1  # of the cross entropies (gan_cifar_resnet.py lines 51-52)

    def __init__(self, generator: paddle.nn.Layer, discriminator: paddle.nn.Layer, classes: int = 10, **others: Any):
        if not hasattr(discriminator, "heads"):
            raise InputError("the critic has no method heads(x) that gives scores and class logits; add it.")
        self.classes = check_number("classes", classes, at_least=1, whole=True)
        super().__init__(generator, discriminator, **others)
        with paddle.no_grad():
            logits = discriminator.heads(paddle.zeros([2, *self.sample_shape]))[1]
        if logits.shape != [2, classes]:
            raise InputError(
                f"the critic's heads give class logits of shape {list(logits.shape)} for 2 samples, not "
                f"[2, {classes}]; build it and the generator with classes={classes}."
            )

    def method_settings(self) -> dict[str, Any]:
        return {**super().method_settings(), "classes": self.classes}

    def random_labels(self, n: int) -> paddle.Tensor:
        """Labels drawn uniformly, int64 [n]."""
        return paddle.randint(0, self.classes, [n])

    def select_samples(self, batch: Any) -> tuple[paddle.Tensor, paddle.Tensor]:
        """What the steps use of a batch of the data: samples and labels.

        Args:
            batch: a pair of them, [n, ...] and [n].

        Returns:
            The pair, labels as int64.

        Raises:
            InputError: there are no labels.
        """
        if not isinstance(batch, (tuple, list)):
            raise InputError("train_data has no labels; give samples and labels.")
        images, labels = batch
        return images, labels.astype("int64")

    def draw(self, n: int) -> paddle.Tensor:
        return self.generator(paddle.randn([n, self.latent_dim]), self.random_labels(n))

    def draw_fakes(self, reals: list[tuple[paddle.Tensor, paddle.Tensor]]) -> list[paddle.Tensor]:
        labels = paddle.concat([labels for _, labels in reals])
        sizes = [labels.shape[0] for _, labels in reals]
        return self.in_batches(sizes, paddle.randn([labels.shape[0], self.latent_dim]), labels)

    def critic_loss(self, real: tuple[paddle.Tensor, paddle.Tensor], fake: paddle.Tensor) -> LossAndParts:
        images, labels = real
        if self.scores_in_one_call:
            scores, logits = (heads.split(2) for heads in self.discriminator.heads(paddle.concat([images, fake])))
        else:
            scores, logits = zip(self.discriminator.heads(images), self.discriminator.heads(fake), strict=True)
        loss, parts = self.loss_of_heads(*scores, *logits, labels)
        penalty, more = self.weighted_penalty(images, fake)
        return loss + penalty, parts | more

    def loss_of_heads(
        self,
        real_scores: paddle.Tensor,
        fake_scores: paddle.Tensor,
        real_logits: paddle.Tensor,
        fake_logits: paddle.Tensor,
        labels: paddle.Tensor,
    ) -> LossAndParts:
        """The critic's loss without the penalty, as of `WGAN_GP`.

        Args:
            real_scores, fake_scores: [n] each.
            real_logits, fake_logits: [n, classes] each.
            labels: of both, [n].
        """
        wasserstein, parts = super().loss_of_heads(real_scores, fake_scores)
        cross_entropy = F.cross_entropy(real_logits, labels)
        accuracies = {
            "real_accuracy": accuracy(real_logits, labels),
            "fake_accuracy": accuracy(fake_logits, labels),
        }
        return wasserstein + self.critic_scale * cross_entropy, parts | {"class_loss": cross_entropy} | accuracies

    def generator_step_loss(self, n: int) -> paddle.Tensor:
        labels = self.random_labels(n)
        (fake,) = self.in_batches([n], paddle.randn([n, self.latent_dim]), labels)
        scores, logits = self.discriminator.heads(fake)
        return self.generator_loss(scores) + self.generator_scale * F.cross_entropy(logits, labels)

    def generate(
        self, num_samples: int, seed: int | None = None, batch_size: int | None = None, labels: Any = None
    ) -> np.ndarray:
        """Draw samples from the generator, as `BaseGAN.generate`.

        Args:
            num_samples, seed, batch_size: as there.
            labels: of the samples, integers [num_samples] or one-hot vectors; drawn uniformly when None.

        Returns:
            float32 array [num_samples, ...].

        Raises:
            InputError: num_samples, seed or batch_size is not such an integer, or labels do not fit.
        """
        if labels is None:
            return super().generate(num_samples, seed, batch_size)
        num_samples, batch_size = self._begin_generating(num_samples, seed, batch_size)
        labels = as_labels(labels, num_samples, self.classes, "the samples")
        parts = []
        with paddle.no_grad():
            for start in range(0, num_samples, batch_size):
                # the last batch is filled up: its statistics are of a whole batch
                chosen = np.resize(labels[start : start + batch_size], batch_size).astype("int64")
                z = paddle.randn([batch_size, self.latent_dim])
                parts.append(self.generator(z, paddle.to_tensor(chosen)).numpy())
        return np.concatenate(parts)[:num_samples]


def accuracy(logits: paddle.Tensor, labels: paddle.Tensor) -> paddle.Tensor:
    """Share of labels that have the largest logit.

    Args:
        logits: [n, classes].
        labels: [n].

    Returns:
        A scalar tensor.
    """
    return (logits.argmax(1) == labels).astype("float32").mean()
