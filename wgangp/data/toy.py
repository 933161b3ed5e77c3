"""The three toy distributions of Figure 1, with the authors' scales (gan_toy.py lines 186-229)."""

import hashlib
from functools import cached_property

import numpy as np
from sklearn.datasets import make_swiss_roll

from wgangp.errors import InputError

NAMES = ("8gaussians", "25gaussians", "swissroll")


class Toy:
    """A two-dimensional toy distribution.

    Args:
        name: "8gaussians" (ring of radius 1.414, standard deviation 0.0141), "25gaussians" (5 x 5 grid
            of spacing 0.707, standard deviation 0.0177; drawn from 100,000 fixed points) or
            "swissroll" (scikit-learn's, noise 0.25, columns 0 and 2, divided by 7.5).
        reuse: how many batches in a row are the same draw (10 in the authors' Figure 1a script).

    Attributes:
        centers: the modes, [8, 2] or [25, 2]; None for the Swiss roll.
        std: of one mode, per axis; None for the Swiss roll.

    Raises:
        InputError: an unknown name.

    Source: gan_toy.py lines 186-229.
    """

    def __init__(self, name: str, reuse: int = 1):
        if name not in NAMES:
            raise InputError(f"toy data '{name}' is unknown; use one of {', '.join(NAMES)}.")
        self.name, self.reuse = name, reuse
        self.centers = self.std = None
        if name == "8gaussians":
            angle = np.arange(8) * np.pi / 4
            self.centers = 2 * np.stack([np.cos(angle), np.sin(angle)], axis=1) / 1.414
            self.std = 0.02 / 1.414
        elif name == "25gaussians":
            grid = np.arange(-4, 5, 2)
            self.centers = np.stack(np.meshgrid(grid, grid), axis=-1).reshape(-1, 2) / 2.828
            self.std = 0.05 / 2.828
            rng = np.random.default_rng(25)
            self.points = self._around(np.repeat(self.centers, 4000, axis=0), rng)

    @cached_property
    def sha256(self) -> str:
        """The digest of the first 10,000 points drawn with seed 0, which identifies the data."""
        return hashlib.sha256(self.sample(10_000, np.random.default_rng(0)).tobytes()).hexdigest()

    def _around(self, centers, rng):
        return (centers + self.std * rng.standard_normal(centers.shape)).astype("float32")

    def sample(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """Draw points.

        Args:
            n: how many, at least 1.
            rng: a numpy.random.Generator.

        Returns:
            float32 [n, 2].
        """
        if self.name == "8gaussians":
            return self._around(self.centers[rng.integers(8, size=n)], rng)
        if self.name == "25gaussians":
            return self.points[rng.integers(len(self.points), size=n)]
        seed = int(rng.integers(2**32))
        return (make_swiss_roll(n, noise=0.25, random_state=seed)[0][:, [0, 2]] / 7.5).astype("float32")
