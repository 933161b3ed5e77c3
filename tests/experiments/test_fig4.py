"""Convergence on CIFAR-10: what is made from the judgements of all runs, recomputed by loops."""

import numpy as np
import pandas as pd
import pytest

from reproduction import compare, paper_csv, results, verdicts
from reproduction.experiment import Experiment
from reproduction.job import Job, put_into_results, run_job

NAME = "fig4_cifar_convergence"
SETTINGS = ("weight clipping", "GP RMSProp", "GP Adam", "DCGAN")


def run_of(setting, curves, every=10, after=0, speed=1.0, ended=True, **about):
    """Rows of a run that was judged every so many iterations; its seconds are counted from iteration `after`."""
    about = {"tier": "short", "seed": 0, "dataset": "cifar10", "device": "card"} | about
    words = dict.fromkeys(results.COLUMNS, "x") | {"setting": setting, "samples": 50, "wall_seconds": 7.0} | about
    words |= dict.fromkeys(("err", "low", "high"))
    words["config_sha256"] = f"{setting} {about['tier']}"
    rows = []
    for metric, values in curves.items():
        for i, value in enumerate(values, 1):
            rows.append(words | {"quantity": metric, "part": f"iteration {i * every}", "value": value})
    for i in range(1, max(map(len, curves.values()), default=0) + 1):
        if i * every > after:
            seconds = speed * (i * every - after)
            rows.append(words | {"quantity": "training_seconds", "part": f"iteration {i * every}", "value": seconds})
    if ended:
        rows.append(words | {"quantity": "seconds_per_iteration", "part": "", "value": speed})
        rows += [words | {"quantity": metric, "part": "", "value": 99.0} for metric in curves]  # the last iterate's own
    return rows


def summary(rows):
    frame = pd.DataFrame(rows, columns=results.COLUMNS).sample(frac=1, random_state=0)  # in any order
    made = pd.DataFrame(Experiment(NAME).summary(frame), columns=results.COLUMNS)
    assert not made.duplicated(results.KEY).any() and made["value"].notna().all()
    assert made["config_sha256"].str.startswith(results.SUMMARY).all()
    return made


def values(made, **about):
    for column, value in about.items():
        made = made[made[column] == value]
    return made.set_index(["quantity", "setting", "part"])["value"].to_dict()


