"""Measures of two-dimensional samples and of critics on the plane."""

import copy
import warnings
from collections.abc import Callable

import numpy as np
import ot
import paddle

from wgangp.errors import InputError
from wgangp.losses import gradient_norms, wasserstein_critic_loss
from wgangp.metrics.checks import finite

MOST_PAIRS = 10**8  # of points, in exact transport: a matrix of 800 MB
MOST_STEPS = 10_000_000  # of the simplex algorithm


def exact_w1(x: np.ndarray, y: np.ndarray) -> float:
    """Exact Wasserstein-1 distance between two samples, by linear programming (POT).

    Args:
        x, y: points, [n, d] and [m, d]; a few thousand (memory and time grow as n m).

    Returns:
        A float, in the data's units.

    Raises:
        InputError: as `optimal_critic`.

    Source: Villani, Optimal Transport, Definition 6.1, which the paper's Eq. 2 estimates by duality.
    """
    return optimal_critic(x, y)[0]


def optimal_critic(real: np.ndarray, fake: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
    """Exact Wasserstein-1 distance between two samples, and an optimal critic's values at their points.

    The values f solve the dual: they maximise mean f(real) - mean f(fake) under f(x) - f(y) <= |x - y| for every real x
    and generated y.

    Args:
        real, fake: points, [n, d] and [m, d]; a few thousand (memory and time grow as n m).

    Returns:
        The distance, in the data's units; the values at real points [n] and at generated ones [m], up to one constant.

    Raises:
        InputError: other shapes, values that are not finite, too many points, or the linear program was not solved.

    Source: Eq. 2; Villani, Optimal Transport, Theorem 5.10.
    """
    real = finite(real, "points", "[n, d]")
    fake = finite(fake, "points", f"[m, {real.shape[1]}]")
    if len(real) * len(fake) > MOST_PAIRS:
        raise InputError(f"{len(real)} and {len(fake)} points are too many for exact transport; take 10,000 of each.")
    cost = ot.dist(real, fake, metric="euclidean")
    uniform = [np.full(k, 1 / k) for k in cost.shape]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)  # what POT returns beside one is no distance
            distance, dual = ot.emd2(*uniform, cost, numItermax=MOST_STEPS, log=True)
    except UserWarning as warning:
        raise InputError(
            f"the exact transport of {len(real)} to {len(fake)} points was not found ({warning}); take fewer points."
        ) from None
    return float(distance), dual["u"], -dual["v"]


def explained_share(critic_values: np.ndarray, optimal_values: np.ndarray) -> float:
    """Share of an optimal critic's variation that a critic explains, up to scale and shift.

    R^2 = corr(f, f*)^2 of the best fit f* = a + b f, b >= 0; 0 where the two fall together or not at all.

    Args:
        critic_values, optimal_values: at the same points, [n] each.

    Returns:
        A float in [0, 1].

    Raises:
        InputError: values that are not finite, or not as many of both.
    """
    finite(critic_values, "the critic's values")
    finite(optimal_values, "the optimal critic's values")
    if np.size(critic_values) != np.size(optimal_values):
        raise InputError(
            f"there are {np.size(critic_values)} values of the critic and {np.size(optimal_values)} of the optimal "
            "one; give as many, at the same points."
        )
    f, optimal = (np.asarray(v, "float64").ravel() - np.mean(v) for v in (critic_values, optimal_values))
    norms = np.linalg.norm(f) * np.linalg.norm(optimal)
    return float(max(0.0, f @ optimal / norms) ** 2) if norms > 0 else 0.0


def optimal_surface(fake: np.ndarray, values: np.ndarray, half_width: float, size: int) -> np.ndarray:
    """The optimal critic f(z) = min_y f(y) + |z - y|, over the generated points y, on a square window.

    It is 1-Lipschitz, and as good as the values that it is made of.

    Args:
        fake, values: generated points [m, 2] and an optimal critic's values there [m].
        half_width: the window is [-half_width, half_width]^2.
        size: grid points per axis.

    Returns:
        float64 [size, size]; rows are the second coordinate.

    Raises:
        InputError: other shapes, or values that are not finite.

    Source: Villani, Optimal Transport, Definition 5.2 (the c-transform).
    """
    fake = finite(fake, "generated points", "[m, 2]")
    values = finite(values, "the critic's values", f"[{len(fake)}]")
    distances = ot.dist(grid_points(half_width, size).astype("float64"), fake, metric="euclidean")
    return (distances + values).min(axis=1).reshape(size, size)


