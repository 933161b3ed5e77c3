"""What is measured of a critic against the fixed generator, and of a trained generator."""

from functools import partial

import numpy as np
import paddle

from reproduction.results import row as result_row
from wgangp.metrics.toy import (
    exact_w1,
    explained_share,
    mode_coverage,
    optimal_critic,
    optimal_surface,
    value_surface,
)

HALF_WIDTH = 2.0  # the paper's window is [-2, 2]^2


def measure_critic(gan, data, config, rng, seed, job):
    n = config.w1_points
    real = data.sample(n, rng)
    fake = data.sample(n, rng) + rng.standard_normal((n, 2)).astype("float32")
    w1, *optimal = optimal_critic(real, fake)
    with paddle.no_grad():
        of_critic = [gan.discriminator(paddle.to_tensor(x)).numpy().ravel() for x in (real, fake)]
    values, norms = value_surface(gan.discriminator, HALF_WIDTH, 128)
    surface = optimal_surface(fake, optimal[1], HALF_WIDTH, 64)
    job.save_arrays(
        data,
        values=values[::2, ::2].astype("float16"),
        optimal_values=surface.astype("float16"),
        estimates=thinned(gan.history["wasserstein_estimate"]),
    )
    protocol = "on the same real and generated points, as many of each; norm on 128 x 128 points of [-2, 2]^2"
    row = partial(result_row, data=data, protocol=protocol, samples=n)
    estimate, largest = float(of_critic[0].mean() - of_critic[1].mean()), float(norms.max())
    return [
        row("exact_w1", w1),
        row("critic_estimate", estimate),
        row("largest_gradient_norm", largest),
        row("tightness", estimate / (largest * w1)),
        row("optimal_critic_explained", explained_share(np.concatenate(of_critic), np.concatenate(optimal))),
    ]


def measure_generator(gan, data, config, rng, seed, job):
    n = config.w1_points
    samples, real, other = gan.generate(10_000, seed=seed), data.sample(n, rng), data.sample(n, rng)
    job.save_arrays(data, samples=samples[:2000], estimates=thinned(gan.history["wasserstein_estimate"]))
    row = partial(result_row, data=data)
    w1 = partial(row, protocol="exact W1 to as many real points", samples=n)
    rows = [w1("sample_w1", exact_w1(samples[:n], real)), w1("sample_w1_real_against_real", exact_w1(other, real))]
    if data.centers is not None:
        count_of_modes, good = mode_coverage(samples, data.centers, data.std)
        modes = partial(row, protocol="good: within 4 standard deviations of a mode", samples=len(samples))
        rows += [modes("modes_found", count_of_modes), modes("share_of_good_samples", good)]
    return rows


def thinned(curve, most=500):
    """At most `most` evenly spaced points of a training curve, with their iterations, [2, points]."""
    chosen = np.unique(np.linspace(0, len(curve) - 1, most).astype(int))
    return np.stack([chosen + 1, curve.to_numpy()[chosen]]).astype("float32")
