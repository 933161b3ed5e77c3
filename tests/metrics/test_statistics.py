"""Moments of features that come in batches against those of all at once."""

import numpy as np
import pytest

from wgangp.errors import InputError
from wgangp.metrics.scores import frechet_distance, gaussian
from wgangp.metrics.statistics import Statistics


def test_statistics_in_batches_are_those_of_the_whole(tmp_path):
    x = (np.random.default_rng(0).normal(size=(2537, 6)) * 3 + 100).astype("float32")
    statistics = Statistics(len(x), 6)
    for start in range(0, len(x), 100):
        statistics.update(x[start : start + 100])
    for moment, expected in zip(statistics.gaussian(), gaussian(x)):
        assert moment == pytest.approx(expected, rel=1e-10, abs=1e-10)
    assert np.array_equal(statistics.sample, x)
    statistics.write(tmp_path / "s.npz")
    again = Statistics.read(tmp_path / "s.npz")
    assert frechet_distance(again.gaussian(), statistics.gaussian()) == pytest.approx(0, abs=1e-9)
    assert np.array_equal(again.sample, x)


def test_statistics_keep_an_evenly_spaced_sample():
    statistics = Statistics(12_000, 1)
    for start in range(0, 12_000, 70):
        statistics.update(np.arange(start, min(start + 70, 12_000))[:, None])
    assert len(statistics.sample) == 5000 and (statistics.sample[0], statistics.sample[-1]) == (0, 11_999)
    assert set(np.diff(statistics.sample[:, 0])) == {2, 3}


def test_statistics_need_two():
    statistics = Statistics(1, 2)
    statistics.update(np.ones((1, 2)))
    with pytest.raises(InputError, match="at least 2"):
        statistics.gaussian()
