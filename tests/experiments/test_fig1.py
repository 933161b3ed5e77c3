"""Gradient norms through deep critics: slopes and straightness recomputed, and the numbers read off the figure."""

import numpy as np
import pandas as pd
import pytest

from reproduction import paper_csv, results
from reproduction.experiment import Experiment
from reproduction.job import NoJob

NAME = "fig1_gradient_norms"


def run_of(norms, setting, tier="short", seed=0):
    """Rows of a run with these log10 norms, first hidden layer first, output layer last."""
    about = dict.fromkeys(results.COLUMNS, "x") | {"setting": setting, "tier": tier, "seed": seed, "wall_seconds": 2.0}
    about |= {"quantity": "log10_gradient_norm", "dataset": "swissroll", "config_sha256": f"{tier} {setting}"}
    return [about | {"part": f"layer {i}", "value": value} for i, value in enumerate(norms, 1)]


def summary(rows):
    frame = pd.DataFrame(rows, columns=results.COLUMNS).sample(frac=1, random_state=0)  # in any order
    made = pd.DataFrame(Experiment(NAME).summary(frame), columns=results.COLUMNS)
    assert not made.duplicated(results.KEY).any() and (made["dataset"] == "swissroll").all()
    return made.set_index(["quantity", "setting", "tier", "seed"])["value"]


def r_squared(x, y):
    """1 - residual over total sum of squares of the least-squares line, sum by sum."""
    n, mean_x, mean_y = len(x), sum(x) / len(x), sum(y) / len(y)
    slope = sum((x[i] - mean_x) * (y[i] - mean_y) for i in range(n)) / sum((v - mean_x) ** 2 for v in x)
    residual = sum((y[i] - mean_y - slope * (x[i] - mean_x)) ** 2 for i in range(n))
    return 1 - residual / sum((v - mean_y) ** 2 for v in y)


def test_a_straight_profile_has_r_squared_1_whatever_the_output_layer():
    made = summary(run_of([*(5 - 1.8 * np.arange(12)), 1e6], "clip c=0.001"))
    assert list(made.index) == [("straightness_of_slope", "clip c=0.001", "short", 0)]
    assert made.iloc[0] == pytest.approx(1)


def test_every_run_apart_from_the_others():
    rng, norms = np.random.default_rng(0), {}
    for setting in ("clip c=0.1", "clip c=0.01", "gradient penalty"):
        for tier, seed in (("short", 0), ("short", 1), ("paper", 0)):
            norms[setting, tier, seed] = rng.normal(size=13).cumsum()
    made = summary([row for run, values in norms.items() for row in run_of(values, *run)])
    assert len(made) == 9 + 3
    for (setting, tier, seed), values in norms.items():
        expected = r_squared(list(range(12)), list(values[:12]))
        assert made["straightness_of_slope", setting, tier, seed] == pytest.approx(expected)
        if setting == "clip c=0.1":
            first = (values[0] - values[2]) / 2  # the least-squares slope of three points
            assert made["slope_over_first_layers", setting, tier, seed] == pytest.approx(first)


def test_what_cannot_be_computed_is_left_out():
    assert summary([]).empty
    other = [row | {"quantity": "slope_per_layer", "part": ""} for row in run_of([1.0], "clip c=0.1")]
    assert summary(other).empty
    assert summary(run_of([1.0, 2.0, 3.0], "clip c=0.1")).empty
    assert summary(run_of([-np.inf, 1.0, 2.0, 3.0, 4.0], "clip c=0.1")).empty
    without_first = [row for row in run_of(np.arange(13.0) ** 2, "clip c=0.1") if row["part"] != "layer 1"]
    assert set(summary(without_first).index.get_level_values("quantity")) == {"straightness_of_slope"}


def test_a_run_has_its_slope_from_its_layers():
    experiment = Experiment(NAME)
    rows = pd.DataFrame(experiment.run(experiment.config("gradient penalty", "smoke"), 0, NoJob()))
    assert set(rows["dataset"]) == {"swissroll"} and rows["data_sha256"].nunique() == 1
    norms = rows[rows["quantity"] == "log10_gradient_norm"].set_index("part")["value"]
    assert list(norms.index) == [f"layer {i}" for i in range(1, 14)]
    assert norms["layer 13"] == pytest.approx(-np.log10(32))  # of the mean over 32 real and 32 generated points
    x, y = np.arange(12) - 5.5, norms.to_numpy()[:12][::-1]
    slope = rows.set_index("quantity").loc["slope_per_layer", "value"]
    assert slope == pytest.approx((x * y).sum() / (x * x).sum())


def test_the_papers_slopes_are_those_of_its_layers():
    paper = paper_csv.rows_of(NAME)
    layers = paper[paper["quantity"] == "log10_gradient_norm"]
    assert (layers["claim"] == "").all() and (layers["err"] == 0.2).all() and (layers["tolerance"] == 1.0).all()
    slopes = paper[(paper["kind"] == "digitised") & paper["quantity"].str.startswith("slope")]
    assert len(slopes) == 4
    for _, told in slopes.iterrows():
        one = layers[layers["setting"] == told["setting"]]
        number = one["part"].str.removeprefix("layer ").astype(int)
        chosen = number <= (3 if told["quantity"] == "slope_over_first_layers" else 12)
        x, y = number[chosen] - number[chosen].mean(), one["value"][chosen]
        assert told["value"] == pytest.approx(-(x * y).sum() / (x * x).sum(), abs=0.06)
        worst = 0.2 * x.abs().sum() / (x * x).sum()  # every layer read wrong by 0.2 in the worst direction
        assert told["err"] == pytest.approx(worst, abs=0.005)
