"""Figure 5 of v3: the critic loss falls as samples improve, and shows the critic's overfitting.

(a) "the negative critic loss converges toward a minimum" while a WGAN-GP learns LSUN bedrooms; (b) on
1,000 MNIST digits training and validation losses diverge, with penalty and with clipping: with the
penalty the training loss rises gradually while the validation loss drops (Section 5.6).
"""

from functools import partial
from typing import Literal

import numpy as np
import paddle
from scipy.stats import spearmanr

from wgangp import WGAN, WGAN_GP
from wgangp.data.batches import ScaledImages, scale, to_bytes
from wgangp.data.images import lsun_bedrooms, mnist
from wgangp.experiment import Config as BaseConfig
from wgangp.metrics.judge import frechet_pixels
from wgangp.networks import lsun
from wgangp.networks.mnist import mnist_critic, mnist_generator
from wgangp.results import row as result_row


class Config(BaseConfig):
    data: Literal["lsun", "mnist"]
    method: Literal["gp", "clip"]
    training_images: int
    dim: int
    size: int  # of the bedrooms in pixels
    batch_size: int
    iterations: int
    critic_iters: int
    learning_rate: float
    beta1: float
    beta2: float
    lambda_gp: float
    c: float
    measured_every: int  # iterations
    measured: int  # images per measurement of a loss


def build(config):
    if config.data == "lsun":
        networks = lsun.pair("dcgan", "layer", config.dim, config.size)
    else:
        networks = mnist_generator(config.dim), mnist_critic(config.dim)
    if config.method == "gp":
        return WGAN_GP(*networks, critic_iters=config.critic_iters, lambda_gp=config.lambda_gp)
    return WGAN(*networks, critic_iters=config.critic_iters, clip=config.c)


def run(config, seed):
    if config.data == "lsun":
        train, validation = (lsun_bedrooms(part, config.size, fallback=True) for part in ("train", "validation"))
        scaling = "dcgan"
    else:
        train, validation = (mnist(part, fallback=True) for part in ("train", "validation"))
        scaling = "unit"
    chosen = np.random.default_rng(seed).permutation(len(train.images))[: config.training_images]
    held = {"train": train.images[np.sort(chosen)], "validation": validation.images[: config.measured]}

    def measure(gan, iteration, record):
        for name, images in held.items():
            real = scale(paddle.to_tensor(images[: config.measured]), scaling)
            record[name] = -float(gan.critic_loss(real, gan.draw_fake(real).detach())[0])
        samples = to_bytes(gan.generate(config.measured, seed=iteration), scaling)
        if config.data == "lsun":
            record["frechet_pixels"] = frechet_pixels(samples, held["train"])

    measure.every = config.measured_every
    gan = build(config)
    history = gan.train(
        ScaledImages(held["train"], scaling),
        batch_size=config.batch_size,
        iterations=config.iterations,
        g_learning_rate=config.learning_rate,
        d_learning_rate=config.learning_rate,
        beta1=config.beta1,
        beta2=config.beta2,
        seed=seed,
        callbacks=[measure],
        **config.train_options,
    )
    curve = history[["train", "validation"]].dropna()
    samples = to_bytes(gan.generate(100, seed=seed), scaling)
    config.save_arrays(curve=np.stack([curve.index + 1, curve["train"], curve["validation"]]), samples=samples)
    half = len(curve) // 2
    protocol = f"losses on {config.measured} images each, {len(curve)} measurements; dataset={train.name}"
    row = partial(result_row, data=train.sha256, protocol=protocol)
    rows = [
        row("negative_critic_loss_train", curve["train"].iloc[-1]),
        row("negative_critic_loss_validation", curve["validation"].iloc[-1]),
        row("largest_negative_critic_loss_train", curve["train"].max()),
        row("train_minus_validation", (curve["train"] - curve["validation"]).iloc[half:].mean()),
        row("trend_of_train_loss", trend(curve["train"].iloc[half:])),
        row("trend_of_validation_loss", trend(curve["validation"].iloc[half:])),
    ]
    if config.data == "lsun":
        quality = history["frechet_pixels"].dropna()
        rows.append(row("rank_correlation_of_loss_and_distance", spearmanr(curve["train"], quality)[0]))
    return rows


def trend(curve):
    """Rank correlation of a curve with time, -1 to 1."""
    return spearmanr(np.arange(len(curve)), curve)[0]
