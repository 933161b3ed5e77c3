"""Statistics of fields, against closed forms and direct counts."""

import numpy as np
import pytest

from wgangp.data.fields import Permeability, matern
from wgangp.errors import InputError
from wgangp.metrics.fields import (
    compare_fields,
    conductivities,
    effective_conductivity,
    radial_spectrum,
    spectrum_ratio,
    two_point_correlation,
)


def test_a_plane_waves_power_is_in_its_band():
    x = np.arange(32) / 32
    field = 3 * np.cos(2 * np.pi * (3 * x[:, None] + 4 * x))[None, None]  # a wave number of length 5
    bands, power = radial_spectrum(field)
    k = np.rint(np.fft.fftfreq(32) * 32)
    in_ring = sum(4.5 <= np.hypot(a, b) < 5.5 for a in k for b in k)
    assert list(bands) == list(range(1, 16))
    assert power[4] * in_ring == pytest.approx(9 / 2)
    assert np.delete(power, 4) == pytest.approx(np.zeros(14), abs=1e-12)


@pytest.mark.parametrize("periodic", [True, False])
def test_white_noise_has_a_flat_spectrum(periodic):
    noise = 2 * np.random.default_rng(0).normal(size=(2000, 1, 16, 16))
    power = radial_spectrum(noise, periodic)[1]
    first = 0 if periodic else 2  # the window moves some of what the subtracted mean lacks
    assert power[first:] == pytest.approx(np.full(7 - first, 4 / 256), rel=0.05)


def test_the_window_takes_the_edges_jump_away():
    ramp = np.broadcast_to(np.linspace(-1, 1, 32)[:, None], (1, 1, 32, 32))
    assert radial_spectrum(ramp, periodic=False)[1][8:].max() < 0.01 * radial_spectrum(ramp)[1][8:].max()


def test_two_point_correlation_against_a_direct_count():
    fields = np.random.default_rng(0).normal(size=(5, 1, 6, 6)) + 1
    x = fields[:, 0] - fields.mean()
    for lag, got in zip(*two_point_correlation(fields)):
        pairs = [x[n, i, j] * x[n, i + lag, j] for n in range(5) for i in range(6 - lag) for j in range(6)]
        pairs += [x[n, i, j] * x[n, i, j + lag] for n in range(5) for i in range(6) for j in range(6 - lag)]
        assert got == pytest.approx(np.mean(pairs) / fields.var())


def test_two_point_correlation_of_permeability_is_materns():
    fields = Permeability(16, 0.1, 1.0).sample(4000, np.random.default_rng(0))
    lags, got = two_point_correlation(fields)
    assert got == pytest.approx(matern(lags / 16, 0.1, 1.0), abs=0.015)


def dense_conductivity(k):
    """Kirchhoff's law cell by cell, solved densely."""
    rows, columns = k.shape
    matrix, source = np.zeros((k.size, k.size)), np.zeros(k.size)
    for i in range(rows):
        for j in range(columns):
            here = i * columns + j
            for a, b in ((i - 1, j), (i + 1, j), (i, j - 1), (i, j + 1)):
                if 0 <= a < rows and 0 <= b < columns:
                    between = 1 / (0.5 / k[i, j] + 0.5 / k[a, b])
                    matrix[here, here] += between
                    matrix[here, a * columns + b] -= between
                elif not 0 <= a < rows:
                    matrix[here, here] += 2 * k[i, j]
                    source[here] += 2 * k[i, j] * (a < 0)
    pressure = np.linalg.solve(matrix, source).reshape(k.shape)
    return (2 * k[-1] * pressure[-1]).sum() * rows / columns  # what comes out


def test_effective_conductivity_has_the_closed_forms():
    values = np.random.default_rng(0).lognormal(size=8)
    series, parallel = np.tile(values[:, None], 8), np.tile(values, (8, 1))
    assert effective_conductivity(np.full((8, 8), 3.0)) == pytest.approx(3)
    assert effective_conductivity(series) == pytest.approx(1 / np.mean(1 / values))
    assert effective_conductivity(parallel) == pytest.approx(values.mean())


def test_effective_conductivity_against_a_dense_solution_and_wieners_bounds():
    for seed in range(5):
        k = np.random.default_rng(seed).lognormal(sigma=1.5, size=(6, 7))
        got = effective_conductivity(k)
        assert got == pytest.approx(dense_conductivity(k), rel=1e-9)
        assert 1 / np.mean(1 / k) < got < k.mean()
        assert effective_conductivity(5 * k) == pytest.approx(5 * got)


def test_effective_conductivity_of_lognormal_fields_is_their_geometric_mean():
    values = conductivities(Permeability(32).sample(200, np.random.default_rng(0)))  # k and 1/k have one law in 2-D
    assert abs(values.mean()) < 3 * values.std() / np.sqrt(200) + 0.01  # harmonic means between cells lower it a little


def test_distances_that_are_known():
    fields = Permeability(16).sample(20, np.random.default_rng(0)).astype("float64")
    assert compare_fields(fields, fields, False, True) == pytest.approx(
        {"spectrum_error": 0, "correlation_error": 0, "density_distance": 0, "conductivity_distance": 0}
    )
    moved = compare_fields(fields + np.log(10), fields, periodic=True, conductivity=True)
    assert moved == pytest.approx(
        {"spectrum_error": 0, "correlation_error": 0, "density_distance": np.log(10), "conductivity_distance": 1}
    )
    larger = compare_fields(10 * fields, fields, periodic=False)
    assert larger["spectrum_error"] == pytest.approx(2) and larger["correlation_error"] == pytest.approx(0, abs=1e-12)
    assert spectrum_ratio(fields / 10, fields) == pytest.approx(np.full(7, -2.0))
    assert conductivities(np.full((1, 1, 4, 4), 1e6)) == pytest.approx([20 / np.log(10)])


def test_constant_fields_have_finite_distances():
    real = Permeability(16).sample(4, np.random.default_rng(0))
    assert np.isfinite(list(compare_fields(np.zeros_like(real), real, False, True).values())).all()


def test_what_is_not_fields_is_refused():
    good = np.zeros((2, 1, 8, 8))
    with pytest.raises(InputError, match="give \\[n, 1, size, size\\]"):
        radial_spectrum(np.zeros((2, 3, 8, 8)))
    with pytest.raises(InputError, match="generated fields have NaN"):
        compare_fields(good * np.nan, good)
    with pytest.raises(InputError, match="compare equal sizes"):
        compare_fields(good, np.zeros((2, 1, 16, 16)))
    with pytest.raises(InputError, match="positive and finite"):
        effective_conductivity(np.zeros((4, 4)))
