"""Figure 5 of v3: the critic loss falls as samples improve, and shows the critic's overfitting.

(a) "the negative critic loss converges toward a minimum" while a WGAN-GP learns LSUN bedrooms, on
training and validation images alike; (b) on 1,000 MNIST digits training and validation losses diverge,
with penalty and with clipping: with the penalty the training loss rises gradually while the validation
loss drops (Section 5.6).
"""

from functools import partial
from typing import Literal

import numpy as np
import paddle

from experiments.fig6_critic_loss.measures import changes, gap_over_range, rank_correlation
from reproduction.config import MethodConfig
from reproduction.evaluation import ImageEvaluation, rows_over_training
from reproduction.results import row as result_row
from wgangp import Callback
from wgangp.data.batches import ScaledImages, scale, to_bytes
from wgangp.data.images import lsun_bedrooms, mnist
from wgangp.metrics.pixels import frechet_pixels
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


def run(config, seed, job):
    bedrooms = config.data == "lsun"
    if bedrooms:
        train, validation = (lsun_bedrooms(part, config.size, fallback=True) for part in ("train", "validation"))
    else:
        train, validation = (mnist(part, fallback=True) for part in ("train", "validation"))
    images = train.images
    if config.training_images < len(images):
        images = images[np.sort(np.random.default_rng(seed).permutation(len(images))[: config.training_images])]
    count = min(config.measured, len(images), len(validation.images))
    measured = {"train": images[:count], "validation": validation.images[:count]}
    evaluation = ImageEvaluation(train, config.judged, config.reference) if config.judged_every else None

    def measure(gan, iteration, losses):
        values = {}
        for name, held in measured.items():
            real = scale(paddle.to_tensor(held), config.scaling)
            values[name] = -float(gan.critic_loss(real, gan.draw_fake(real).detach())[0])
        if bedrooms and evaluation is None:
            samples = to_bytes(gan.generate(config.measured, seed=iteration), config.scaling)
            values["frechet_pixels"] = frechet_pixels(samples, images[:20_000])
        return values

    callbacks = [Callback(measure, config.measured_every)]
    if evaluation is not None:
        distance = [evaluation.distance]
        callbacks.append(evaluation.callback(config.judged_every, config.scaling, distance, job.publish))
    gan = build(config)
    history = config.train(gan, ScaledImages(images, config.scaling), seed, job, callbacks)
    curve = history[["train", "validation"]].dropna()
    samples = to_bytes(gan.generate(config.judged or 100, seed=seed), config.scaling)
    saved = {"curve": np.stack([curve.index + 1, curve["train"], curve["validation"]]), "samples": samples[:36]}
    protocol = f"losses every {config.measured_every} iterations"
    row = partial(result_row, data=train, protocol=protocol, samples=count)
    rows = [
        row("negative_critic_loss_train", curve["train"].iloc[-1]),
        row("negative_critic_loss_validation", curve["validation"].iloc[-1]),
        row("largest_negative_critic_loss_train", curve["train"].max()),
    ]
    if not bedrooms:
        rows += [row(name, value) for name, value in changes(curve).items()]
    else:
        metric = evaluation.distance if evaluation else "frechet_pixels"
        distances = history[metric].dropna()
        saved["distances"] = np.stack([distances.index + 1, distances])
        pixels = "pixel_" * (metric == "frechet_pixels")
        correlation = rank_correlation(curve["train"], distances)
        comparisons = [
            row("gap_over_range", gap_over_range(curve, config.iterations)),
            row(f"rank_correlation_of_loss_and_{pixels}distance", correlation, protocol=f"{protocol}; {metric}"),
        ]
        rows += [made for made in comparisons if np.isfinite(made["value"])]
    job.save_arrays(train, **saved)
    if evaluation is not None:
        rows += evaluation.rows(samples) + rows_over_training(evaluation, history, [evaluation.distance])
    return rows
