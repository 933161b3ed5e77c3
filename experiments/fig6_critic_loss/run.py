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
from scipy.stats import spearmanr

from reproduction.evaluation import ImageEvaluation, rows_over_training
from reproduction.experiment import Config as BaseConfig
from reproduction.results import row as result_row
from wgangp import WGAN, WGAN_GP, Callback
from wgangp.data.batches import ScaledImages, scale, to_bytes
from wgangp.data.images import lsun_bedrooms, mnist
from wgangp.metrics.pixels import frechet_pixels
from wgangp.networks import lsun
from wgangp.networks.mnist import mnist_critic, mnist_generator


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
        networks = lsun.pair("dcgan", "layer", config.dim, config.size)
    else:
        networks = mnist_generator(config.dim), mnist_critic(config.dim)
    if config.method == "gp":
        return WGAN_GP(*networks, critic_iters=config.critic_iters, lambda_gp=config.lambda_gp)
    return WGAN(*networks, critic_iters=config.critic_iters, clip=config.c)


def run(config, seed):
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
        callbacks.append(evaluation.callback(config.judged_every, config.scaling, distance, config.publish))
    gan = build(config)
    history = gan.train(
        ScaledImages(images, config.scaling),
        batch_size=config.batch_size,
        iterations=config.iterations,
        g_learning_rate=config.learning_rate,
        d_learning_rate=config.learning_rate,
        beta1=config.beta1,
        beta2=config.beta2,
        seed=seed,
        callbacks=callbacks,
        **config.train_options,
    )
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
    config.save_arrays(train, **saved)
    if evaluation is not None:
        rows += evaluation.rows(samples) + rows_over_training(evaluation, history, [evaluation.distance])
    return rows


def changes(curve):
    """How the losses part: their gap at the end, and each one's change since a quarter of training.

    "The end" is the mean over the last tenth of the measurements, "a quarter" over the tenth that is centred there.

    Args:
        curve: DataFrame of measurements in equal distances over all of training, columns train and validation.

    Returns:
        {quantity: value}: gap_at_end (training minus validation), train_loss_change_since_quarter and
        validation_loss_change_since_quarter.
    """
    n, tenth = len(curve), max(len(curve) // 10, 1)
    start = max(round((n - 2 * tenth) / 4), 0)
    quarter, end = (part.mean() for part in (curve.iloc[start : start + tenth], curve.iloc[-tenth:]))
    gap = {"gap_at_end": end["train"] - end["validation"]}
    return gap | {f"{name}_loss_change_since_quarter": end[name] - quarter[name] for name in ("train", "validation")}


def gap_over_range(curve, iterations):
    """How near the losses stay: mean |training - validation| over the second half, over the training loss's range.

    Args:
        curve: DataFrame of measurements by iteration (counted from 0), columns train and validation.
        iterations: of the whole training.

    Returns:
        A float at least 0, NaN where the training loss never changes.
    """
    second_half = curve[curve.index + 1 > iterations / 2]
    spread = curve["train"].max() - curve["train"].min()
    return (second_half["train"] - second_half["validation"]).abs().mean() / spread if spread > 0 else np.nan


def rank_correlation(loss, distances):
    """Spearman's correlation of a loss with distances that are measured less often.

    With a distance goes the mean of the losses measured since the one before, up to its own iteration.

    Args:
        loss, distances: Series by iteration.

    Returns:
        A float from -1 to 1, NaN where it is undefined.
    """
    ends = distances.index.to_numpy()
    place = np.searchsorted(ends, loss.index)  # of the first distance at or after each loss
    means = loss.groupby(place).mean().reindex(range(len(ends)))
    both = np.isfinite(means.to_numpy()) & np.isfinite(distances.to_numpy())
    if both.sum() < 3:
        return np.nan
    pair = means.to_numpy()[both], distances.to_numpy()[both]
    return spearmanr(*pair)[0] if all(np.ptp(values) > 0 for values in pair) else np.nan
