"""When a cell of Figure 2 counts as trained, and the count over architectures."""

import math

import numpy as np
import pandas as pd
import pytest

from reproduction import results
from reproduction.experiment import Experiment
from reproduction.job import NoJob
from reproduction.notebook_data import Runs
from wgangp.networks import lsun

METHODS = ["DCGAN", "LSGAN", "WGAN clipping", "WGAN-GP"]


@pytest.fixture
def fig3(tmp_path, monkeypatch):
    for name, value in (("OUTPUT", tmp_path / "output"), ("DATA", tmp_path / "no_data"), ("OFFLINE", "1")):
        monkeypatch.setenv(f"WGANGP_{name}", str(value))
    return Experiment("fig3_arch_robustness")


@pytest.mark.parametrize(
    ("distance", "recall", "trained"),
    [(6.0, 0.2, True), (6.001, 0.2, False), (6.0, 0.199, False), (2.0, 0.8, True), (10.0, 0.8, False)]
    + [(math.nan, 0.8, False), (2.0, math.nan, False)],
)
def test_half_way_and_a_quarter(fig3, distance, recall, trained):
    real, untrained, scores = (
        {"fid": (a, None), "recall_2048": (b, None)} for a, b in [(2.0, 0.8), (10.0, 0.0), (distance, recall)]
    )
    assert fig3.module("measures").has_trained(scores, untrained, real, "fid", "recall_2048") is trained


def test_real_images_would_count_as_trained_and_the_initial_weights_do_not(fig3):
    config = fig3.config("dcgan, DCGAN", "smoke")
    rows = {row["quantity"]: row["value"] for row in fig3.run(config, 0, NoJob())}
    real, untrained = (rows[f"frechet_pixels_of_{what}"] for what in ("real_images", "untrained_generator"))
    assert real < untrained
    score = {"frechet_pixels": (real, None), "recall_pixels": (rows["recall_pixels_of_real_images"], None)}
    before = {name: (rows[f"{name}_of_untrained_generator"], None) for name in score}
    assert fig3.module("measures").has_trained(score, before, score, "frechet_pixels", "recall_pixels")
    assert not fig3.module("measures").has_trained(before, before, score, "frechet_pixels", "recall_pixels")
    noise = fig3.run(config.model_copy(update={"judge_noise": True}), 0, NoJob())
    names = {row["quantity"] for row in noise}
    assert names - set(rows) == {f"{name}_of_noise" for name in ("frechet_pixels", "precision_pixels", "recall_pixels")}


def test_a_diverged_cell_is_not_trained_and_has_no_numbers(fig3):
    config = fig3.config("dcgan, LSGAN", "smoke").model_copy(update={"learning_rate": 1e30, "iterations": 20})
    rows = {row["quantity"]: row["value"] for row in fig3.run(config, 0, NoJob())}
    assert rows["diverged"] == 1 and rows["trained"] == 0
    assert not {"frechet_pixels", "recall_pixels", "diversity"} & set(rows)
    assert np.isfinite(list(rows.values())).all()


def test_cells_are_measured_between_the_untrained_generator_and_real_images(fig3, monkeypatch):
    settings = fig3.settings
    quantities = {
        "fid_768_of_real_images": 2.0,
        "fid_768_of_untrained_generator": 10.0,
        "recall_768_of_real_images": 0.8,
    }
    cells = dict.fromkeys(settings, {"fid_768": 4.0, "recall_768": 0.2, "trained": 1.0, "diverged": 0.0})
    cells[settings[3]] = {"trained": 0.0, "diverged": 1.0}
    rows = pd.concat([frame({s: v}).assign(quantity=q) for s in settings for q, v in (quantities | cells[s]).items()])
    monkeypatch.setattr(results, "read", lambda name: rows)
    runs = Runs("short", {"lsun_bedroom"}, dict.fromkeys(settings, {0: {}}))
    figure = fig3.module("figure")
    table = figure.measured(runs)
    assert table.columns.name == "fid_768" and list(table.index) == settings
    assert tuple(table.loc[settings[0]]) == (4.0, 0.75, 0.25, True, False)
    assert figure.caption(table.loc[settings[0]]) == "75 % of the way, recall 25 %"
    assert figure.caption(table.loc[settings[3]]) == "diverged"
    assert figure.distances(runs).loc["DCGAN"].tolist() == [
        *["4.00 (75 % of the way, recall 25 %, trained)"] * 3,
        "diverged",
    ]


def frame(trained, seed=0, tier="short"):
    """Rows "trained", {setting: 0 or 1}, as in the results."""
    about = {"quantity": "trained", "part": "", "tier": tier, "seed": seed, "dataset": "lsun_bedroom"}
    about |= {"data_sha256": "d", "weights_sha256": "w", "commit": "c", "device": "cpu", "paddle": "3"}
    about |= {"wall_seconds": 2.0, "finished": "2026-01-01T00:00:00Z"}
    rows = [about | {"setting": s, "value": v, "config_sha256": s} for s, v in trained.items()]
    return pd.DataFrame(rows, columns=results.COLUMNS)


def test_architectures_are_counted_where_all_seven_have_run(fig3):
    draws = np.random.default_rng(0).integers(0, 2, (len(lsun.NAMES), len(METHODS)))
    cells = {
        f"{name}, {method}": float(draws[i, j]) for i, name in enumerate(lsun.NAMES) for j, method in enumerate(METHODS)
    }
    one = {setting: value for setting, value in cells.items() if setting != "gated, LSGAN"}
    rows = fig3.summary(pd.concat([frame(cells, seed=0), frame(one, seed=1), frame({}, seed=2)]))
    counts = {(row["setting"], row["seed"]): row["value"] for row in rows}
    expected = {(method, seed): draws[:, j].sum() for j, method in enumerate(METHODS) for seed in (0, 1)}
    del expected["LSGAN", 1]
    assert counts == expected
    assert {row["quantity"] for row in rows} == {"architectures_trained"}
    assert all(row["wall_seconds"] == 14 and row["samples"] == 7 and row["tier"] == "short" for row in rows)
    assert fig3.summary(frame({})) == []
