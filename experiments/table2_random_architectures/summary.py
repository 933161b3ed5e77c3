"""Counts over minimum scores and comparisons of methods, from the runs of all architectures."""

import numpy as np
from scipy import stats

from experiments.table2_random_architectures.run import SHARE
from reproduction.results import summary_row
from wgangp.metrics.image_scores import CALIBRATION

THRESHOLDS = np.arange(1.0, 9.5, 0.5)  # Inception scores
AGAINST_GAN, AGAINST_ONE_SIDED = "GAN against WGAN-GP", "two-sided against one-sided"


def summary(rows):
    """Counts over the minimum scores, from the rows of all runs; see `counts`, `paired_scores` and `penalties`.

    Args:
        rows: a DataFrame of all runs' rows. Of runs judged with different metrics the most frequent metric's count.

    Returns:
        A list of rows. Shares that the paper counts have the data set's name, and the metric's where it is not the
        Inception score, in theirs.
    """
    summary_rows, rows = [], rows[rows["quantity"].str.startswith(SHARE)]
    for (_, _, dataset), group in rows.groupby(["tier", "seed", "dataset"]):
        quantity = group["quantity"].mode()[0]
        metric = quantity.removeprefix(SHARE)
        name = f"on_{dataset}" + ("" if metric == "inception_score" else f"_by_{metric}")
        frame, shares = paired(group[group["quantity"] == quantity], ["GAN", "WGAN-GP"])
        if len(shares):
            fields_of_rows = [*counts(shares, name), *paired_scores(shares, name)]
            summary_rows += [summary_row(frame, AGAINST_GAN, **about) for about in fields_of_rows]
        frame, shares = paired(group[group["quantity"] == quantity], ["WGAN-GP one-sided", "WGAN-GP"])
        summary_rows += [summary_row(frame, AGAINST_ONE_SIDED, **about) for about in penalties(shares, name)]
    return summary_rows


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
    """Table 5: shares of architectures above each minimum with one method, both, neither; arguments of `summary_row`.

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
        for threshold, architectures in zip(THRESHOLDS, table, strict=True):
            protocol = f"minimum: {threshold / CALIBRATION:.3f} of real images' score"
            yield share_of(architectures, f"{kind}_{name}", protocol) | {"part": f"min score {threshold:.1f}"}
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
    """How often WGAN-GP has the higher score of the two, and the exact sign test, as arguments of `summary_row`.

    Args:
        shares, name: as of `counts`.
    """
    higher, differ = shares[:, 1] > shares[:, 0], shares[:, 1] != shares[:, 0]
    yield share_of(higher, f"wgan_gp_higher_{name}", "higher score with WGAN-GP, among all architectures")
    if differ.any():
        yield share_of(higher[differ], "wgan_gp_higher", "higher score with WGAN-GP, among those that differ")
        yield sign_test(higher[differ], "sign_test_p_wgan_gp_higher")


def penalties(shares, name):
    """Appendix C: how often each penalty has the higher score, and the exact sign test, as arguments of `summary_row`.

    Args:
        shares: with the one-sided and the two-sided penalty, [architectures, 2].
        name: as of `counts`.
    """
    higher, differ = shares[:, 1] > shares[:, 0], shares[:, 1] != shares[:, 0]
    if differ.any():
        for kind, better in (("two_sided_better", higher), ("one_sided_better", differ & ~higher)):
            yield share_of(better, f"{kind}_{name}", "higher score, among all architectures")
        yield share_of(higher[differ], "two_sided_higher", "higher score, among architectures that differ")
        yield sign_test(higher[differ], "sign_test_p")


def sign_test(higher, quantity):
    """The two-sided exact sign test of pairs that differ, as arguments of `summary_row`."""
    p = stats.binomtest(int(higher.sum()), len(higher)).pvalue
    return {"quantity": quantity, "value": p, "protocol": "architectures that differ", "samples": len(higher)}


def share_of(chosen, quantity, protocol):
    """A share of architectures with its 95 % Wilson interval, half of it as err, as arguments of `summary_row`."""
    count, n = int(chosen.sum()), len(chosen)
    low, high = stats.binomtest(count, n).proportion_ci(0.95, "wilson")
    interval = {"err": (high - low) / 2, "low": low, "high": high}
    return {"quantity": quantity, "value": count / n, "protocol": protocol, "samples": n} | interval
