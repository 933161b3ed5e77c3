"""The authors' gan_mnist.py, which has no figure: WGAN-GP, clipping and DCGAN on MNIST.

Judged by a small digit classifier of ours (train_classifier.py): a score with the Inception score's formula
over its ten probabilities (10 at best) and the Fréchet distance of its 64 features, beside real digits.
"""

from functools import partial
from typing import ClassVar

import numpy as np

from reproduction.config import MethodConfig
from reproduction.results import row as result_row
from wgangp.data.batches import ScaledImages, to_bytes
from wgangp.data.download import file_hash
from wgangp.data.images import mnist
from wgangp.metrics import digits
from wgangp.networks.mnist import mnist_critic, mnist_generator


class Config(MethodConfig):
    scaling: ClassVar[str] = "unit"  # of the images, see wgangp.data.batches.scale
    dim: int
    judged: int  # generated and real digits each


def build(config):
    batch_norm = config.method == "clip"  # only there in gan_mnist.py
    return config.gan(mnist_generator(config.dim, batch_norm), mnist_critic(config.dim, batch_norm))


def block_means(losses, blocks=200):
    """The mean loss over each of up to 200 blocks of iterations of equal length; what is left at the end is dropped.

    Args:
        losses: a value per iteration.
        blocks: at most so many.

    Returns:
        float32 [2, blocks]: the iteration in the middle of each block, and its mean.
    """
    length = -(-len(losses) // blocks)
    means = losses[: len(losses) // length * length].reshape(-1, length).mean(axis=1)
    return np.stack([(np.arange(len(means)) + 0.5) * length + 0.5, means]).astype("float32")


def run(config, seed, job):
    gan, data, held_out = build(config), mnist("train", fallback=True), mnist("validation", fallback=True)
    history = config.train(gan, ScaledImages(data.images, config.scaling), seed, job)
    count = min(config.judged, len(held_out.images))
    images = to_bytes(gan.generate(count, seed=seed), config.scaling)
    job.save_arrays(data, samples=images[:100], critic_loss=block_means(history["critic_loss"].to_numpy()))

    real = data.images[:count]
    protocol, weights = f"{count} digits against {len(real)} training digits", file_hash(digits.WEIGHTS)
    row = partial(result_row, data=data, protocol=protocol, samples=count, weights=weights)
    return [
        row(f"{name}{of_what}", value, err=spread)
        for of_what, judged in (("", images), ("_of_real_images", held_out.images[:count]))
        for name, (value, spread) in digits.score_digits(judged, real).items()
    ]
