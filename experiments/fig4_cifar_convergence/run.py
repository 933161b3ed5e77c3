"""Figure 3 of v3: score over iterations and over time, DCGAN architecture on CIFAR-10.

"WGAN with gradient penalty outperforms weight clipping, even with the same optimizer; with Adam it
does better still; it is slower than DCGAN but more stable at convergence" (Section 5.3, shortened).
Four settings: clipping, penalty with RMSProp at the same step size, penalty with Adam, DCGAN. Seconds are of
training alone: judgements and the first iterations, in which a GPU chooses its kernels, are left out.
"""

from functools import partial
from typing import ClassVar, Literal

import numpy as np
import pandas as pd

from reproduction.evaluation import ImageEvaluation, rows_over_training
from reproduction.experiment import Config as BaseConfig
from reproduction.results import of_runs
from reproduction.results import row as result_row
from wgangp import DCGAN, WGAN, WGAN_GP
from wgangp.data.batches import ScaledImages, to_bytes
from wgangp.data.images import cifar10
from wgangp.networks.cifar import dcgan_critic, dcgan_generator

WARM_UP = 200  # iterations whose seconds are left out
FRACTIONS = {"quarter": 4, "half": 2, "end": 1}  # of the iterations


class Config(BaseConfig):
    scaling: ClassVar[str] = "dcgan"  # of the images, see wgangp.data.batches.scale
    method: Literal["clip", "gp", "dcgan"]
    optimizer: Literal["adam", "rmsprop"]
    learning_rate: float
    beta1: float
    beta2: float
    dim: int
    batch_size: int
    iterations: int
    critic_iters: int
    lambda_gp: float
    c: float
    judged_every: int  # iterations
    judged_by: Literal["all", "cheap"]  # during training: all metrics, or those without the Inception network
    judged: int  # generated images per judgement
    reference: int  # real images that distances are taken to


def build(config):
    networks = dcgan_generator(config.dim), dcgan_critic(config.dim, batch_norm=config.method != "gp")
    if config.method == "gp":
        return WGAN_GP(*networks, critic_iters=config.critic_iters, lambda_gp=config.lambda_gp)
    if config.method == "clip":
        return WGAN(*networks, critic_iters=config.critic_iters, clip=config.c)
    return DCGAN(*networks, critic_iters=config.critic_iters)


