"""Figure 2 of v3: seven architectures, four methods, LSUN bedrooms at 64 x 64.

"For every architecture, the only method that trained with shared hyperparameters is WGAN-GP"
(Section 5.2, shortened). The paper shows one picture per cell; here each cell also gets a distance to
real images, recall, the diversity of its samples, and whether it trained: its distance is at most
half-way from real images' to the untrained generator's, and its recall at least a quarter of real images'.
A training that diverged is none.
"""

from functools import partial
from typing import ClassVar, Literal

import numpy as np

from experiments.fig3_arch_robustness.measures import has_trained
from reproduction.config import TrainingConfig
from reproduction.evaluation import ImageEvaluation
from reproduction.results import row as result_row
from wgangp import DCGAN, LSGAN, WGAN, WGAN_GP, Diverged
from wgangp.data.batches import ScaledImages, to_bytes
from wgangp.data.images import lsun_bedrooms
from wgangp.metrics.evaluator import weights_sha256
from wgangp.metrics.pixels import PIXEL_METRICS
from wgangp.networks import lsun

METHODS = ("DCGAN", "LSGAN", "WGAN clipping", "WGAN-GP")


class Config(TrainingConfig):
    scaling: ClassVar[str] = "dcgan"  # of the images, see wgangp.data.batches.scale
    architecture: Literal[lsun.NAMES]
    method: Literal[METHODS]
    dim: int
    size: int  # of the images in pixels
    c: float
    judged_by: Literal["all", "pixels"] = "all"  # all metrics whose weights are there, or those that need none
    judged: int  # generated images
    reference: int  # real images that distances are taken to
    judge_noise: bool = False  # images of random bytes too


def build(config):
    norm = "layer" if config.method == "WGAN-GP" else "batch"
    networks = lsun.pair(config.architecture, norm, config.dim, config.size)
    if config.method == "WGAN-GP":
        return WGAN_GP(*networks, lambda_gp=config.lambda_gp)
    if config.method == "WGAN clipping":
        return WGAN(*networks, clip=config.c)
    return {"DCGAN": DCGAN, "LSGAN": LSGAN}[config.method](*networks)


def run(config, seed, job):
    data = lsun_bedrooms("train", config.size, fallback=True)
    metrics = PIXEL_METRICS if config.judged_by == "pixels" else None
    evaluation = ImageEvaluation(data, config.judged, config.reference, metrics)
    gan = build(config)
    gan.batch_size = config.batch_size
    untrained = evaluation.evaluate(to_bytes(gan.generate(evaluation.count, seed=seed), config.scaling))
    rows = evaluation.rows_of_real() + evaluation.rows_of(untrained, "_of_untrained_generator")
    if config.judge_noise:
        noise = np.random.default_rng(seed).integers(0, 256, [evaluation.count, *data.images.shape[1:]], "uint8")
        rows += evaluation.rows_of(evaluation.evaluate(noise), "_of_noise")

    diverged = not train(gan, data, config, seed, job)
    samples = gan.generate(evaluation.count, seed=seed)
    finite = bool(np.isfinite(samples).all())
    images = to_bytes(np.nan_to_num(samples, nan=-1.0), config.scaling)
    job.save_arrays(data, samples=images[:9])  # NaN are shown black

    row = partial(result_row, data=data, samples=evaluation.count)
    trained, distance, recall = False, evaluation.distance, evaluation.recall
    if finite:  # else there are no images to judge
        scores = evaluation.evaluate(images)
        diversity = float(images.std(axis=0).mean() / evaluation.held_out.std(axis=0).mean())
        rows += evaluation.rows_of(scores)
        rows.append(row("diversity", diversity, protocol="standard deviation over real images'"))
        trained = not diverged and has_trained(scores, untrained, evaluation.real, distance, recall)
    protocol = f"{distance} at most half-way from real to untrained, {recall} at least a quarter of real's"
    return [
        *rows,
        row("diverged", diverged or not finite, protocol="a loss or an image is not finite"),
        row("trained", trained, protocol=protocol, weights=weights_sha256(distance)),
    ]


def train(gan, data, config, seed, job):
    """Train a cell; whether it came to its end without diverging."""
    try:
        config.train(gan, ScaledImages(data.images, config.scaling), seed, job)
    except Diverged:
        return False
    return True
