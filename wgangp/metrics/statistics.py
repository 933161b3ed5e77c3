"""The statistics of features that FID and KID need: mean, covariance and a sample."""

from pathlib import Path

import numpy as np

from wgangp.errors import InputError
from wgangp.runtime.files import check_floats, read_npz, replacing, write_npz

SAMPLE = 5000  # features that are kept for KID
CHUNK = 1000  # features that are merged at a time: each merge costs a pass over the matrix [size, size]


class Statistics:
    """Mean, covariance and an evenly spaced sample of features that come in batches, in float64.

    Args:
        total: how many features will come.
        size: length of each.

    Attributes:
        n: how many have been merged; after the last batch, all.
        mean: [size].
        scatter: sum of (x - mean)(x - mean)^T, [size, size].
        sample: every k-th feature, float32 [at most 5,000, size].
    """

    def __init__(self, total: int, size: int):
        self.n, self.mean, self.scatter = 0, np.zeros(size), np.zeros((size, size))
        self.total, self.pending = total, []
        self.sample_indices = np.linspace(0, total - 1, min(total, SAMPLE)).astype(int)
        self.sample = np.zeros((len(self.sample_indices), size), "float32")

    def update(self, features: np.ndarray) -> None:
        """Add a batch.

        Args:
            features: [batch, size].

        Source: Chan, Golub and LeVeque 1979, the merging of two sets' moments.
        """
        self.pending.append(features)
        waiting = sum(map(len, self.pending))
        if waiting < CHUNK and self.n + waiting < self.total:
            return
        x = np.concatenate(self.pending).astype("float64")
        self.pending = []
        first, last = np.searchsorted(self.sample_indices, [self.n, self.n + len(x)])
        self.sample[first:last] = x[self.sample_indices[first:last] - self.n]
        mean = x.mean(axis=0)
        x -= mean
        shift, total = mean - self.mean, self.n + len(x)
        self.scatter += x.T @ x + np.outer(shift, shift) * (self.n * len(x) / total)
        self.mean += shift * (len(x) / total)
        self.n = total

    def gaussian(self) -> tuple[np.ndarray, np.ndarray]:
        """The mean and the covariance (divided by n - 1), as `frechet_distance` needs them.

        Returns:
            float64 [size] and [size, size].

        Raises:
            InputError: there are fewer than 2 features.
        """
        if self.n < 2:
            raise InputError("a covariance needs at least 2 images.")
        return self.mean, self.scatter / (self.n - 1)

    def write(self, path: Path | str) -> None:
        """Write to an npz file, whole or not at all.

        Args:
            path: of the file.
        """
        with replacing(path) as file:
            write_npz(file, {name: getattr(self, name) for name in ("n", "mean", "scatter", "sample")})

    @classmethod
    def read(cls, path: Path | str) -> "Statistics":
        """Read what `write` wrote.

        Args:
            path: of the file.

        Raises:
            InputError: the file is missing, damaged or something else.
        """
        arrays, statistics = read_npz(path, limit=0), cls(0, 0)
        n, mean = (arrays.get(name, np.zeros(0)) for name in ("n", "mean"))
        if n.shape == () and n.dtype.kind == "i":
            statistics.n = int(n)
        shapes = {"mean": (mean.size,), "scatter": 2 * (mean.size,), "sample": (min(statistics.n, SAMPLE), mean.size)}
        vars(statistics).update(check_floats(arrays, shapes, f"{path} does not hold statistics", "delete it"))
        return statistics