def run(config, seed):
    gan, data = build(config), cifar10(fallback=True)
    evaluation = ImageEvaluation(data, config.judged, config.reference)
    metrics = evaluation.metrics if config.judged_by == "all" else evaluation.cheap
    training = {"g_learning_rate": config.learning_rate, "d_learning_rate": config.learning_rate}
    training |= {"optimizer": config.optimizer, "beta1": config.beta1, "beta2": config.beta2}
    history = gan.train(
        ScaledImages(data.images, config.scaling),
        batch_size=config.batch_size,
        iterations=config.iterations,
        seed=seed,
        callbacks=[evaluation.callback(config.judged_every, config.scaling, metrics, config.publish)],
        **training,
        **config.train_options,
    )
    after = min(WARM_UP, len(history) // 2)
    seconds = history["seconds"] - history["seconds"][after - 1]
    curves = {name: history[[name, "seconds"]].dropna() for name in metrics}
    grid = to_bytes(gan.generate(36, seed=seed), config.scaling)
    stacked = {f"curve/{k}": np.stack([v.index + 1, v[k], seconds[v.index]]) for k, v in curves.items()}
    config.save_arrays(data, samples=grid, **stacked)
    rows = evaluation.rows(to_bytes(gan.generate(evaluation.count, seed=seed + 1), config.scaling))
    rows += rows_over_training(evaluation, history, metrics)
    row = partial(result_row, data=data, protocol=f"training alone, after iteration {after}")
    judged_at = history.index[history[metrics[0]].notna() & (history.index >= after)]
    rows += [row("training_seconds", seconds[i], part=f"iteration {i + 1}") for i in judged_at]
    rows.append(row("seconds_per_iteration", seconds.iloc[-1] / (len(history) - after)))
    return rows


def summary(rows):
    """Comparisons at equal fractions of training and in seconds, from the judgements of all settings.

    Args:
        rows: a DataFrame of all runs' rows; of a run on its way, which has no seconds_per_iteration yet, none count.

    Returns:
        A list of rows; see `at_fractions`, `speeds`, `times` and `late`. The score is the Inception score where there
        is one, else classifier_score.
    """
    made = []
    for _, group in rows.groupby(["tier", "seed", "dataset"]):
        speed = group[group["quantity"] == "seconds_per_iteration"]
        curves = group[group["setting"].isin(speed["setting"]) & group["part"].str.startswith("iteration ")]
        curves = curves.assign(iteration=curves["part"].str.removeprefix("iteration ").astype(int))
        curves = curves.sort_values("iteration")
        timed = curves["quantity"] == "training_seconds"
        known = [name for name in ("inception_score", "classifier_score") if name in set(curves["quantity"])]
        scores = curves[curves["quantity"].isin(known[:1])]
        made += [*at_fractions(curves[~timed]), *speeds(speed), *times(scores, curves[timed]), *late(scores)]
    return made


def at_fractions(judged):
    """The judgements at a quarter, half and all of a run's iterations, where it was judged exactly there."""
    for setting, run in judged.groupby("setting"):
        total = run["iteration"].max()
        for part, divisor in FRACTIONS.items():
            for quantity, here in run[run["iteration"] * divisor == total].groupby("quantity"):
                one = here.iloc[0]
                protocol = f"{one['part']} of {total}; {one['protocol']}"
                yield of_runs(here, setting, quantity, one["value"], protocol, part=part, samples=one["samples"])


def speeds(speed):
    """Seconds per iteration over DCGAN's, where both ran on the same device."""
    dcgan = speed[speed["setting"] == "DCGAN"]
    for setting, own in speed[speed["setting"] != "DCGAN"].groupby("setting"):
        both = pd.concat([own, dcgan])
        if len(dcgan) and both["device"].nunique() == 1:
            ratio = own["value"].iloc[0] / dcgan["value"].iloc[0]
            yield of_runs(both, setting, "seconds_per_iteration_over_dcgan", ratio, own["protocol"].iloc[0])


def times(scores, seconds):
    """Seconds of training until the score that GP Adam has at half of its iterations, on the same device as GP Adam."""
    adam = scores[scores["setting"] == "GP Adam"]
    half = adam[adam["iteration"] * 2 == adam["iteration"].max()]
    for setting, run in scores.groupby("setting") if len(half) else ():
        goal = half["value"].iloc[0]
        first = run.loc[run["value"] >= goal, "iteration"].min()
        there = seconds[(seconds["setting"] == setting) & (seconds["iteration"] == first)]
        both = pd.concat([there, run[run["iteration"] == first], half])
        if len(there) and both["device"].nunique() == 1:
            protocol = f"{there['part'].iloc[0]}, where {half['quantity'].iloc[0]} first is at least {goal:.4g}"
            yield of_runs(both, setting, "seconds_to_half_score", there["value"].iloc[0], protocol)


def late(scores):
    """Mean and standard deviation of the score over the last 30 % of judgements, and GP Adam's mean over DCGAN's."""
    last = {setting: run.tail(-(-3 * len(run) // 10)) for setting, run in scores.groupby("setting")}  # rounded up
    for setting, run in last.items():
        protocol = f"{run['quantity'].iloc[0]}, the last {len(run)} judgements"
        yield of_runs(run, setting, "late_score", run["value"].mean(), protocol)
        if len(run) > 1:
            yield of_runs(run, setting, "late_score_deviation", run["value"].std(ddof=1), protocol)
    if {"GP Adam", "DCGAN"} <= set(last):
        both = pd.concat([last["GP Adam"], last["DCGAN"]])
        ratio = last["GP Adam"]["value"].mean() / last["DCGAN"]["value"].mean()
        protocol = f"mean {both['quantity'].iloc[0]} over the last 30 % of the judgements"
        yield of_runs(both, "GP Adam", "late_score_over_dcgan", ratio, protocol)
