"""Figure 5 of v3: the critic loss falls as samples improve, and shows the critic's overfitting.

(a) "the negative critic loss converges toward a minimum" while a WGAN-GP learns LSUN bedrooms, on
training and validation images alike; (b) on 1,000 MNIST digits training and validation losses diverge,
with penalty and with clipping: with the penalty the training loss rises gradually while the validation
loss drops (Section 5.6).
"""

from functools import partial
from typing import Literal

import numpy as np

from experiments.fig6_critic_loss.measures import (
    changes,
    gap_over_range,
    last_losses,
    measure_losses,
    measure_pixels,
    rank_correlation,
)
from reproduction.config import MethodConfig
from reproduction.evaluation import ImageEvaluation, rows_over_training
from reproduction.results import row as result_row
from wgangp import Callback
from wgangp.data.batches import ScaledImages, to_bytes
from wgangp.data.images import lsun_bedrooms, mnist
from wgangp.networks import lsun
from wgangp.networks.mnist import mnist_critic, mnist_generator


class Config(MethodConfig):
    data: Literal["lsun", "mnist"]
    method: Literal["gp", "clip"]
    training_images: int
    dim: int
    size: int  # of the bedrooms in pixels
    measured_every: int  # iterations
    measured: int  # images per measurement of a loss, training and validation alike
    judged_every: int = 0  # iterations between distances to real images; 0: a distance of pixels at each measurement
    judged: int = 0  # generated images per distance
    reference: int = 0  # real images that distances are taken to

    @property
    def scaling(self):
        """Of the images, see wgangp.data.batches.scale."""
        return "dcgan" if self.data == "lsun" else "unit"


def build(config):
    if config.data == "lsun":
        return config.gan(*lsun.pair("dcgan", "layer", config.dim, config.size))
    return config.gan(mnist_generator(config.dim), mnist_critic(config.dim))


def load(config, seed):
    """The images that are trained on, and the training and validation data that they are of."""
    if config.data == "lsun":
        train, validation = (lsun_bedrooms(part, config.size, fallback=True) for part in ("train", "validation"))
    else:
        train, validation = (mnist(part, fallback=True) for part in ("train", "validation"))
    images = train.images
    if config.training_images < len(images):
        images = images[np.sort(np.random.default_rng(seed).permutation(len(images))[: config.training_images])]
    return images, train, validation


def run(config, seed, job):
    images, train, validation = load(config, seed)
    count = min(config.measured, len(images), len(validation.images))
    measured = {"train": images[:count], "validation": validation.images[:count]}
    bedrooms, evaluation, metric = config.data == "lsun", None, "frechet_pixels"
    callbacks = [Callback(measure_losses(measured, config.scaling), config.measured_every)]
    if config.judged_every:
        evaluation = ImageEvaluation(train, config.judged, config.reference)
        metric = evaluation.distance
        callbacks.append(evaluation.callback(config.judged_every, config.scaling, [metric], job.publish))
    elif bedrooms:
        pixels = measure_pixels(images[:20_000], config.measured, config.scaling)
        callbacks.append(Callback(pixels, config.measured_every))
    gan = build(config)
    history = config.train(gan, ScaledImages(images, config.scaling), seed, job, callbacks)
    curve = history[["train", "validation"]].dropna()
    samples = to_bytes(gan.generate(config.judged or 100, seed=seed), config.scaling)
    arrays = {"curve": np.stack([curve.index + 1, curve["train"], curve["validation"]]), "samples": samples[:36]}
    protocol = f"losses every {config.measured_every} iterations"
    row = partial(result_row, data=train, protocol=protocol, samples=count)
    rows = [row(name, value) for name, value in last_losses(curve).items()]
    if bedrooms:
        distances = history[metric].dropna()
        arrays["distances"] = np.stack([distances.index + 1, distances])
        name = f"rank_correlation_of_loss_and_{'pixel_' * (metric == 'frechet_pixels')}distance"
        comparisons = [
            row("gap_over_range", gap_over_range(curve, config.iterations)),
            row(name, rank_correlation(curve["train"], distances), protocol=f"{protocol}; {metric}"),
        ]
        rows += [comparison for comparison in comparisons if np.isfinite(comparison["value"])]
    else:
        rows += [row(name, value) for name, value in changes(curve).items()]
    job.save_arrays(train, **arrays)
    if evaluation is not None:
        rows += evaluation.rows(samples) + rows_over_training(evaluation, history, [metric])
    return rows
