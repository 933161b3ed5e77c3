"""Tables 1, 2 and 5 and Appendix C of v3: random architectures, each trained as a GAN and as a WGAN-GP.

"For most choices of score threshold, WGAN-GP successfully trains many architectures from this set which we were unable
to train with the standard GAN objective" (Section 5.1): how many of 200 architectures exceed a minimum score with one
method only, with both, with neither, over 17 minimum scores. With the one-sided penalty as a third method, Appendix C:
no significant difference. A training that ends in NaN or in an error of an operator is a failure of its architecture,
below every minimum.
"""

from typing import ClassVar, Literal

import numpy as np
from scipy import stats

from reproduction.evaluation import ImageEvaluation
from reproduction.experiment import Config as BaseConfig
from reproduction.results import of_runs, row
from wgangp import DCGAN, WGAN_GP
from wgangp.data.batches import ScaledImages, to_bytes
from wgangp.data.images import cifar10
from wgangp.metrics.evaluator import available_metrics, cheap_metrics
from wgangp.metrics.image_scores import CALIBRATION
from wgangp.networks import random_architecture

THRESHOLDS = np.arange(1.0, 9.5, 0.5)  # Inception scores
SHARE = "share_of_real_"
AGAINST_GAN, AGAINST_ONE_SIDED = "GAN against WGAN-GP", "two-sided against one-sided"


class Config(BaseConfig):
    scaling: ClassVar[str] = "dcgan"  # of the images, see wgangp.data.batches.scale
    number: int  # of the architecture among those drawn, from 1
    method: Literal["GAN", "WGAN-GP", "WGAN-GP one-sided"]
    divisor: int  # of the filters
    batch_size: int
    iterations: int
    learning_rate: float
    beta1: float
    beta2: float
    weight_decay: float  # of normalised critics
    lambda_gp: float
    judged: int  # generated images
    reference: int  # real images that distances are taken to


def chosen(config):
    """The number in the whole set of the architecture drawn, and the architecture."""
    index = int(random_architecture.draw(config.number)[-1])
    return index, random_architecture.architecture(index)


def build(config):
    critic_norm = "batch" if config.method == "GAN" else "layer"
    networks = random_architecture.build(chosen(config)[1], critic_norm, config.divisor)
    if config.method == "GAN":
        return DCGAN(*networks)
    penalty = "one-sided" if config.method.endswith("one-sided") else "two-sided"
    return WGAN_GP(*networks, lambda_gp=config.lambda_gp, penalty=penalty)


def run(config, seed):
    data, (index, architecture) = cifar10(fallback=True), chosen(config)
    evaluation = ImageEvaluation(data, config.judged, config.reference, cheap_metrics(available_metrics(data)))
    metric = evaluation.metrics[0]
    try:
        gan = build(config)
        gan.train(
            ScaledImages(data.images, config.scaling),
            batch_size=config.batch_size,
            iterations=config.iterations,
            g_learning_rate=config.learning_rate,
            d_learning_rate=config.learning_rate,
            beta1=config.beta1,
            beta2=config.beta2,
            d_weight_decay=config.weight_decay if architecture.critic_normalised else None,
            seed=seed,
            **config.train_options,
        )
        samples = gan.generate(evaluation.count, seed=seed)
        failure = "" if np.isfinite(samples).all() else "the samples are not finite"
    except (ArithmeticError, MemoryError, RuntimeError) as error:  # NaN, no memory, an operator's error
        failure = " ".join(str(error).split())[:200] or type(error).__name__
    rows, share = [], 0.0
    if not failure:
        rows = evaluation.rows(to_bytes(samples, config.scaling))
        values = {scored["quantity"]: scored["value"] for scored in rows}
        share = share_of_real(metric, values[metric], values[f"{metric}_of_real_images"])
        config.keep_networks(gan)
    about = f"{architecture} (number {index} of the set); {evaluation.protocol}"
    rows.append(evaluation.row(metric, share, protocol=about) | {"quantity": SHARE + metric})
    return [*rows, row("failed", bool(failure), data, failure or evaluation.protocol)]


def share_of_real(metric, value, real):
    """How near a figure is to that of real images: 1 as good, near 0 bad.

    Inception scores are taken over the known one of real CIFAR-10, so that they meet the minimum scores as printed.
    """
    if metric == "inception_score":
        return value / CALIBRATION
    return value / real if metric.endswith("score") else real / value


def summary(rows):
    """Counts over the minimum scores, from the rows of all runs; see `counts`, `paired_scores` and `penalties`.

    Args:
        rows: a DataFrame of all runs' rows. Of runs judged with different metrics the most frequent metric's count.

    Returns:
        A list of rows. Shares that the paper counts have the data set's name, and the metric's where it is not the
        Inception score, in theirs.
    """
    made, rows = [], rows[rows["quantity"].str.startswith(SHARE)]
    for (_, _, dataset), group in rows.groupby(["tier", "seed", "dataset"]):
        quantity = group["quantity"].mode()[0]
        metric = quantity.removeprefix(SHARE)
        name = f"on_{dataset}" + ("" if metric == "inception_score" else f"_by_{metric}")
        frame, shares = paired(group[group["quantity"] == quantity], ["GAN", "WGAN-GP"])
        if len(shares):
            abouts = [*counts(shares, name), *paired_scores(shares, name)]
            made += [of_runs(frame, AGAINST_GAN, **about) for about in abouts]
        frame, shares = paired(group[group["quantity"] == quantity], ["WGAN-GP one-sided", "WGAN-GP"])
        made += [of_runs(frame, AGAINST_ONE_SIDED, **about) for about in penalties(shares, name)]
    return made


