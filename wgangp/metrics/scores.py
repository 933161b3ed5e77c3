"""Inception score, Fréchet distance and kernel distance, as plain functions of arrays."""

import numpy as np
from scipy.linalg import eigh, svdvals
from scipy.special import rel_entr
from sklearn.metrics import pairwise_distances_chunked
from sklearn.neighbors import NearestNeighbors

from wgangp.errors import InputError, check_number
from wgangp.metrics.checks import finite, real_numbers


def inception_score(probabilities: np.ndarray, splits: int = 10) -> tuple[float, float]:
    """Inception score exp E_x KL(p(y|x) || p(y)), over contiguous splits of the samples.

    The order of the samples matters and must not depend on what they show: if they are sorted by class, every split has
    few classes and the score is near 1.

    Args:
        probabilities: p(y|x), [n, classes], n at least `splits`.
        splits: how many parts, at least 1; p(y) is each part's own mean.

    Returns:
        Mean and population standard deviation over the splits.

    Raises:
        InputError: there are fewer samples than splits, or rows are not probabilities.

    Source: Salimans et al. 2016, Section 4; inception_score.py of improved-gan.
    """
    probabilities = real_numbers(probabilities, "probabilities", "[n, classes]")
    n = len(probabilities)
    splits = check_number("splits", splits, at_least=1, whole=True)
    if splits > n:
        raise InputError(f"{n} samples cannot be scored in {splits} splits; give at least as many samples as splits.")
    scores = []
    for i in range(splits):
        p = np.asarray(probabilities[i * n // splits : (i + 1) * n // splits], "float64")
        if not (p >= 0).all() or not np.allclose(p.sum(axis=1), 1, atol=1e-3):
            raise InputError("the probabilities have rows with negative numbers or NaN, or that do not add up to 1.")
        scores.append(np.exp(rel_entr(p, p.mean(axis=0)).sum(axis=1).mean()))
    return float(np.mean(scores)), float(np.std(scores))


def gaussian(features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The mean and the covariance (divided by n - 1) of features.

    Args:
        features: [n, d], n at least 2.

    Returns:
        float64 [d] and [d, d].

    Raises:
        InputError: the features have another shape or are not finite.
    """
    x = finite(features, "features", "[n, d]")
    if len(x) < 2:
        raise InputError("there are features of 1 sample; a covariance needs at least 2.")
    return x.mean(axis=0), np.atleast_2d(np.cov(x, rowvar=False))


def frechet_distance(a: tuple[np.ndarray, np.ndarray], b: tuple[np.ndarray, np.ndarray]) -> float:
    """Squared Fréchet distance |m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2)) of two Gaussians.

    The last trace is the sum of the singular values of C1^(1/2) C2^(1/2), which stays accurate where
    the product is singular, as with fewer samples than dimensions.

    Args:
        a, b: (mean [d], covariance [d, d]) each, such as `gaussian(features)`.

    Returns:
        A float, at least 0 up to rounding.

    Raises:
        InputError: they are no such pairs, values are NaN or infinite, or the sizes differ.

    Source: Heusel et al. 2017, Eq. 6; Dowson and Landau 1982.
    """
    if not all(isinstance(one, tuple) and len(one) == 2 for one in (a, b)):
        raise InputError("give a mean and a covariance of each, such as gaussian(features), as tuples.")
    mean_a, mean_b = (finite(mean, "the features' means", "[d]") for mean, _ in (a, b))
    if mean_a.shape != mean_b.shape:
        raise InputError(
            f"the features have {mean_a.size} and {mean_b.size} dimensions; compare equal numbers of dimensions."
        )
    form = f"[{mean_a.size}, {mean_a.size}]"
    cov_a, cov_b = (finite(covariance, "the features' covariances", form) for _, covariance in (a, b))
    cross = svdvals(_root(cov_a) @ _root(cov_b)).sum()
    return float(np.square(mean_a - mean_b).sum() + np.trace(cov_a) + np.trace(cov_b) - 2 * cross)


def _root(covariance):
    values, vectors = eigh(covariance)
    return (vectors * np.sqrt(values.clip(min=0))) @ vectors.T


def polynomial_mmd(x: np.ndarray, y: np.ndarray) -> float:
    """Unbiased squared maximum mean discrepancy with the kernel (x.y / d + 1)^3.

    Args:
        x, y: features, [n, d] and [m, d], n and m at least 2.

    Returns:
        A float, which may be negative.

    Raises:
        InputError: the features have other shapes or are not finite.

    Source: Binkowski et al. 2018, Section 3; Gretton et al. 2012, Eq. 3.
    """
    x, y = _two_sets(x, y, least=2)

    def kernel(a, b):
        return (a @ b.T / a.shape[1] + 1) ** 3

    def mean_off_diagonal(k):
        return (k.sum() - np.trace(k)) / (len(k) * (len(k) - 1))

    return float(mean_off_diagonal(kernel(x, x)) + mean_off_diagonal(kernel(y, y)) - 2 * kernel(x, y).mean())


def _two_sets(x, y, least):
    """Check two sets of features of the same length and turn them into float64."""
    x, y = finite(x, "features", "[n, d]"), finite(y, "features", "[m, d]")
    if min(len(x), len(y)) < least or x.shape[1] != y.shape[1]:
        raise InputError(f"features are {list(x.shape)} and {list(y.shape)}; give [n, d] and [m, d], n, m >= {least}.")
    return x, y


def kid(
    x: np.ndarray, y: np.ndarray, subsets: int = 100, subset_size: int = 1000, seed: int = 0
) -> tuple[float, float]:
    """Kernel Inception distance: `polynomial_mmd` averaged over random subsets.

    Args:
        x, y: features, [n, d] and [m, d].
        subsets: how many, at least 1.
        subset_size: samples of each set in a subset, at most half of n and of m, since larger ones would hardly differ.
        seed: of the choice of the subsets.

    Returns:
        Mean and population standard deviation over the subsets.

    Raises:
        InputError: there are fewer than 4 samples, or the sizes differ.

    Source: Binkowski et al. 2018, Section 4.
    """
    x, y = _two_sets(x, y, least=4)
    size = min(subset_size, len(x) // 2, len(y) // 2)
    if size < 2 or subsets < 1:
        raise InputError(f"{subsets} subsets of {size} samples give no distance; use at least 1 of at least 2.")
    rng = np.random.default_rng(check_number("seed", seed, at_least=0, whole=True))
    values = [polynomial_mmd(*(f[rng.choice(len(f), size, replace=False)] for f in (x, y))) for _ in range(subsets)]
    return float(np.mean(values)), float(np.std(values))


def precision_recall(generated: np.ndarray, real: np.ndarray, k: int = 3) -> tuple[float, float]:
    """Precision, the share of generated samples that look real, and recall, the share of real ones that are covered.

    The manifold of the real samples is the union of balls around each of them, with the distance to its k-th nearest
    neighbour among the others as radius; precision is the share of generated samples in it. Recall is the same with the
    two sets exchanged.

    Args:
        generated, real: features, [n, d] and [m, d], n and m above k; a few thousand. Compare only values of the same
            n and m.
        k: number of neighbours.

    Returns:
        Precision and recall, in [0, 1].

    Raises:
        InputError: there are too few samples, the sizes differ, values are not finite, or k is no such number.

    Source: Kynkaanniemi et al. 2019, Eq. 1 and 2, k = 3.
    """
    k = check_number("k", k, at_least=1, whole=True)
    generated, real = _two_sets(generated, real, least=k + 1)
    center = real.mean(axis=0)  # far from the origin, squared distances would lose their digits
    generated, real = generated - center, real - center
    return _share_in_manifold(generated, real, k), _share_in_manifold(real, generated, k)


def _share_in_manifold(samples, manifold, k):
    radii = NearestNeighbors(n_neighbors=k).fit(manifold).kneighbors()[0][:, -1]  # a point is not its own neighbour
    rounding = 1e-12 * max(np.square(points).sum(axis=1).max() for points in (samples, manifold))
    reach = np.sqrt(np.square(radii) + rounding)  # so that points that coincide are within a radius of 0
    inside = (
        (distances <= reach).any(axis=1)
        for distances in pairwise_distances_chunked(samples, manifold, working_memory=256)
    )
    return float(np.concatenate(list(inside)).mean())
