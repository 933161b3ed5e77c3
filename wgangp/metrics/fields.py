"""Statistics of two-dimensional scalar fields, and their distance between two sets of fields."""

from typing import Any

import numpy as np
import scipy.fft
from scipy.sparse import coo_matrix
from scipy.sparse.linalg import spsolve
from scipy.stats import wasserstein_distance

from wgangp.errors import InputError
from wgangp.metrics.checks import LARGEST, real_numbers


def check_fields(fields: Any, what: str = "fields") -> np.ndarray:
    """Check that something is a set of square scalar fields.

    Args:
        fields: [n, 1, size, size] or [n, size, size].
        what: what messages call them.

    Returns:
        float64 [n, size, size].

    Raises:
        InputError: they have another shape, are not real numbers, or have NaN or infinite values.
    """
    array = real_numbers(fields, what).astype("float64", copy=False)
    if array.ndim == 4 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 3 or array.shape[1] != array.shape[2] or array.shape[1] < 4 or not len(array):
        raise InputError(f"{what} have shape {list(np.shape(fields))}; give [n, 1, size, size], size at least 4.")
    if not (np.abs(array) <= LARGEST).all():
        raise InputError(f"{what} have NaN or infinite values; the generator may have diverged.")
    return array


def radial_spectrum(fields: np.ndarray, periodic: bool = True) -> tuple[np.ndarray, np.ndarray]:
    """The power spectrum, averaged over rings of wave numbers and over the fields.

    Ring b contains the wave numbers of length [b - 1/2, b + 1/2), in cycles per side; only whole rings are used.

    Args:
        fields: [n, 1, size, size].
        periodic: whether the fields are. Otherwise the mean of each is subtracted and it is tapered by a Hann window in
            both directions, so that the jump at the edges does not hide the spectrum.

    Returns:
        Bands 1 to size / 2 - 1, and the mean power |f|^2 / size^4 per mode in each, [bands] both.
    """
    fields = check_fields(fields)
    size = fields.shape[-1]
    if not periodic:
        window = np.hanning(size + 1)[:-1] * np.sqrt(8 / 3)  # of mean square 1
        fields = (fields - fields.mean(axis=(1, 2), keepdims=True)) * window[:, None] * window
    power = np.square(np.abs(scipy.fft.fft2(fields))).mean(axis=0) / size**4
    k = scipy.fft.fftfreq(size, 1 / size)
    ring = np.floor(np.hypot(k[:, None], k) + 0.5).astype(int)
    bands = np.arange(1, size // 2)
    sums = np.bincount(ring.ravel(), power.ravel())[bands]
    return bands, sums / np.bincount(ring.ravel())[bands]


def two_point_correlation(fields: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The correlation of two points along the axes, averaged over positions, both directions and the fields.

    The mean that is subtracted and the variance that is divided by are those of all fields together.

    Args:
        fields: [n, 1, size, size].

    Returns:
        Lags 0 to size / 2 in cells, and the correlations, [lags] both.
    """
    fields = check_fields(fields)
    centred = fields - fields.mean()
    variance = np.square(centred).mean()
    size = fields.shape[-1]
    lags = np.arange(size // 2 + 1)
    sums = [
        (centred[:, lag:] * centred[:, : size - lag]).mean()
        + (centred[:, :, lag:] * centred[:, :, : size - lag]).mean()
        for lag in lags
    ]
    return lags, np.array(sums) / 2 / (variance or 1.0)


def effective_conductivity(permeability: np.ndarray) -> float:
    """The conductivity of a homogeneous square with the same flow as a heterogeneous one, along the first axis.

    Darcy's law with incompressibility, div(k grad p) = 0, with pressure 1 and 0 on two opposite sides and no flow
    through the others, by finite volumes with harmonic means between the cells.

    Args:
        permeability: positive, [size, size].

    Returns:
        The flow per pressure drop, a float between the harmonic and the arithmetic mean.

    Raises:
        InputError: it is not positive and finite.

    Source: Renard and de Marsily 1997, Section 2.
    """
    k = real_numbers(permeability, "permeabilities").astype("float64", copy=False)
    if k.ndim != 2 or not k.size or not ((1 / LARGEST <= k) & (k <= LARGEST)).all():
        raise InputError("permeability must be positive and finite, [size, size]; exponentiate its logarithm first.")
    cells = np.arange(k.size).reshape(k.shape)
    pairs = [(cells[:-1], cells[1:]), (cells[:, :-1], cells[:, 1:])]
    a, b = (np.concatenate([pair[i].ravel() for pair in pairs]) for i in (0, 1))
    ka, kb = k.ravel()[a], k.ravel()[b]
    between = 2 * ka * kb / (ka + kb)
    inlet, outlet = 2 * k[0], 2 * k[-1]  # half a cell from the sides
    diagonal = np.zeros(k.shape)
    diagonal[0] += inlet
    diagonal[-1] += outlet
    rows = np.concatenate([a, b, a, b, cells.ravel()])
    columns = np.concatenate([b, a, a, b, cells.ravel()])
    values = np.concatenate([-between, -between, between, between, diagonal.ravel()])
    matrix = coo_matrix((values, (rows, columns)), shape=(k.size, k.size)).tocsc()
    source = np.zeros(k.shape)
    source[0] = inlet
    pressure = spsolve(matrix, source.ravel()).reshape(k.shape)
    return float((inlet * (1 - pressure[0])).sum() * k.shape[0] / k.shape[1])


def conductivities(log_fields: np.ndarray, limit: float = 20.0) -> np.ndarray:
    """The logarithms to base 10 of the effective conductivities of log-permeability fields.

    Args:
        log_fields: natural logarithms of permeability, [n, 1, size, size].
        limit: values are clipped to [-limit, limit], so that an extreme field still has a conductivity.

    Returns:
        [n], in decades.
    """
    fields = check_fields(log_fields).clip(-limit, limit)
    return np.log10([effective_conductivity(np.exp(field)) for field in fields])


def compare_fields(
    generated: np.ndarray, real: np.ndarray, periodic: bool = True, conductivity: bool = False
) -> dict[str, float]:
    """The distances of a set of fields from real ones.

    Args:
        generated, real: [n, 1, size, size] and [m, 1, size, size].
        periodic: as for `radial_spectrum`.
        conductivity: whether the fields are log-permeabilities.

    Returns:
        {name: float}: `spectrum_error`, the mean over bands of |log10 of the power's ratio| in decades;
        `correlation_error`, the largest difference of two-point correlations; `density_distance`, the Wasserstein
        distance of single values, in their unit; with conductivity `conductivity_distance`, the Wasserstein distance of
        log10 effective conductivities in decades.

    Raises:
        InputError: their sizes differ, or the fields are unusable.
    """
    generated, real = check_fields(generated, "generated fields"), check_fields(real, "real fields")
    if generated.shape[1:] != real.shape[1:]:
        raise InputError(
            f"generated fields are {list(generated.shape[1:])}, real ones {list(real.shape[1:])}; compare equal sizes."
        )
    correlations = [two_point_correlation(fields)[1] for fields in (generated, real)]
    distances = {
        "spectrum_error": float(np.abs(spectrum_ratio(generated, real, periodic)).mean()),
        "correlation_error": float(np.abs(correlations[0] - correlations[1]).max()),
        "density_distance": float(wasserstein_distance(generated.ravel(), real.ravel())),
    }
    if conductivity:
        values = conductivities(generated), conductivities(real)
        distances["conductivity_distance"] = float(wasserstein_distance(*values))
    return distances


def spectrum_ratio(generated: np.ndarray, real: np.ndarray, periodic: bool = True) -> np.ndarray:
    """The logarithm to base 10 of the ratio of the generated fields' power to the real ones', in each band.

    Args:
        generated, real, periodic: as for `compare_fields`.

    Returns:
        [bands], in decades; powers below 1e-12 count as 1e-12.
    """
    powers = [np.maximum(radial_spectrum(fields, periodic)[1], 1e-12) for fields in (generated, real)]
    return np.log10(powers[0] / powers[1])
