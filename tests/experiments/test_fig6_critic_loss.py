"""The measures of Figure 5: gap, windows and rank correlation, on curves whose values are known."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from reproduction import evaluation
from reproduction.experiment import Experiment
from reproduction.job import NoJob
from wgangp.data.images import embedded_patches


@pytest.fixture
def fig6(tmp_path, monkeypatch):
    for name, value in (("OUTPUT", tmp_path / "output"), ("DATA", tmp_path / "no_data"), ("OFFLINE", "1")):
        monkeypatch.setenv(f"WGANGP_{name}", str(value))
    return Experiment("fig6_critic_loss")


def curve(train, validation, every):
    """Losses measured after every so many iterations, by iteration counted from 0."""
    index = np.arange(1, len(train) + 1) * every - 1
    return pd.DataFrame({"train": train, "validation": validation}, index=index)


def test_changes_of_straight_lines(fig6):
    n, every = 200, 100
    time = np.arange(1, n + 1) / n  # 0 to 1 over training
    values = fig6.module("measures").changes(curve(3 + 4 * time, 5 - 2 * time, every))
    end = 1 - 0.05 + 0.5 / n  # the mean time of the last tenth
    quarter = 0.25 + 0.5 / n  # of a tenth centred at a quarter
    assert values["gap_at_end"] == pytest.approx(-2 + 6 * end)
    assert values["train_loss_change_since_quarter"] == pytest.approx(4 * (end - quarter))
    assert values["validation_loss_change_since_quarter"] == pytest.approx(-2 * (end - quarter))


def test_changes_see_nothing_outside_their_windows(fig6):
    n = 200
    losses = np.zeros(n)
    losses[:40], losses[60:180] = 1e6, -1e6  # all but the tenth at a quarter and the last one
    assert set(fig6.module("measures").changes(curve(losses, losses, 100)).values()) == {0}
    assert set(fig6.module("measures").changes(curve([2.0], [2.0], 1)).values()) == {0}  # as short as can be


def test_gap_over_range(fig6):
    n, every = 10, 100
    train = np.linspace(10, 1, n)  # range 9
    gap = np.where(np.arange(n) < n // 2, 100, np.where(np.arange(n) % 2, 0.9, -0.9))  # large in the first half alone
    assert fig6.module("measures").gap_over_range(curve(train, train - gap, every), n * every) == pytest.approx(0.1)
    flat = np.ones(n)
    assert math.isnan(fig6.module("measures").gap_over_range(curve(flat, flat, every), n * every))


def test_rank_correlation_takes_the_mean_loss_since_the_last_distance(fig6):
    rng = np.random.default_rng(0)
    loss = pd.Series(rng.normal(size=60), index=np.arange(1, 61) * 10 - 1)
    distances = pd.Series(rng.normal(size=6), index=np.arange(1, 7) * 100 - 1)
    means = [loss.to_numpy()[10 * i : 10 * i + 10].mean() for i in range(6)]
    expected = stats.spearmanr(means, distances)[0]
    assert fig6.module("measures").rank_correlation(loss, distances) == pytest.approx(expected)
    later = pd.concat([loss, pd.Series([1e9], index=[620])])  # after the last distance: of no interval
    assert fig6.module("measures").rank_correlation(later, distances) == pytest.approx(expected)
    same = pd.Series(distances.to_numpy(), index=loss.index[:6])
    assert fig6.module("measures").rank_correlation(same, same) == pytest.approx(1)
    assert fig6.module("measures").rank_correlation(same, -same) == pytest.approx(-1)


def test_undefined_correlations_are_nan(fig6):
    loss = pd.Series([1.0, 2.0, 3.0, 4.0], index=range(4))
    for distances in ([1.0] * 4, [1.0, math.nan, math.nan, 2.0]):
        assert math.isnan(fig6.module("measures").rank_correlation(loss, pd.Series(distances, index=range(4))))
    assert math.isnan(fig6.module("measures").rank_correlation(loss, pd.Series([1.0, 2.0], index=[1, 3])))


def test_only_distances_of_a_network_carry_the_claim_s_name(fig6, monkeypatch):
    config = fig6.config("LSUN bedrooms", "smoke").model_copy(update={"iterations": 8})
    judged = config.model_copy(update={"judged_every": 2, "judged": 16, "reference": 16})
    name, pixels = "rank_correlation_of_loss_and_distance", "rank_correlation_of_loss_and_pixel_distance"

    def quantities(config):
        return [row["quantity"] for row in fig6.run(config, 0, NoJob())]

    assert pixels in quantities(config) and name not in quantities(config)
    with_pixels = quantities(judged)
    assert pixels in with_pixels and name not in with_pixels and with_pixels.count("frechet_pixels") == 1 + 4

    def by_network(self, images, metrics=None, reference=None):
        return {"fid_768": (float(images.mean()), None)}

    monkeypatch.setattr(evaluation.ImageEvaluation, "evaluate", by_network)
    monkeypatch.setattr(evaluation.ImageEvaluation, "distance", "fid_768")
    monkeypatch.setattr(evaluation, "weights_sha256", lambda metric: "w")
    with_network = quantities(judged)
    assert name in with_network and pixels not in with_network


def test_as_many_training_as_validation_images_are_measured(fig6):
    there = len(embedded_patches("validation", 32).images)
    config = fig6.config("LSUN bedrooms", "smoke").model_copy(update={"iterations": 1, "measured": there + 1})
    losses = [row for row in fig6.run(config, 0, NoJob()) if row["quantity"].startswith("negative_critic_loss")]
    assert {row["samples"] for row in losses} == {there} and len(losses) == 2


def test_rank_correlations_of_a_critic_that_overfits_in_the_second_half(fig6):
    iterations = np.arange(100, 2001, 100)
    training = np.concatenate([np.linspace(9, 1, 10), np.linspace(2, 20, 10)])
    curve = np.stack([iterations, training, np.linspace(9, 0, 20)])
    arrays = {"curve": curve, "distances": np.stack([iterations[1::2], np.linspace(3, 1, 10)])}
    table = fig6.module("figure").rank_correlations({"a": [arrays], "b": [{"curve": curve}]})
    assert table.index.tolist() == [("a", "training"), ("a", "validation")]
    assert table["first half"].tolist() == [1, 1]
    means = training.reshape(10, 2).mean(1)
    expected = np.corrcoef(means.argsort().argsort(), np.arange(10)[::-1])[0, 1]  # Spearman's, without ties
    assert table["all of training"].to_numpy() == pytest.approx([expected, 1], abs=5e-4) and expected < 0
