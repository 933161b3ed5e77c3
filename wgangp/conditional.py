"""WGAN-GP with labels: AC-GAN conditioning, as in Table 3's supervised model."""

import numpy as np
import paddle
import paddle.nn.functional as F

from wgangp.data.batches import as_labels
from wgangp.errors import InputError, number
from wgangp.wgan_gp import WGAN_GP


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

    def __init__(self, generator, discriminator, classes=10, **others):
        if not hasattr(discriminator, "heads"):
            raise InputError("the critic has no method heads(x) that gives scores and class logits; add it.")
        self.classes = number("classes", classes, at_least=1, whole=True)
        super().__init__(generator, discriminator, **others)
        with paddle.no_grad():
            logits = discriminator.heads(paddle.zeros([2, *self._sample_shape]))[1]
        if logits.shape != [2, classes]:
            raise InputError(
                f"the critic's heads give class logits of shape {list(logits.shape)} for 2 samples, not "
                f"[2, {classes}]; build it and the generator with classes={classes}."
            )

    def method_settings(self):
        return {**super().method_settings(), "classes": self.classes}

    def random_labels(self, n):
        """Labels drawn uniformly, int64 [n]."""
        return paddle.randint(0, self.classes, [n])

    def take(self, batch):
        if not isinstance(batch, (tuple, list)):
            raise InputError("train_data has no labels; give samples and labels.")
        images, labels = batch
        return images, labels.astype("int64")

    def _check_samples(self, real):
        super()._check_samples(real[0])

    def batch_like(self, real, n):
        return super().batch_like(real[0], n), self.random_labels(n)

    def draw(self, n):
        return self.generator(paddle.randn([n, self.latent_dim]), self.random_labels(n))

    def draw_fakes(self, reals):
        labels = paddle.concat([labels for _, labels in reals])
        sizes = [labels.shape[0] for _, labels in reals]
        return self.in_batches(sizes, paddle.randn([labels.shape[0], self.latent_dim]), labels)

    def critic_loss(self, real, fake):
        images, labels = real
        scores, logits = self.discriminator.heads(paddle.concat([images, fake]))
        loss, parts = self.loss_of_heads(*scores.split(2), *logits.split(2), labels)
        penalty, more = self.weighted_penalty(images, fake)
        return loss + penalty, parts | more

    def loss_of_heads(self, real_scores, fake_scores, real_logits, fake_logits, labels):
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

    def generator_step_loss(self, real):
        scores, logits = self.discriminator.heads(self.draw_fake(real))
        return self.generator_loss(scores) + self.generator_scale * F.cross_entropy(logits, real[1])

    def generate(self, num_samples, seed=None, labels=None):
        """Draw samples from the generator, in batches of the training's size, as `BaseGAN.generate`.

        Args:
            num_samples: how many, at least 1.
            seed: of the latent vectors, from 0; Paddle's current random state when None.
            labels: of the samples, integers [num_samples] or one-hot vectors; drawn uniformly when None.

        Returns:
            float32 array [num_samples, ...].

        Raises:
            InputError: num_samples or seed is not such an integer, or labels do not fit.
        """
        if labels is None:
            return super().generate(num_samples, seed)
        num_samples = self._begin_generating(num_samples, seed)
        labels = as_labels(labels, num_samples, self.classes, "the samples")
        parts = []
        with paddle.no_grad():
            for start in range(0, num_samples, self.batch_size):
                # the last batch is filled up: its statistics are of a whole batch
                chosen = np.resize(labels[start : start + self.batch_size], self.batch_size).astype("int64")
                z = paddle.randn([self.batch_size, self.latent_dim])
                parts.append(self.generator(z, paddle.to_tensor(chosen)).numpy())
        return np.concatenate(parts)[:num_samples]


def accuracy(logits, labels):
    """Share of labels that have the largest logit.

    Args:
        logits: [n, classes].
        labels: [n].

    Returns:
        A scalar tensor.
    """
    return (logits.argmax(1) == labels).astype("float32").mean()
