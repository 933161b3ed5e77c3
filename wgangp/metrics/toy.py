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
        InputError: as of `optimal_critic`.

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
        InputError: the points have other shapes, are not finite or too many, or the linear program was not solved.

    Source: Eq. 2; Villani, Optimal Transport, Theorem 5.10.
    """
    real = finite(real, "points", "[n, d]")
    fake = finite(fake, "points", f"[m, {real.shape[1]}]")
    if len(real) * len(fake) > MOST_PAIRS:
        raise InputError(f"{len(real)} and {len(fake)} points are too many for exact transport; use 10,000 of each.")
    cost = ot.dist(real, fake, metric="euclidean")
    uniform = [np.full(k, 1 / k) for k in cost.shape]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)  # with a warning, what POT returns is not a distance
            distance, dual = ot.emd2(*uniform, cost, numItermax=MOST_STEPS, log=True)
    except UserWarning as warning:
        raise InputError(
            f"the exact transport of {len(real)} to {len(fake)} points was not found ({warning}); use fewer points."
        ) from None
    return float(distance), dual["u"], -dual["v"]


def explained_share(critic_values: np.ndarray, optimal_values: np.ndarray) -> float:
    """The share of an optimal critic's variation that a critic explains, up to scale and shift.

    R^2 = corr(f, f*)^2 of the best fit f* = a + b f, b >= 0; 0 if the correlation is negative or one of them is
    constant.

    Args:
        critic_values, optimal_values: at the same points, [n] each.

    Returns:
        A float in [0, 1].

    Raises:
        InputError: values are not finite, or there are not as many of both.
    """
    finite(critic_values, "the critic's values")
    finite(optimal_values, "the optimal critic's values")
    if np.size(critic_values) != np.size(optimal_values):
        raise InputError(
            f"there are {np.size(critic_values)} values of the critic and {np.size(optimal_values)} of the optimal "
            "one; give the values of both at the same points."
        )
    f, optimal = (np.asarray(v, "float64").ravel() - np.mean(v) for v in (critic_values, optimal_values))
    norms = np.linalg.norm(f) * np.linalg.norm(optimal)
    return float(max(0.0, f @ optimal / norms) ** 2) if norms > 0 else 0.0


def optimal_surface(fake: np.ndarray, values: np.ndarray, half_width: float, size: int) -> np.ndarray:
    """The optimal critic f(z) = min_y f(y) + |z - y|, over the generated points y, on a square window.

    It is 1-Lipschitz, and as good a critic as the given values.

    Args:
        fake, values: generated points [m, 2] and an optimal critic's values there [m].
        half_width: the window is [-half_width, half_width]^2.
        size: grid points per axis.

    Returns:
        float64 [size, size]; rows are the second coordinate.

    Raises:
        InputError: the points have other shapes, or values are not finite.

    Source: Villani, Optimal Transport, Definition 5.2 (the c-transform).
    """
    fake = finite(fake, "generated points", "[m, 2]")
    values = finite(values, "the critic's values", f"[{len(fake)}]")
    distances = ot.dist(grid_points(half_width, size).astype("float64"), fake, metric="euclidean")
    return (distances + values).min(axis=1).reshape(size, size)


def mode_coverage(samples: np.ndarray, centers: np.ndarray, std: float) -> tuple[int, float]:
    """The number of modes found, and the share of good samples, of a mixture with equal weights.

    A sample is good if it is within 4 standard deviations of its nearest mode. A mode is found if at least a tenth of
    its fair share of all samples are good samples near it.

    Args:
        samples: [n, 2].
        centers: [modes, 2].
        std: of one mode, per axis.

    Returns:
        The number of modes found and the share of good samples in [0, 1].

    Raises:
        InputError: the points have other shapes, or values are not finite.
    """
    centers = finite(centers, "centers", "[modes, 2]")
    samples = finite(samples, "samples", "[n, 2]")
    distances = np.linalg.norm(samples[:, None] - centers[None], axis=2)
    nearest = distances.argmin(axis=1)
    good = distances.min(axis=1) <= 4 * std
    counts = np.bincount(nearest[good], minlength=len(centers))
    is_found = counts >= max(1, 0.1 * len(samples) / len(centers))
    return int(is_found.sum()), float(good.mean())


def grid_points(half_width: float, size: int) -> np.ndarray:
    """The points of a square grid around the origin, row by row.

    Args:
        half_width: the grid is on [-half_width, half_width]^2.
        size: grid points per axis.

    Returns:
        float32 [size * size, 2].
    """
    axis = np.linspace(-half_width, half_width, size, dtype="float32")
    return np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)


def value_surface(
    critic: Callable[[paddle.Tensor], paddle.Tensor], half_width: float, size: int
) -> tuple[np.ndarray, np.ndarray]:
    """The values and the gradient norms of a critic on a square window.

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
    """The norm of the gradient of the critic's loss at the activations of each layer, in float64.

    The loss is E[D(fake)] - E[D(real)] with n samples of each; the value of a layer is the mean over the 2n examples
    of the Euclidean norm. For the output layer it is therefore 1/n with every critic.

    Args:
        critic: an `MLP`.
        real, fake: points, [n, 2] each.

    Returns:
        [layers], first hidden layer first, output last.

    Raises:
        InputError: the points have other shapes, or points or norms are not finite.

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
    """The share of weights within 1 % of +c or -c.

    Args:
        weights: any array.
        c: the clipping bound, > 0.

    Raises:
        InputError: there are no weights, or they are not finite.

    Source: Figure 1b, right.
    """
    finite(weights, "weights")
    return float((np.abs(np.abs(weights) - c) <= 0.01 * c).mean())