def paired(group, methods):
    """The rows of those architectures that were run with two methods.

    Args:
        group: rows of one quantity, tier, seed and data set.
        methods: two of them.

    Returns:
        The rows, and the values as an array [architectures, 2].
    """
    parts = group["setting"].str.split(", ", n=1)
    group = group.assign(number=parts.str[0], method=parts.str[1])
    table = group.pivot(index="number", columns="method", values="value").reindex(columns=methods).dropna()
    return group[group["number"].isin(table.index) & group["method"].isin(methods)], table.to_numpy()


def counts(shares, name):
    """Table 5: shares of architectures above each minimum with one method, both, neither, as arguments of `of_runs`.

    Args:
        shares: of real images' score, with GAN and WGAN-GP, [architectures, 2].
        name: what follows in the names of the shares.

    A minimum score is put at the same fraction of real images' score, whatever the metric. lead_of_wgan_gp is WGAN-GP's
    less GAN's share of minimum scores exceeded; err is its standard error and low to high Student's 95 % interval.
    lead_where_ten_differ is the smallest over those minimum scores at which ten or more architectures succeed with one
    method only; where no minimum score has ten, its interval holds everything.
    """
    passed = shares > THRESHOLDS[:, None, None] / CALIBRATION
    gan, penalised = passed[..., 0], passed[..., 1]
    kinds = {"only_gan": gan & ~penalised, "only_wgan_gp": ~gan & penalised}
    kinds |= {"both": gan & penalised, "neither": ~gan & ~penalised}
    for kind, table in kinds.items():
        for threshold, those in zip(THRESHOLDS, table, strict=True):
            protocol = f"minimum: {threshold / CALIBRATION:.3f} of real images' score"
            yield share_of(those, f"{kind}_{name}", protocol) | {"part": f"min score {threshold:.1f}"}
    difference = penalised.astype(float) - gan  # [minimum scores, architectures]
    lead, n = difference.mean(axis=0), len(shares)
    about = {"quantity": "lead_of_wgan_gp", "protocol": f"mean over {len(THRESHOLDS)} minimum scores", "samples": n}
    if n > 1:
        error = lead.std(ddof=1) / np.sqrt(n)
        half = stats.t.ppf(0.975, n - 1) * error
        ends = {"err": error, "low": lead.mean() - half, "high": lead.mean() + half}
        yield about | {"value": lead.mean()} | ends
    enough = (difference != 0).sum(axis=1) >= 10
    about = {"quantity": "lead_where_ten_differ", "samples": n}
    if enough.any():
        smallest = difference[enough].mean(axis=1).min()
        yield about | {"value": smallest, "protocol": f"smallest of {enough.sum()} minimum scores"}
    else:
        protocol = "at no minimum score do ten architectures succeed with one method only"
        yield about | {"value": 0.0, "low": -1.0, "high": 1.0, "protocol": protocol}


def paired_scores(shares, name):
    """How often WGAN-GP has the higher score of the two, and the exact sign test, as arguments of `of_runs`.

    Args:
        shares, name: as of `counts`.
    """
    higher, differ = shares[:, 1] > shares[:, 0], shares[:, 1] != shares[:, 0]
    yield share_of(higher, f"wgan_gp_higher_{name}", "higher score with WGAN-GP, among all architectures")
    if differ.any():
        yield share_of(higher[differ], "wgan_gp_higher", "higher score with WGAN-GP, among those that differ")
        yield sign_test(higher[differ], "sign_test_p_wgan_gp_higher")


def penalties(shares, name):
    """Appendix C: how often each penalty has the higher score, and the exact sign test, as arguments of `of_runs`.

    Args:
        shares: with the one-sided and the two-sided penalty, [architectures, 2].
        name: as of `counts`.
    """
    higher, differ = shares[:, 1] > shares[:, 0], shares[:, 1] != shares[:, 0]
    if differ.any():
        for kind, those in (("two_sided_better", higher), ("one_sided_better", differ & ~higher)):
            yield share_of(those, f"{kind}_{name}", "higher score, among all architectures")
        yield share_of(higher[differ], "two_sided_higher", "higher score, among architectures that differ")
        yield sign_test(higher[differ], "sign_test_p")


def sign_test(higher, quantity):
    """The two-sided exact sign test of pairs that differ, as arguments of `of_runs`."""
    p = stats.binomtest(int(higher.sum()), len(higher)).pvalue
    return {"quantity": quantity, "value": p, "protocol": "architectures that differ", "samples": len(higher)}


def share_of(those, quantity, protocol):
    """A share of architectures with its 95 % Wilson interval, half of it as err, as arguments of `of_runs`."""
    count, n = int(those.sum()), len(those)
    low, high = stats.binomtest(count, n).proportion_ci(0.95, "wilson")
    interval = {"err": (high - low) / 2, "low": low, "high": high}
    return {"quantity": quantity, "value": count / n, "protocol": protocol, "samples": n} | interval
