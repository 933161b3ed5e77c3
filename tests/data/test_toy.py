import hashlib

import numpy as np
import pytest

from wgangp import InputError
from wgangp.data.toy import NAMES, Toy


@pytest.mark.parametrize("name, radius, std, modes", [("8gaussians", 2, 0.02, 8), ("25gaussians", None, 0.05, 25)])
def test_moments_of_the_mixtures(name, radius, std, modes):
    data = Toy(name)
    scale = {"8gaussians": 1.414, "25gaussians": 2.828}[name]
    x = data.sample(50_000, np.random.default_rng(0)).astype("float64")
    nearest = np.linalg.norm(x[:, None] - data.centers, axis=2).argmin(axis=1)
    assert len(data.centers) == modes and data.std == pytest.approx(std / scale)
    counts = np.bincount(nearest, minlength=modes)
    expected = 50_000 / modes
    assert ((counts - expected) ** 2 / expected).sum() < modes + 6 * np.sqrt(2 * modes)  # chi-square
    offsets = x - data.centers[nearest]
    assert offsets.std() == pytest.approx(data.std, rel=0.02)
    assert abs(offsets.mean()) < 5 * data.std / np.sqrt(100_000)
    if radius:
        assert np.linalg.norm(data.centers, axis=1) == pytest.approx(radius / scale)
    else:
        assert np.unique(data.centers.round(6)[:, 0]) == pytest.approx(np.array([-4, -2, 0, 2, 4]) / scale, abs=1e-6)


def test_centers_are_the_authors():
    s = 1 / np.sqrt(2)
    ring = [(1, 0), (s, s), (0, 1), (-s, s), (-1, 0), (-s, -s), (0, -1), (s, -s)]
    assert Toy("8gaussians").centers == pytest.approx(2 * np.array(ring) / 1.414)
    grid = [(x, y) for y in range(-2, 3) for x in range(-2, 3)]
    assert Toy("25gaussians").centers == pytest.approx(2 * np.array(grid) / 2.828)


def test_swiss_roll_lies_on_its_spiral():
    x = Toy("swissroll").sample(20_000, np.random.default_rng(0)).astype("float64") * 7.5
    # Before the noise the points are t (cos t, sin t) with t uniform in [1.5 pi, 4.5 pi].
    t = np.linalg.norm(x, axis=1)
    assert 1.5 * np.pi - 1 < t.min() and t.max() < 4.5 * np.pi + 1
    assert t.mean() == pytest.approx(3 * np.pi, rel=0.01)
    curve = np.linspace(1.5 * np.pi, 4.5 * np.pi, 4000)
    spiral = np.stack([curve * np.cos(curve), curve * np.sin(curve)], axis=1)
    distance = np.sqrt(((x[:500, None] - spiral) ** 2).sum(axis=2)).min(axis=1)
    assert 0.1 < np.sqrt((distance**2).mean()) < 0.3  # the part of the 0.25 noise across the curve


@pytest.mark.parametrize("name", NAMES)
def test_samplers_are_seeded(name):
    draw = lambda seed: Toy(name).sample(64, np.random.default_rng(seed))  # noqa: E731
    assert draw(0).dtype == np.float32 and draw(0).shape == (64, 2)
    assert (draw(0) == draw(0)).all() and (draw(0) != draw(1)).any()
    first_points = Toy(name).sample(10_000, np.random.default_rng(0))
    assert Toy(name).sha256 == hashlib.sha256(first_points.tobytes()).hexdigest()


@pytest.mark.parametrize("name, digest", [("8gaussians", "d72f62996ec6d6e4"), ("25gaussians", "199a0bccd0b0e6fa")])
def test_points_are_those_of_the_committed_results(name, digest):
    assert Toy(name).sha256.startswith(digest)  # data_sha256 of results/fig2_toy_8gaussians.csv


def test_unknown_name():
    with pytest.raises(InputError, match="toy data 'moons' is unknown"):
        Toy("moons")
