"""Tables 1, 2 and 5 and Appendix C of v3: random architectures, each trained as a GAN and as a WGAN-GP.

"For most choices of score threshold, WGAN-GP successfully trains many architectures from this set which we were unable
to train with the standard GAN objective" (Section 5.1): how many of 200 architectures exceed a minimum score with one
method only, with both, with neither, over 17 minimum scores. With the one-sided penalty as a third method, Appendix C:
no significant difference. A training that ends in NaN or in an error of an operator is a failure of its architecture,
below every minimum.
"""

from typing import Literal

import numpy as np
from scipy import stats

from wgangp import DCGAN, WGAN_GP
from wgangp.data.batches import ScaledImages, to_bytes
from wgangp.data.images import cifar10
from wgangp.experiment import Config as BaseConfig
from wgangp.metrics.image_scores import CALIBRATION
from wgangp.metrics.judge import Judge
from wgangp.networks import random_architecture
from wgangp.results import digest_of_runs, row

THRESHOLDS = np.arange(1.0, 9.5, 0.5)  # Inception scores
SHARE = "share_of_real_"


class Config(BaseConfig):
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
    judge = Judge(data, config.judged, config.reference)
    judge.metrics = judge.cheap
    metric = judge.metrics[0]
    try:
        gan = build(config)
        gan.train(
            ScaledImages(data.images, "dcgan"),
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
        samples = gan.generate(judge.count, seed=seed)
        failure = "" if np.isfinite(samples).all() else "the samples are not finite"
    except (ArithmeticError, MemoryError, RuntimeError) as error:  # NaN, no memory, an operator's error
        failure = " ".join(str(error).split())[:200] or type(error).__name__
    rows, share = [], 0.0
    if not failure:
        rows = judge.rows(to_bytes(samples, "dcgan"))
        values = {scored["quantity"]: scored["value"] for scored in rows}
        share = share_of_real(metric, values[metric], values[f"{metric}_of_real_images"])
        config.keep_networks(gan)
    about = f"{architecture} (number {index} of the set); {judge.protocol}"
    rows.append(judge.row(metric, share) | {"quantity": SHARE + metric, "protocol": about})
    return [*rows, row("failed", bool(failure), failure or judge.protocol, data.sha256)]


def share_of_real(metric, value, real):
    """How near a figure is to that of real images: 1 as good, near 0 bad.

    Inception scores are taken over the known one of real CIFAR-10, so that they meet the minimum scores as printed.
    """
    if metric == "inception_score":
        return value / CALIBRATION
    return value / real if metric.endswith("score") else real / value


def summary(rows):
    """Counts over the minimum scores, from the rows of all runs; see `counts` and `penalties`.

    Of runs judged with different metrics those with the most frequent one count.
    """
    rows, found = rows[rows["quantity"].str.startswith(SHARE)], []
    for (tier, seed), group in rows.groupby(["tier", "seed"]):
        quantity = group["quantity"].mode()[0]
        group = group[group["quantity"] == quantity]
        number, method = group["setting"].str.split(", ").str[0], group["setting"].str.split(", ").str[1]
        shares = group.assign(number=number, method=method).pivot(index="number", columns="method", values="value")
        shares = shares.reindex(columns=["GAN", "WGAN-GP", "WGAN-GP one-sided"])
        metric, dataset = quantity.removeprefix(SHARE), group["protocol"].iloc[0].split("dataset=")[-1]
        name = f"on_{dataset}" + ("" if metric == "inception_score" else f"_by_{metric}")
        about = {"tier": tier, "seed": seed, "wall_seconds": group["wall_seconds"].sum()}
        about |= {"finished": group["finished"].max(), "config_sha256": digest_of_runs(group)}
        for column in ("commit", "device", "paddle", "weights_sha256"):
            about[column] = " ".join(map(str, group[column].dropna().unique()))
        parts = [*counts(shares, name), *penalties(shares, name)]
        told = f"dataset={dataset}"
        made = (row(data=group["data_sha256"].iloc[0], **p | {"protocol": f"{p['protocol']}; {told}"}) for p in parts)
        found += [one | about for one in made]
    return found


def counts(shares, name):
    """Table 5: shares of the architectures above each minimum with one method, both, neither, as arguments of `row`.

    A minimum score is put at the same fraction of real images' score, whatever the metric; err is half of the Wilson
    interval. The lead is WGAN-GP's less GAN's share of minimum scores exceeded, err its standard error, and its lower
    end that of Student's 95 % interval.
    """
    pairs = shares[["GAN", "WGAN-GP"]].dropna().to_numpy()
    if not len(pairs):
        return
    passed = pairs > THRESHOLDS[:, None, None] / CALIBRATION
    gan, penalised = passed[..., 0], passed[..., 1]
    kinds = {"only_gan": gan & ~penalised, "only_wgan_gp": ~gan & penalised}
    kinds |= {"both": gan & penalised, "neither": ~gan & ~penalised}
    for kind, table in kinds.items():
        for threshold, those in zip(THRESHOLDS, table, strict=True):
            yield share_of(
                those, f"{kind}_{name}", f"min score {threshold:.1f}", f"{threshold / CALIBRATION:.3f} of real"
            )
    higher = pairs[:, 1] > pairs[:, 0]
    yield share_of(higher, f"wgan_gp_higher_{name}", "GAN against WGAN-GP", "higher score with WGAN-GP")
    lead = (penalised.astype(float) - gan).mean(axis=0)
    protocol = f"mean over {len(THRESHOLDS)} minimum scores and {len(lead)} architectures"
    about = {"quantity": "lead_of_wgan_gp", "setting": "GAN against WGAN-GP", "protocol": protocol}
    if len(lead) > 1:
        error = lead.std(ddof=1) / np.sqrt(len(lead))
        yield about | {"value": lead.mean(), "err": error}
        lower = lead.mean() - stats.t.ppf(0.975, len(lead) - 1) * error
        yield about | {"quantity": "lead_of_wgan_gp_lower_end", "value": lower}


def penalties(shares, name):
    """Appendix C: how often each penalty's score is the higher one, and the sign test, as arguments of `row`."""
    difference = (shares["WGAN-GP"] - shares["WGAN-GP one-sided"]).dropna()
    setting, decided = "two-sided against one-sided", int((difference != 0).sum())
    if not decided:
        return
    for kind, those in (("two_sided_better", difference > 0), ("one_sided_better", difference < 0)):
        yield share_of(those.to_numpy(), f"{kind}_{name}", setting, "higher score")
    p = stats.binomtest(int((difference > 0).sum()), decided).pvalue
    yield {"quantity": "sign_test_p", "setting": setting, "value": p, "protocol": f"{decided} architectures differ"}


def share_of(those, quantity, setting, what):
    """A share of architectures with its Wilson interval, as arguments of `row`."""
    count, n = int(those.sum()), len(those)
    low, high = stats.binomtest(count, n).proportion_ci(0.95, "wilson")
    protocol = f"{count} of {n}; {what}; Wilson 95 % {low:.3f} to {high:.3f}"
    return {"quantity": quantity, "setting": setting, "value": count / n, "err": (high - low) / 2, "protocol": protocol}
