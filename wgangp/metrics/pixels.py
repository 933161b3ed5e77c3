"""Measures of images averaged down to 8 x 8 pixels, which need no network."""

from collections.abc import Sequence

import numpy as np

from wgangp.errors import InputError
from wgangp.metrics.scores import frechet_distance, gaussian, precision_recall
from wgangp.metrics.statistics import SAMPLE

PIXEL_METRICS = ("frechet_pixels", "precision_pixels", "recall_pixels")


def pixel_features(images: np.ndarray) -> np.ndarray:
    """Images averaged down to 8 x 8 pixels.

    Args:
        images: uint8 [n, channels, height, width], sides multiples of 8.

    Returns:
        float64 [n, channels * 64], bytes.

    Raises:
        InputError: they are something else, or there are none.
    """
    shape = np.shape(images)
    if getattr(images, "dtype", None) != np.uint8 or len(shape) != 4 or not all(shape) or shape[2] % 8 or shape[3] % 8:
        raise InputError(
            f"images are {getattr(images, 'dtype', type(images).__name__)} {list(shape)}; give uint8 [n, channels, "
            "height, width], sides multiples of 8."
        )
    n, channels, height, width = images.shape
    return images.reshape(n, channels, 8, height // 8, 8, width // 8).mean(axis=(3, 5)).reshape(n, -1)


def frechet_pixels(images: np.ndarray, real: np.ndarray) -> float:
    """Fréchet distance between images averaged down to 8 x 8 pixels.

    Args:
        images, real: uint8 [n, channels, height, width], sides multiples of 8.

    Returns:
        A float, in squared bytes per image.
    """
    return frechet_distance(gaussian(pixel_features(images)), gaussian(pixel_features(real)))


def precision_recall_pixels(images: np.ndarray, real: np.ndarray) -> tuple[float, float]:
    """Precision and recall of images averaged down to 8 x 8 pixels, with at most 5,000 evenly spaced ones of each set.

    Args:
        images, real: uint8 [n, channels, height, width], sides multiples of 8, n at least 4.

    Returns:
        Precision and recall, in [0, 1]; see `wgangp.metrics.scores.precision_recall`.
    """
    samples = (x[np.linspace(0, len(x) - 1, min(len(x), SAMPLE)).astype(int)] for x in (images, real))
    return precision_recall(*map(pixel_features, samples))


def score_pixels(images: np.ndarray, metrics: Sequence[str], real: np.ndarray) -> dict[str, tuple[float, None]]:
    """Score images by their averages over 8 x 8 fields.

    Args:
        images, real: uint8 [n, channels, height, width], sides multiples of 8, n at least 4.
        metrics: of PIXEL_METRICS.

    Returns:
        {metric: (value, None)}, as of `wgangp.metrics.image_scores.score_images`.
    """
    values = {}
    if "frechet_pixels" in metrics:
        values["frechet_pixels"] = frechet_pixels(images, real)
    if {"precision_pixels", "recall_pixels"} & set(metrics):
        values["precision_pixels"], values["recall_pixels"] = precision_recall_pixels(images, real)
    return {metric: (values[metric], None) for metric in metrics}
