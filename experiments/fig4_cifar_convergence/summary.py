"""Comparisons of the four settings, from the evaluations of all runs."""

import pandas as pd

from reproduction.results import summary_row

FRACTIONS = {"quarter": 4, "half": 2, "end": 1}  # of the iterations


def summary(rows):
    """Comparisons at equal fractions of training and in seconds, from the evaluations of all settings.

    Args:
        rows: a DataFrame of all runs' rows; of a run in progress, which has no seconds_per_iteration yet, none count.

    Returns:
        A list of rows; see `at_fractions`, `speeds`, `times` and `late`. The score is the Inception score where there
        is one, else classifier_score.
    """
    summary_rows = []
    for _, group in rows.groupby(["tier", "seed", "dataset"]):
        speed = group[group["quantity"] == "seconds_per_iteration"]
        curves = group[group["setting"].isin(speed["setting"]) & group["part"].str.startswith("iteration ")]
        curves = curves.assign(iteration=curves["part"].str.removeprefix("iteration ").astype(int))
        curves = curves.sort_values("iteration")
        timed = curves["quantity"] == "training_seconds"
        known = [name for name in ("inception_score", "classifier_score") if name in set(curves["quantity"])]
        scores = curves[curves["quantity"].isin(known[:1])]
        summary_rows += [*at_fractions(curves[~timed]), *speeds(speed), *times(scores, curves[timed]), *late(scores)]
    return summary_rows


def at_fractions(judged):
    """The evaluations at a quarter, half and all of a run's iterations, where it was evaluated exactly there."""
    for setting, run in judged.groupby("setting"):
        total = run["iteration"].max()
        for part, divisor in FRACTIONS.items():
            for quantity, evaluated in run[run["iteration"] * divisor == total].groupby("quantity"):
                evaluation = evaluated.iloc[0]
                protocol = f"{evaluation['part']} of {total}; {evaluation['protocol']}"
                fields = {"part": part, "samples": evaluation["samples"]}
                yield summary_row(evaluated, setting, quantity, evaluation["value"], protocol, **fields)


def speeds(speed):
    """Seconds per iteration over DCGAN's, where both ran on the same device."""
    dcgan = speed[speed["setting"] == "DCGAN"]
    for setting, own in speed[speed["setting"] != "DCGAN"].groupby("setting"):
        both = pd.concat([own, dcgan])
        if len(dcgan) and both["device"].nunique() == 1:
            ratio = own["value"].iloc[0] / dcgan["value"].iloc[0]
            yield summary_row(both, setting, "seconds_per_iteration_over_dcgan", ratio, own["protocol"].iloc[0])


def times(scores, seconds):
    """Seconds of training until the score that GP Adam has at half of its iterations, on the same device as GP Adam."""
    adam = scores[scores["setting"] == "GP Adam"]
    half = adam[adam["iteration"] * 2 == adam["iteration"].max()]
    for setting, run in scores.groupby("setting") if len(half) else ():
        goal = half["value"].iloc[0]
        first = run.loc[run["value"] >= goal, "iteration"].min()
        reached = seconds[(seconds["setting"] == setting) & (seconds["iteration"] == first)]
        both = pd.concat([reached, run[run["iteration"] == first], half])
        if len(reached) and both["device"].nunique() == 1:
            protocol = f"{reached['part'].iloc[0]}, where {half['quantity'].iloc[0]} first is at least {goal:.4g}"
            yield summary_row(both, setting, "seconds_to_half_score", reached["value"].iloc[0], protocol)


def late(scores):
    """Mean and standard deviation of the score over the last 30 % of evaluations, and GP Adam's mean over DCGAN's."""
    last = {setting: run.tail(-(-3 * len(run) // 10)) for setting, run in scores.groupby("setting")}  # rounded up
    for setting, run in last.items():
        protocol = f"{run['quantity'].iloc[0]}, the last {len(run)} judgements"
        yield summary_row(run, setting, "late_score", run["value"].mean(), protocol)
        if len(run) > 1:
            yield summary_row(run, setting, "late_score_deviation", run["value"].std(ddof=1), protocol)
    if {"GP Adam", "DCGAN"} <= set(last):
        both = pd.concat([last["GP Adam"], last["DCGAN"]])
        ratio = last["GP Adam"]["value"].mean() / last["DCGAN"]["value"].mean()
        protocol = f"mean {both['quantity'].iloc[0]} over the last 30 % of the judgements"
        yield summary_row(both, "GP Adam", "late_score_over_dcgan", ratio, protocol)