def expected(runs):
    """Every row of one tier, seed and data set by loops; runs is {setting: (every, after, speed, {metric: curve})}."""
    found = {}
    names = [n for n in ("inception_score", "classifier_score") if any(n in run[3] for run in runs.values())]
    score = names[0] if names else None
    scored = {setting: run for setting, run in runs.items() if score in run[3]}
    goal = None
    if "GP Adam" in scored and len(scored["GP Adam"][3][score]) % 2 == 0:
        curve = scored["GP Adam"][3][score]
        goal = curve[len(curve) // 2 - 1]
    for setting, (_, _, speed, curves) in runs.items():
        for metric, curve in curves.items():
            for part, divisor in (("quarter", 4), ("half", 2), ("end", 1)):
                if len(curve) % divisor == 0:
                    found[metric, setting, part] = curve[len(curve) // divisor - 1]
        if setting != "DCGAN" and "DCGAN" in runs:
            found["seconds_per_iteration_over_dcgan", setting, ""] = speed / runs["DCGAN"][2]
    means = {}
    for setting, (every, after, speed, curves) in scored.items():
        curve = curves[score]
        count = 0
        while count < 0.3 * len(curve) - 1e-9:
            count += 1
        last = curve[len(curve) - count :]
        means[setting] = sum(last) / count
        found["late_score", setting, ""] = means[setting]
        if count > 1:
            variance = sum((value - means[setting]) ** 2 for value in last) / (count - 1)
            found["late_score_deviation", setting, ""] = variance**0.5
        for i, value in enumerate(curve, 1):
            if goal is not None and value >= goal:
                if i * every > after:
                    found["seconds_to_half_score", setting, ""] = speed * (i * every - after)
                break
    if "GP Adam" in means and "DCGAN" in means:
        found["late_score_over_dcgan", "GP Adam", ""] = means["GP Adam"] / means["DCGAN"]
    return found


def random_runs(rng, settings, metrics, judgements):
    return {
        setting: (
            (20 if setting == "DCGAN" else 10),  # DCGAN has twice the iterations
            int(rng.integers(0, 40)),
            float(rng.uniform(0.1, 2)),
            {metric: list(rng.normal(3, 1, judgements).round(3)) for metric in metrics},
        )
        for setting in settings
    }


@pytest.mark.parametrize("judgements", [4, 5, 12, 20, 40])
def test_rows_recomputed_for_several_seeds_tiers_and_data_sets(judgements):
    rng, groups, rows = np.random.default_rng(judgements), {}, []
    for tier, seed, dataset, metrics in (
        ("short", 0, "cifar10", ["classifier_score", "fid_768"]),
        ("short", 1, "cifar10", ["classifier_score"]),
        ("short", 0, "embedded", ["frechet_pixels"]),
        ("medium", 0, "cifar10", ["inception_score", "classifier_score", "fid"]),
    ):
        runs = random_runs(rng, SETTINGS, metrics, judgements)
        groups[tier, seed, dataset] = runs
        for setting, (every, after, speed, curves) in runs.items():
            rows += run_of(setting, curves, every, after, speed, tier=tier, seed=seed, dataset=dataset)
    made = summary(rows)
    for (tier, seed, dataset), runs in groups.items():
        found = values(made, tier=tier, seed=seed, dataset=dataset)
        assert found == pytest.approx(expected(runs))
    assert len(made) == sum(len(expected(runs)) for runs in groups.values())


@pytest.mark.parametrize("chosen", [(), *((one,) for one in SETTINGS), SETTINGS[:2], SETTINGS[1:3], SETTINGS[2:]])
def test_partial_sets_of_runs(chosen):
    runs = random_runs(np.random.default_rng(3), chosen, ["classifier_score", "fid_768"], 8)
    rows = [row for name, (every, after, speed, c) in runs.items() for row in run_of(name, c, every, after, speed)]
    assert values(summary(rows)) == pytest.approx(expected(runs))


def test_a_run_on_its_way_does_not_count():
    curve = {"classifier_score": [1.0, 2.0, 3.0, 4.0]}
    rows = run_of("GP Adam", curve, ended=False) + run_of("DCGAN", curve)
    assert set(summary(rows)["setting"]) == {"DCGAN"}
    assert summary(run_of("GP Adam", {})).empty  # ended, never judged


def test_first_judgement_that_reaches_the_score():
    adam = run_of("GP Adam", {"classifier_score": [1.0, 5.0, 3.0, 4.0, 6.0, 6.0, 6.0, 6.0]}, speed=4.0)
    dcgan = run_of("DCGAN", {"classifier_score": [2.0, 3.9, 4.0, 1.0, 9.0, 9.0, 9.0, 9.0]}, every=20)
    clipping = run_of("weight clipping", {"classifier_score": [2.0] * 8})
    found = values(summary(adam + dcgan + clipping))
    times = {setting: value for (quantity, setting, _), value in found.items() if quantity == "seconds_to_half_score"}
    assert times == {"GP Adam": 80.0, "DCGAN": 60.0}  # 4.0 at iteration 40 is reached before it; clipping never does


def test_seconds_of_different_devices_are_not_compared():
    curve = {"classifier_score": [1.0, 2.0, 3.0, 4.0]}
    found = values(summary(run_of("GP Adam", curve) + run_of("DCGAN", curve, device="another card")))
    assert ("seconds_to_half_score", "GP Adam", "") in found
    assert ("seconds_to_half_score", "DCGAN", "") not in found
    assert ("seconds_per_iteration_over_dcgan", "GP Adam", "") not in found


def test_verdicts_of_the_claims():
    rows = []
    for seed, noise in enumerate((0.0, 0.3, -0.2)):
        for setting, base, step in zip(SETTINGS, (1, 2, 3, 3.1), (0.1, 0.1, 0.01, -0.05), strict=True):
            score = [base + noise + step * (i % 3) for i in range(20)]
            curves = {"classifier_score": score, "fid_768": [9 - value for value in score]}
            rows += run_of(setting, curves, speed=1.0 if setting == "DCGAN" else 4.0, tier="medium", seed=seed)
    made = pd.concat([pd.DataFrame(rows, columns=results.COLUMNS), summary(rows)])
    table = compare.compare(NAME, made)
    found = compare.claims(NAME, table).set_index("claim")["verdict"]
    assert found.to_dict() == dict.fromkeys(("4a", "4b", "4c", "4d"), verdicts.REPRODUCED)
    assert set(table.loc[table["claim"] == "4a", "quantity_measured"]) == {"classifier_score", "fid_768"}
    curves = table[table["quantity"] == "inception_score"]
    assert len(curves) == 47 and (curves["direction"] == "").all() and (curves["claim"] == "").all()
    assert not curves["verdict"].isin(verdicts.WORST_FIRST).any()


def test_the_papers_differences_are_those_of_its_curves():
    paper = paper_csv.rows_of(NAME)
    curves = paper[paper["quantity"] == "inception_score"].set_index(["setting", "part"])["value"]
    at = {"quarter": "iteration 50000", "half": "iteration 100000", "end": "iteration 195000"}
    told = paper[(paper["quantity"] == "score")]
    assert len(told) == 5
    for _, row in told.iterrows():
        other = row["than"].removeprefix("setting=")
        difference = curves[row["setting"], at[row["part"]]] - curves[other, at[row["part"]]]
        assert row["value"] == pytest.approx(difference) and row["value"] > row["err"]


def test_real_and_embedded_runs_side_by_side(tmp_path, monkeypatch):
    for name, value in (("OUTPUT", tmp_path / "output"), ("DATA", tmp_path / "no_data"), ("OFFLINE", "1")):
        monkeypatch.setenv(f"WGANGP_{name}", str(value))
    experiment = Experiment(NAME)
    jobs = [Job(experiment, setting, "smoke", 0) for setting in ("GP Adam", "DCGAN")]
    for job in jobs:
        run_job(job, name="cpu")
    rows = results.read(NAME)
    assert set(rows["dataset"]) == {"embedded"} and set(rows["setting"]) == {"GP Adam", "DCGAN"}
    judged = rows[(rows["quantity"] == "frechet_pixels") & (rows["setting"] == "DCGAN")].set_index("part")["value"]
    assert judged["half"] == judged["iteration 1"] and judged["end"] == judged["iteration 2"]
    real = [
        row | {"dataset": "cifar10"} for row in run_of("DCGAN", {"classifier_score": [1.0, 2.0]}, tier="smoke", every=1)
    ]
    results.replace_runs(NAME, real, experiment.summary)
    put_into_results(jobs)
    both = results.read(NAME)
    assert len(both) == len(rows) + len(real) + len(summary(real))
    assert not both.duplicated(results.KEY).any()
