"""Which runs the notebooks draw."""

import json

import numpy as np
import pandas as pd
import pytest

from reproduction import notebook_data, results
from reproduction.experiment import Experiment
from reproduction.job import Job
from wgangp import InputError

NAME = "mnist_digits"
EXPERIMENT = Experiment(NAME)


@pytest.fixture(autouse=True)
def output(tmp_path, monkeypatch):
    monkeypatch.setenv("WGANGP_OUTPUT", str(tmp_path))


def run(tier, dataset, finished, value, seeds=(0,), done=False, settings=None):
    """Rows and arrays as those runs of all settings leave them."""
    for setting in settings or EXPERIMENT.settings_at(tier):
        for seed in seeds:
            job = Job(EXPERIMENT, setting, tier, seed)
            about = {
                "setting": setting,
                "part": "",
                "tier": tier,
                "seed": seed,
                "dataset": dataset,
                "finished": finished,
            }
            numbers = dict.fromkeys(results.NUMBERS, 1.0) | {"samples": 1, "config_sha256": job.config_sha256}
            rows = [dict.fromkeys(results.COLUMNS, "x") | about | numbers]
            results.replace_runs(NAME, rows)
            path = job.arrays_path(dataset)
            path.parent.mkdir(parents=True, exist_ok=True)
            np.savez(path, value=value)
            if done:
                job.folder.mkdir(parents=True)
                (job.folder / "rows.json").write_text(json.dumps(rows))


def drawn(tier=None):
    runs = notebook_data.best_runs(EXPERIMENT, tier)
    return runs.label, {setting: [int(one["value"]) for one in arrays] for setting, arrays in runs.items()}


def test_iterations_in_words():
    experiment = Experiment("fig1_gradient_norms")
    runs = notebook_data.Runs("short", {"swissroll"}, {setting: {0: {}} for setting in experiment.settings})
    assert notebook_data.iterations_in_words(experiment.name, runs) == "40 to 150 iterations"
    assert notebook_data.iterations_in_words(experiment.name, runs, "penalty") == "80 iterations"
    runs.tier = "paper"
    assert notebook_data.iterations_in_words(experiment.name, runs) == "10,000 iterations"


def all_settings(*values):
    return dict.fromkeys(EXPERIMENT.settings, list(values))


def test_best_tier_with_all_settings_is_drawn_and_real_data_first():
    with pytest.raises(InputError, match="has no complete results"):
        drawn()
    run("short", "mnist", "2026-01-01", 1)
    run("short", "embedded", "2026-01-02", 2)
    assert drawn() == ("tier short, MNIST, 1 seed", all_settings(1))
    run("medium", "mnist", "2026-01-01", 3, settings=EXPERIMENT.settings[:1])
    assert drawn()[0] == "tier short, MNIST, 1 seed"
    run("medium", "mnist", "2026-01-01", 3, seeds=(0, 1))
    assert drawn() == ("tier medium, MNIST, 2 seeds", all_settings(3, 3))


def test_what_was_just_run_is_drawn_where_a_tier_is_named():
    run("medium", "mnist", "2026-01-01", 1, seeds=(0, 1, 2))
    run("short", "mnist", "2026-01-01", 2, seeds=(0, 1, 2))
    run("short", "embedded", "2026-01-02", 3, seeds=(0,), done=True)
    assert drawn("short") == ("tier short, embedded data, 1 seed", all_settings(3))
    assert drawn() == ("tier medium, MNIST, 3 seeds", all_settings(1, 1, 1))
    assert drawn("paper")[0] == "tier medium, MNIST, 3 seeds"  # nothing is there at the tier that was named


def test_own_runs_are_not_mixed_with_others_of_their_tier():
    run("short", "mnist", "2026-01-01", 1, seeds=(0, 1, 2))
    run("short", "mnist", "2026-01-02", 5, seeds=(1,), done=True)
    assert drawn("short") == ("tier short, MNIST, 1 seed", all_settings(5))
    assert drawn() == ("tier short, MNIST, 3 seeds", all_settings(1, 5, 1))
    for tier, seed in (("short", 1), (None, 0)):
        rows = notebook_data.rows_drawn(results.read(NAME), notebook_data.best_runs(EXPERIMENT, tier))
        assert rows["seed"].tolist() == [seed] * len(EXPERIMENT.settings)


def test_rows_drawn_are_those_of_the_first_arrays():
    run("short", "mnist", "2026-01-01", 1, seeds=(0, 1))
    run("short", "mnist", "2026-01-02", 5, seeds=(1,), done=True)
    for tier, seed in (("short", 1), (None, 0)):
        rows = notebook_data.rows_drawn(results.read(NAME), notebook_data.best_runs(EXPERIMENT, tier))
        assert sorted(rows["setting"]) == sorted(EXPERIMENT.settings) and set(rows["seed"]) == {seed}


def test_values_drawn_are_those_of_the_first_arrays_without_the_rows_of_parts():
    settings = EXPERIMENT.settings_at("short")
    for seed in (0, 1):
        run("short", "mnist", f"2026-01-0{seed + 1}", 1, seeds=(seed,), done=seed == 1)
    rows = results.read(NAME)
    rows["value"] = rows["seed"] + rows["setting"].map({setting: 10 * i for i, setting in enumerate(settings)})
    parts = rows.assign(quantity="y", part="digit 3", value=-1.0)
    results.replace_runs(NAME, pd.concat([rows, rows.assign(quantity="z", value=7.0), parts]).to_dict("records"))
    for tier, seed in (("short", 1), (None, 0)):
        values = notebook_data.drawn_values(NAME, notebook_data.best_runs(EXPERIMENT, tier))
        assert values["x"].to_dict() == {setting: seed + 10 * i for i, setting in enumerate(settings)}
        assert set(values["z"]) == {7.0} and list(values) == ["x", "z"]


def test_means_are_in_four_digits_with_their_range_over_several_seeds():
    settings = EXPERIMENT.settings_at("short")
    run("short", "mnist", "2026-01-01", 1, seeds=(0, 1, 2), settings=settings[:1])
    run("short", "mnist", "2026-01-01", 1, seeds=(0,), settings=settings[1:2])
    rows = results.read(NAME).sort_values(["setting", "seed"])
    rows.loc[rows["setting"] == settings[0], "value"] = [1.23456e-5, 2.0, 4.0]
    rows.loc[rows["setting"] == settings[1], "value"] = 0.12349
    results.replace_runs(NAME, rows.to_dict("records"))
    means = notebook_data.means(NAME).droplevel(["tier", "dataset", "quantity", "part"])
    assert means.loc[settings[0]].tolist() == ["2", "1.235e-05 to 4", 3]
    assert means.loc[settings[1]].tolist() == ["0.1235", "", 1]


def test_numbers_of_parts():
    assert [notebook_data.number_of(p) for p in ("layer 3", "iteration 500", "min score 1.5")] == [3, 500, 1.5]
