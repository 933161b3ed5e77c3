"""How training and validation losses part, and how they go with the samples' distance to real images."""

import numpy as np
import paddle
from scipy.stats import spearmanr

from wgangp.data.batches import scale, to_bytes
from wgangp.metrics.pixels import frechet_pixels


def measure_losses(images, scaling):
    """A callback's function: the negative critic loss on some images, with as many generated ones.

    Args:
        images: {column of the history: uint8 [n, channels, height, width]}.
        scaling: of the images, as in `wgangp.data.batches.scale`.
    """

    def measure(gan, iteration, losses):
        values = {}
        for name, held in images.items():
            real = scale(paddle.to_tensor(held), scaling)
            values[name] = -float(gan.critic_loss(real, gan.draw_fake(real).detach())[0])
        return values

    return measure


def measure_pixels(images, count, scaling):
    """A callback's function: the Fréchet distance in pixels of generated images from real ones.

    Args:
        images: uint8 [n, channels, height, width].
        count: generated images.
        scaling: as of `measure_losses`.
    """

    def measure(gan, iteration, losses):
        samples = to_bytes(gan.generate(count, seed=iteration), scaling)
        return {"frechet_pixels": frechet_pixels(samples, images)}

    return measure


def last_losses(curve):
    """The last negative critic losses, and the largest on training images.

    Args:
        curve: DataFrame of measurements, columns train and validation.

    Returns:
        {quantity: value}.
    """
    return {
        "negative_critic_loss_train": curve["train"].iloc[-1],
        "negative_critic_loss_validation": curve["validation"].iloc[-1],
        "largest_negative_critic_loss_train": curve["train"].max(),
    }


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
