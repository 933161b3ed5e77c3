"""CIFAR-10 scores: the best judgement of a run, and the paper's table."""

import pandas as pd

from reproduction import compare, paper_csv, results, verdicts
from reproduction.experiment import Experiment

NAME = "table3_cifar_inception"


def rows_at(values, part, seed=0, setting="unsupervised", dataset="cifar10"):
    """Made-up rows of one judgement, {metric: value}."""
    about = dict.fromkeys(results.COLUMNS, "x") | {"tier": "paper", "seed": seed, "samples": 16, "wall_seconds": 1.0}
    about |= {"setting": setting, "part": part, "dataset": dataset}
    return pd.DataFrame([about | {"quantity": metric, "value": value} for metric, value in values.items()])


def test_best_is_of_all_judgements_the_last_iterates_included():
    curves = {"fid_768": [5, 4, 3, 3.5], "classifier_score": [1, 2, 3, 4], "precision_768": [0.1, 0.9, 0.5, 0.2]}
    parts = ["iteration 10", "iteration 20", "iteration 30", ""]
    rows = [rows_at({metric: values[i] for metric, values in curves.items()}, part) for i, part in enumerate(parts)]
    rows += [rows_at({"fid_768": 1.0}, "", seed=1), rows_at({"fid_768": 0.5}, "", dataset="embedded")]
    rows += [rows_at({"fid_768": 0.1}, "iteration 10", setting="supervised")]
    best = pd.DataFrame(Experiment(NAME).summary(pd.concat(rows)))
    found = {(r.setting, r.seed, r.dataset, r.quantity): r.value for r in best.itertuples()}
    assert found == {
        ("unsupervised", 0, "cifar10", "fid_768_best"): 3,
        ("unsupervised", 0, "cifar10", "classifier_score_best"): 4,
        ("unsupervised", 1, "cifar10", "fid_768_best"): 1,
        ("unsupervised", 0, "embedded", "fid_768_best"): 0.5,
        ("supervised", 0, "cifar10", "fid_768_best"): 0.1,
    }
    of_four = best[(best["setting"] == "unsupervised") & (best["seed"] == 0) & (best["dataset"] == "cifar10")]
    assert set(of_four["protocol"]) == {"best of 4 judgements; x"}


def test_papers_rows():
    paper = paper_csv.rows_of(NAME)
    ours = paper[paper["claim"] != ""].set_index("claim")
    assert ours.loc[["7a", "7b"], ["value", "err", "tolerance"]].to_numpy().tolist() == [
        [7.86, 0.07, 0.2],
        [8.42, 0.1, 0.3],
    ]
    quoted = paper[paper["claim"] == ""]
    assert len(quoted) == 12 and (quoted["kind"] == "quoted").all()
    assert (quoted[["direction", "than"]] == "").all(axis=None) and quoted["tolerance"].isna().all()


def rows_of(quantity, values, dataset="cifar10", tier="paper"):
    """Rows of made-up runs: {setting: a value for each seed}."""
    about = dict.fromkeys(results.COLUMNS, "x") | {"quantity": quantity, "part": "", "tier": tier, "dataset": dataset}
    about |= {"low": float("nan"), "high": float("nan")}
    rows = [about | {"setting": s, "seed": i, "value": v} for s, of in values.items() for i, v in enumerate(of)]
    return pd.DataFrame(rows, columns=results.COLUMNS)


def test_labels_help_by_whatever_distance_there_is():
    def verdict(rows):
        return compare.claims(NAME, compare.compare(NAME, rows)).set_index("claim")["verdict"]

    values = {"supervised": [3.0, 7.0], "unsupervised": [4.0, 8.01]}
    assert verdict(rows_of("fid_768", values))["7c"] == verdicts.REPRODUCED
    assert verdict(rows_of("fid", values))["7c"] == verdicts.REPRODUCED
    swapped = dict(zip(values, reversed(values.values()), strict=True))
    assert verdict(rows_of("fid_768", swapped))["7c"] == verdicts.NOT_REPRODUCED
    assert verdict(rows_of("fid_768", {"supervised": [3.0]}))["7c"] == verdicts.MISSING
    assert verdict(rows_of("fid_768", values, "embedded"))["7c"] == verdicts.NOT_COMPARABLE
    found = verdict(rows_of("inception_score", {"unsupervised": [7.7], "supervised": [8.11]}))
    assert (found["7a"], found["7b"]) == (verdicts.SEEN, verdicts.NOT_SEEN)
    assert verdict(rows_of("classifier_score", {"unsupervised": [7.86]}))["7a"] == verdicts.NOT_COMPARABLE