def mode_coverage(samples: np.ndarray, centers: np.ndarray, std: float) -> tuple[int, float]:
    """Modes found, and share of good samples, of a mixture with equal weights.

    A sample is good within 4 standard deviations of its nearest mode. A mode is found when it
    receives at least a tenth of its fair share of the samples as good ones.

    Args:
        samples: [n, 2].
        centers: [modes, 2].
        std: of one mode, per axis.

    Returns:
        The number of modes found and the share of good samples in [0, 1].

    Raises:
        InputError: other shapes, or values that are not finite.
    """
    centers = finite(centers, "centers", "[modes, 2]")
    samples = finite(samples, "samples", "[n, 2]")
    distances = np.linalg.norm(samples[:, None] - centers[None], axis=2)
    nearest = distances.argmin(axis=1)
    good = distances.min(axis=1) <= 4 * std
    counts = np.bincount(nearest[good], minlength=len(centers))
    found = counts >= max(1, 0.1 * len(samples) / len(centers))
    return int(found.sum()), float(good.mean())


def grid_points(half_width: float, size: int) -> np.ndarray:
    """Points of a square grid around the origin, row by row, float32 [size * size, 2]."""
    axis = np.linspace(-half_width, half_width, size, dtype="float32")
    return np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)


def value_surface(
    critic: Callable[[paddle.Tensor], paddle.Tensor], half_width: float, size: int
) -> tuple[np.ndarray, np.ndarray]:
    """Critic's values and gradient norms on a square window.

    Args:
        critic: maps [n, 2] to [n, 1].
        half_width: the window is [-half_width, half_width]^2.
        size: grid points per axis.

    Returns:
        Two float32 arrays [size, size]; rows are the second coordinate.
    """
    points = paddle.to_tensor(grid_points(half_width, size))
    with paddle.no_grad():
        values = critic(points)
    norms = gradient_norms(critic, points, create_graph=False)
    return values.numpy().reshape(size, size), norms.numpy().reshape(size, size)


def layer_gradient_norms(critic: paddle.nn.Layer, real: np.ndarray, fake: np.ndarray) -> np.ndarray:
    """Norm of the critic loss's gradient at each layer's activations, in float64.

    The loss is E[D(fake)] - E[D(real)] with n of each; a layer's figure is the mean over the 2n
    examples of the Euclidean norm. The output layer's is therefore 1/n for every critic.

    Args:
        critic: an `MLP`.
        real, fake: points, [n, 2] each.

    Returns:
        [layers], first hidden layer first, output last.

    Raises:
        InputError: other shapes, or points or norms that are not finite.

    Source: Figure 1b, left; Section 3.2.
    """
    real = finite(real, "real points", "[n, d]")
    fake = finite(fake, "generated points", str(list(real.shape)))
    critic = copy.deepcopy(critic).to(dtype="float64")
    x = paddle.to_tensor(np.concatenate([real, fake]), dtype="float64")
    activations = critic.activations(x)
    real_scores, fake_scores = activations[-1].split(2)
    gradients = paddle.grad(wasserstein_critic_loss(real_scores, fake_scores), activations)
    norms = np.array([float(g.norm(axis=1).mean()) for g in gradients])
    if not np.isfinite(norms).all():
        raise InputError("the critic's gradients are NaN or infinite; its training has diverged.")
    return norms


def share_at_bounds(weights: np.ndarray, c: float) -> float:
    """Share of weights within 1 % of +c or -c.

    Args:
        weights: any array.
        c: the clipping bound, > 0.

    Raises:
        InputError: no weights, or weights that are not finite.

    Source: Figure 1b, right.
    """
    finite(weights, "weights")
    return float((np.abs(np.abs(weights) - c) <= 0.01 * c).mean())
