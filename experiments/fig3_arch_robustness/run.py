"""Figure 2 of v3: seven architectures, four methods, LSUN bedrooms at 64 x 64.

"For every architecture, the only method that trained with shared hyperparameters is WGAN-GP"
(Section 5.2, shortened). The paper shows one picture per cell; here each cell also gets a distance to
real images, the diversity of its samples, and whether it trained: the Fréchet distance of its 8 x 8 pixel
averages is at most half of the untrained generator's, and its samples vary at least a quarter as much
as real images.
"""

from functools import partial
from typing import Literal

import numpy as np

from wgangp import DCGAN, LSGAN, WGAN, WGAN_GP, Diverged
from wgangp.data.batches import ScaledImages, to_bytes
from wgangp.data.images import lsun_bedrooms
from wgangp.experiment import Config as BaseConfig
from wgangp.metrics.judge import Judge, frechet_pixels
from wgangp.networks import lsun
from wgangp.results import row as result_row


class Config(BaseConfig):
    architecture: Literal[lsun.NAMES]
    method: Literal["DCGAN", "LSGAN", "WGAN clipping", "WGAN-GP"]
    dim: int
    size: int  # of the images in pixels
    batch_size: int
    iterations: int
    learning_rate: float
    beta1: float
    beta2: float
    lambda_gp: float
    c: float
    judged: int  # generated images
    reference: int  # real images that distances are taken to


def build(config):
    norm = "layer" if config.method == "WGAN-GP" else "batch"
    networks = lsun.pair(config.architecture, norm, config.dim, config.size)
    if config.method == "WGAN-GP":
        return WGAN_GP(*networks, lambda_gp=config.lambda_gp)
    if config.method == "WGAN clipping":
        return WGAN(*networks, clip=config.c)
    return {"DCGAN": DCGAN, "LSGAN": LSGAN}[config.method](*networks)


def run(config, seed):
    data = lsun_bedrooms("train", config.size, fallback=True)
    judge = Judge(data, config.judged, config.reference)
    gan = build(config)
    gan.batch_size = config.batch_size
    before = frechet_pixels(generated(gan, judge.count, seed), judge.reference)
    row = partial(result_row, data=data.sha256, protocol=judge.protocol)
    rates = {"g_learning_rate": config.learning_rate, "d_learning_rate": config.learning_rate}
    try:
        gan.train(
            ScaledImages(data.images, "dcgan"),
            batch_size=config.batch_size,
            iterations=config.iterations,
            beta1=config.beta1,
            beta2=config.beta2,
            seed=seed,
            **rates,
            **config.train_options,
        )
        diverged = False
    except Diverged:
        diverged = True
    images = generated(gan, judge.count, seed)
    config.save_arrays(samples=images[:16])
    after = frechet_pixels(images, judge.reference)
    diversity = float(images.std(axis=0).mean() / judge.others.std(axis=0).mean())
    trained = not diverged and after <= before / 2 and diversity >= 0.25
    return [
        *judge.rows(images),
        row("relative_distance", after / before),
        row("diversity", diversity),
        row("diverged", diverged),
        row("trained", trained),
    ]


def generated(gan, count, seed):
    """Images of bytes; a diverged generator's NaN become black."""
    return to_bytes(np.nan_to_num(gan.generate(count, seed=seed), nan=-1.0), "dcgan")
