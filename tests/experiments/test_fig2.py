"""Toy critics and generators: the rows of a run, and the verdicts that they lead to."""

import numpy as np
import pandas as pd
import pytest

from reproduction import compare, paper_csv, results, verdicts
from reproduction.experiment import Experiment
from reproduction.job import NoJob
from wgangp.data.toy import Toy

NAME = "fig2_toy_8gaussians"
DATA = ("8gaussians", "25gaussians", "swissroll")


@pytest.mark.parametrize("data", DATA)
def test_rows_of_a_critic(data):
    experiment = Experiment(NAME)
    rows = pd.DataFrame(experiment.run(experiment.config(f"gp, {data}, fixed generator", "smoke"), 0, NoJob()))
    assert (rows["dataset"] == data).all() and (rows["data_sha256"] == Toy(data).sha256).all()
    assert (rows["part"] == "").all() and (rows["samples"] == 100).all()
    value = rows.set_index("quantity")["value"]
    estimate, largest, w1 = value[["critic_estimate", "largest_gradient_norm", "exact_w1"]]
    assert value["tightness"] == pytest.approx(estimate / (largest * w1))
    assert 0 <= value["optimal_critic_explained"] <= 1 and w1 > 0


def test_rows_of_a_generator():
    experiment = Experiment(NAME)
    for data in DATA:
        rows = experiment.run(experiment.config(f"clip, {data}, trained generator", "smoke"), 0, NoJob())
        samples = {row["quantity"]: row["samples"] for row in rows}
        modes = {"modes_found": 10_000, "share_of_good_samples": 10_000} if data != "swissroll" else {}
        assert samples == {"sample_w1": 100, "sample_w1_real_against_real": 100} | modes


def rows_of(quantity, values, generator="fixed", tier="paper"):
    """Rows of made-up runs: values by method and data set, one for each seed."""
    about = dict.fromkeys(results.COLUMNS, "x") | {"quantity": quantity, "part": "", "tier": tier}
    about |= {"low": np.nan, "high": np.nan}
    rows = [
        about | {"setting": f"{method}, {data}, {generator} generator", "dataset": data, "seed": seed, "value": value}
        for (method, data), of_seeds in values.items()
        for seed, value in enumerate(of_seeds)
    ]
    return pd.DataFrame(rows, columns=results.COLUMNS)


def judged_claims(rows):
    table = compare.compare(NAME, rows)
    claims = compare.claims(NAME, table).set_index("claim")["verdict"]
    return table, claims


def test_claims_are_differences_paired_by_seed():
    clip, gp = [0.2, 0.5, 0.8], [0.21, 0.52, 0.815]  # far apart between seeds, never within one
    values = {(method, data): shares for data in DATA for method, shares in (("clip", clip), ("gp", gp))}
    table, claims = judged_claims(rows_of("tightness", values))
    assert claims["2b"] == verdicts.REPRODUCED and claims["2a"] == claims["2c"] == verdicts.MISSING
    differences = table[table["claim"] == "2b"]
    assert np.allclose(differences["ours"], np.mean(np.subtract(gp, clip))) and len(differences) == 3
    values["gp", "swissroll"] = [0.2, 0.52, 0.815]
    assert judged_claims(rows_of("tightness", values))[1]["2b"] == verdicts.INCONCLUSIVE
    values["gp", "swissroll"] = [0.1, 0.4, 0.7]
    assert judged_claims(rows_of("tightness", values))[1]["2b"] == verdicts.NOT_REPRODUCED


def test_the_explained_share_has_a_threshold_too():
    values = {(method, data): [low, low] for data in DATA for method, low in (("clip", 0.6), ("gp", 0.75))}
    table, claims = judged_claims(rows_of("optimal_critic_explained", values))
    of_claim = table[table["claim"] == "2a"].groupby("direction")["verdict"].agg(set)
    assert of_claim.to_dict() == {"above": {verdicts.REPRODUCED}, "at_least": {verdicts.NOT_REPRODUCED}}
    assert claims["2a"] == verdicts.NOT_REPRODUCED


def test_all_modes_must_be_found():
    found = {("gp", "8gaussians"): [8, 8, 8], ("gp", "25gaussians"): [25, 25, 25]}
    assert judged_claims(rows_of("modes_found", found, "trained"))[1]["2c"] == verdicts.REPRODUCED
    found["gp", "25gaussians"] = [24, 24, 24]
    assert judged_claims(rows_of("modes_found", found, "trained", "short"))[1]["2c"] == verdicts.NOT_SHOWN


def test_criteria_name_settings_that_are_there():
    settings = set(Experiment(NAME).settings)
    for _, row in paper_csv.rows_of(NAME).iterrows():
        assert row["setting"] in settings
        if row["than"]:
            method, rest = row["setting"].split(", ", 1)
            assert row["than"] == f"setting=clip, {rest}" and method == "gp"
