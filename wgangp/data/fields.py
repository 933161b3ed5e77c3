"""Random physical fields: log-permeability of porous media, and vorticity of two-dimensional turbulence."""

from functools import cached_property

import numpy as np
import scipy.fft
from scipy.special import gamma, kv

from wgangp.errors import InputError
from wgangp.runtime.files import array_sha256


def matern(distance: np.ndarray, length: float, smoothness: float) -> np.ndarray:
    """Matérn correlation.

    Args:
        distance: at least 0, any shape.
        length: correlation length, > 0, in the distance's unit.
        smoothness: > 0; 1/2 gives exp(-distance / length).

    Returns:
        Correlations in (0, 1], the distance's shape.

    Source: Rasmussen and Williams 2006, Eq. 4.14.
    """
    scaled = np.sqrt(2 * smoothness) * np.asarray(distance, "float64") / length
    positive = np.where(scaled > 0, scaled, 1.0)
    values = 2 ** (1 - smoothness) / gamma(smoothness) * positive**smoothness * kv(smoothness, positive)
    return np.where(scaled > 0, values, 1.0)


class Permeability:
    """Logarithms of log-normal permeability fields on the unit square, with Matérn correlation.

    The logarithm is Gaussian with mean 0 and variance 1, and is drawn exactly, by circulant embedding: the square
    is part of a torus on which the covariance is diagonal in Fourier space.

    Args:
        size: cells per side.
        length: correlation length, in sides of the square.
        smoothness: of the Matérn correlation.

    Raises:
        InputError: a number is out of its range, or no torus of up to 16 sides has a covariance without negative
            eigenvalues.

    Source: Dietrich and Newsam 1997.
    """

    name, reuse, periodic = "permeability", 1, False

    def __init__(self, size: int, length: float = 0.1, smoothness: float = 1.0):
        if not (size >= 1 and length > 0 and smoothness > 0):
            raise InputError(
                f"permeability fields of size {size}, correlation length {length} and smoothness {smoothness} "
                "do not exist; use numbers above 0."
            )
        self.size = size
        torus = 2 * size
        while torus <= 16 * size:
            lag = np.minimum(np.arange(torus), torus - np.arange(torus)) / size
            eigenvalues = scipy.fft.fft2(matern(np.hypot(lag[:, None], lag), length, smoothness)).real
            if eigenvalues.min() > -1e-10 * eigenvalues.max():  # rounding
                self.scale = np.sqrt(eigenvalues.clip(min=0)) / torus
                return
            torus *= 2
        raise InputError(
            f"fields of correlation length {length} and smoothness {smoothness} cannot be drawn exactly on a torus of "
            "16 sides; use a shorter length."
        )

    def sample(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """Draw fields.

        Args:
            n: how many, at least 1.
            rng: a numpy.random.Generator.

        Returns:
            float32 [n, 1, size, size].
        """
        fields = np.empty([n + n % 2, self.size, self.size], "float32")
        for i in range(0, n, 2):  # real and imaginary part are independent
            noise = rng.standard_normal([2, *self.scale.shape])
            drawn = scipy.fft.fft2(self.scale * (noise[0] + 1j * noise[1]))[: self.size, : self.size]
            fields[i], fields[i + 1] = drawn.real, drawn.imag
        return fields[:n, None]

    @cached_property
    def sha256(self) -> str:
        """The digest of the first 100 fields drawn with seed 0, which identifies the data."""
        return array_sha256(self.sample(100, np.random.default_rng(0)))


class Flow:
    """Two-dimensional incompressible flow in a periodic square of side 2 pi, pseudo-spectral, many at once.

    dw/dt + u . grad w = viscosity * laplace w; 2/3 dealiasing, the viscous term exactly by an integrating factor,
    fourth-order Runge-Kutta.

    Args:
        size: modes below size / 2 in each direction are kept; products are computed on 3 size / 2 points per side.
        viscosity: at least 0.

    Source: Canuto, Hussaini, Quarteroni and Zang 1988, Section 4.3 and 7.2.
    """

    def __init__(self, size: int, viscosity: float):
        self.size, self.viscosity = size, viscosity
        self.points = 3 * size // 2
        self.kx = scipy.fft.fftfreq(self.points, 1 / self.points).astype("float32")[:, None]
        self.ky = np.arange(self.points // 2 + 1, dtype="float32")
        self.k2 = self.kx**2 + self.ky**2
        self.kept_modes = (np.abs(self.kx) < size / 2) & (self.ky < size / 2) & (self.k2 > 0)
        self.inverse = np.where(self.kept_modes, 1 / np.where(self.k2 > 0, self.k2, 1), 0)

    def velocity(self, spectrum: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The velocity's two components in Fourier space, from the stream function."""
        stream = self.inverse * spectrum
        return 1j * self.ky * stream, -1j * self.kx * stream

    def tendency(self, spectrum: np.ndarray) -> np.ndarray:
        """-u . grad w in Fourier space, in flux form."""
        parts = [*self.velocity(spectrum), spectrum]
        u, v, vorticity = (scipy.fft.irfft2(part, s=(self.points, self.points)) for part in parts)
        fluxes = scipy.fft.rfft2(u * vorticity), scipy.fft.rfft2(v * vorticity)
        return np.where(self.kept_modes, -1j * (self.kx * fluxes[0] + self.ky * fluxes[1]), 0)

    def advance(self, spectrum: np.ndarray, step: float, steps: int) -> np.ndarray:
        """Integrate in time.

        Args:
            spectrum: rfft2 of vorticity on the points, complex [n, points, points // 2 + 1].
            step: in time units.
            steps: how many.

        Returns:
            The spectrum afterwards.
        """
        half = np.exp(-self.viscosity * self.k2.astype("float64") * step / 2).astype(spectrum.real.dtype)
        for _ in range(steps):
            a = self.tendency(spectrum)
            b = self.tendency(half * (spectrum + step / 2 * a))
            c = self.tendency(half * spectrum + step / 2 * b)
            d = self.tendency(half * (half * spectrum + step * c))
            spectrum = half * (half * (spectrum + step / 6 * a) + step / 3 * (b + c)) + step / 6 * d
        return spectrum

    def to_grid(self, spectrum: np.ndarray) -> np.ndarray:
        """Vorticity on size points per side, [n, size, size]; exact, since the kept modes fit there."""
        h = self.size // 2
        kept = np.concatenate([spectrum[:, :h], spectrum[:, -h:]], axis=1)[:, :, : h + 1]
        return scipy.fft.irfft2(kept, s=(self.size, self.size)) * (self.size / self.points) ** 2


class Vorticity:
    """Snapshots of decaying two-dimensional turbulence, in units of their common standard deviation.

    Random initial flows with energy spectrum k / (1 + (k / 6)^4) and mean square velocity 1 decay for 2 time units (15
    over the initial root mean square vorticity) with viscosity 0.01. Samples are shifted, turned by right angles and
    reflected at random, under which their law is invariant (a reflection changes the sign of vorticity).

    Args:
        size: points per side, even. Only modes that fit there are computed: at size 32 the bands 13, 14 and 15
            have 0.06, 0.12 and 0.24 decades more power than with twice as many points; the others differ by at
            most 0.03.
        runs: how many flows are computed, each for one snapshot.
        seed: of the initial flows; other seeds give independent flows.

    Attributes:
        fields: the snapshots, float32 [runs, size, size].

    Raises:
        InputError: an odd size, or no runs.

    Source: McWilliams 1984 for the initial spectrum.
    """

    name, reuse, periodic = "vorticity", 1, True
    viscosity, time = 0.01, 2.0
    unit = 2.2  # standard deviation of the snapshots at 32 points

    def __init__(self, size: int, runs: int, seed: int = 0):
        if size % 2 or size < 4 or runs < 1:
            raise InputError(
                f"vorticity fields of size {size} in {runs} runs cannot be computed; use an even size of 4 or more and "
                "at least 1 run."
            )
        self.size = size
        flow, rng = Flow(size, self.viscosity), np.random.default_rng([seed, 2])
        steps = max(80, 5 * size // 2)  # stable while |u| + |v| < 7, and they begin below 6
        self.fields = np.empty([runs, size, size], "float32")
        for start in range(0, runs, 64):  # small enough for the processor's cache
            n = min(64, runs - start)
            spectrum = flow.advance(self.initial(flow, n, rng), self.time / steps, steps)
            self.fields[start : start + n] = flow.to_grid(spectrum) / self.unit

    @staticmethod
    def initial(flow: Flow, n: int, rng: np.random.Generator) -> np.ndarray:
        """Random initial vorticity in Fourier space, complex64 [n, points, points // 2 + 1]."""
        noise = scipy.fft.rfft2(rng.standard_normal([n, flow.points, flow.points], dtype="float32"))
        k = np.sqrt(flow.k2)
        spectrum = flow.kept_modes * k * (1 + (k / 6) ** 4) ** -0.5 * noise  # enstrophy k^2 E(k), over 2 pi k modes
        u, v = (scipy.fft.irfft2(part, s=(flow.points, flow.points)) for part in flow.velocity(spectrum))
        speed = np.sqrt((u**2 + v**2).mean(axis=(1, 2), keepdims=True))
        return (spectrum / speed).astype("complex64")

    def sample(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """Draw snapshots, each of another run while there are enough.

        Args:
            n: how many, at least 1.
            rng: a numpy.random.Generator.

        Returns:
            float32 [n, 1, size, size].
        """
        fields = self.fields[rng.choice(len(self.fields), n, replace=n > len(self.fields))]
        shifts, turns, signs = (rng.integers(high, size=size) for high, size in ((self.size, (n, 2)), (4, n), (2, n)))
        for i, (shift, turn, sign) in enumerate(zip(shifts, turns, signs, strict=True)):
            field = np.rot90(np.roll(fields[i], shift, axis=(0, 1)), turn)
            fields[i] = -field[::-1] if sign else field
        return fields[:, None]

    @cached_property
    def sha256(self) -> str:
        """The digest of the snapshots' bytes, in order."""
        return array_sha256(self.fields)
