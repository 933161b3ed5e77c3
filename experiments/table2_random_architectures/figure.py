"""Table 5: architectures above each minimum score with one method, both, neither; Appendix C: scores pair by pair."""

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from experiments.table2_random_architectures.run import SHARE, chosen
from reproduction import TIERS, paper_csv, results
from reproduction.experiment import Experiment
from reproduction.notebook_data import data_in_words, number_of
from reproduction.visualization import COLOURS, METRICS, REAL, WIDTH
from wgangp.errors import InputError
from wgangp.metrics.image_scores import CALIBRATION

NAME = "table2_random_architectures"
OUTCOMES = {"only_gan": "only GAN", "only_wgan_gp": "only WGAN-GP", "both": "both", "neither": "neither"}
OUTCOME_COLOURS = [COLOURS["GAN"], COLOURS["WGAN-GP"], COLOURS["validation"], "dimgrey"]
PAIRS = {  # of methods, and what they are called beside each other
    ("GAN", "WGAN-GP"): ("GAN", "WGAN-GP"),
    ("WGAN-GP one-sided", "WGAN-GP"): ("one-sided penalty", "two-sided penalty"),
}


def at_minima(rows: pd.DataFrame) -> pd.DataFrame:
    """Those of minimum scores, with the score as `minimum`."""
    rows = rows[rows["part"].str.startswith("min score ")]
    return rows.assign(minimum=rows["part"].map(number_of))


def counted(tier: str | None = None) -> tuple[str, str, pd.DataFrame]:
    """Shares of architectures over minimum scores, of one tier and its first seed.

    Args:
        tier: what was last counted at this tier; the best, on real data where there are such, when None.

    Returns:
        The tier; tier, data and seed in words; a DataFrame: outcome, minimum, count, n, share, low, high (Wilson's
        95 % interval), metric, dataset.

    Raises:
        InputError: nothing has been counted.
    """
    rows = at_minima(results.read(NAME))
    rows = rows.assign(rank=rows["tier"].map(TIERS.index), real=rows["dataset"] != results.EMBEDDED)
    if not len(rows):
        raise InputError(f"{NAME} has no architecture with both methods; run: wgangp run {NAME}.")
    order = ["rank", "real", "finished"]
    if tier and (rows["tier"] == tier).any():
        rows, order = rows[rows["tier"] == tier], ["finished"]
    last = rows.sort_values(order).iloc[-1]
    rows = rows[(rows["tier"] == last["tier"]) & (rows["dataset"] == last["dataset"])]
    rows = rows[rows["seed"] == rows["seed"].min()]
    metric = last["quantity"].partition("_by_")[2] or "inception_score"
    table = rows[["minimum", "low", "high"]].assign(
        outcome=rows["quantity"].str.partition("_on_")[0],
        share=rows["value"],
        n=rows["samples"].astype(int),
        metric=metric,
        dataset=last["dataset"],
    )
    table["count"] = (table["share"] * table["n"]).round().astype(int)
    words = f"tier {last['tier']}, {data_in_words(last['dataset'])}, 1 seed ({rows['seed'].iloc[0]})"
    return last["tier"], words, table.sort_values(["outcome", "minimum"])


def shares_over_minimum_scores(tier: str | None = None) -> Figure:
    """Shares of architectures over minimum scores, a panel per outcome: ours with intervals, the paper's as marks.

    Args:
        tier: as of `counted`.

    Source: Table 5.
    """
    table, iterations = counted(tier)[2], iterations_at(tier)
    ours, paper = table.groupby("outcome"), at_minima(paper_csv.rows_of(NAME)).groupby("quantity")
    n, metric = table["n"].iloc[0], table["metric"].iloc[0]
    figure, axes = plt.subplots(1, len(OUTCOMES), figsize=(WIDTH, 3.0), sharex=True, sharey=True, layout="constrained")
    for ax, (outcome, words), colour in zip(axes, OUTCOMES.items(), OUTCOME_COLOURS, strict=True):
        rows, reported = ours.get_group(outcome), paper.get_group(outcome)
        ax.fill_between(rows["minimum"], 100 * rows["low"], 100 * rows["high"], color=colour, alpha=0.2, linewidth=0)
        ax.plot(rows["minimum"], 100 * rows["share"], color=colour, linewidth=1.8)
        ax.plot(reported["minimum"], 100 * reported["value"], "o", color="black", markersize=3.5, fillstyle="none")
        ax.axvline(CALIBRATION, **REAL)
        ax.set(title=words, xticks=range(1, 12, 2))
    axes[0].set_ylabel("share of architectures (%)")
    others = "" if metric == "inception_score" else ", or the same fraction of real images' score"
    figure.supxlabel(f"minimum Inception score{others}", fontsize=9)
    handles = [
        plt.Line2D([], [], color="dimgrey", linewidth=1.8),
        plt.Rectangle((0, 0), 1, 1, color="dimgrey", alpha=0.2, linewidth=0),
        plt.Line2D([], [], color="black", marker="o", linestyle="", markersize=3.5, fillstyle="none"),
        plt.Line2D([], [], **REAL),
    ]
    labels = ["ours", "95 % interval", "paper, other data", "real images"]
    axes[0].legend(handles, labels, loc="upper left", handlelength=1.3)
    figure.suptitle(
        f"Ours: {n} architectures, {iterations:,} iterations, {METRICS[metric]}; the paper's: 200, on 32 x 32 ImageNet"
    )
    return figure


def table5(tier: str | None = None) -> pd.DataFrame:
    """Table 5: a row per minimum score, ours as "count of n (Wilson interval)" beside the paper's of 200."""
    _, _, table = counted(tier)
    text = [f"{r.k} of {r.n} ({r.low:.2f} to {r.high:.2f})" for r in table.rename(columns={"count": "k"}).itertuples()]
    ours = table.assign(text=text).pivot(index="minimum", columns="outcome", values="text")
    paper = at_minima(paper_csv.rows_of(NAME))
    of_paper = (200 * paper.pivot(index="minimum", columns="quantity", values="value")).round().astype(int)
    columns = {words: ours[key] for key, words in OUTCOMES.items()}
    return pd.DataFrame(columns | {f"{words}, paper": of_paper[key] for key, words in OUTCOMES.items()})


def shares_of_real(tier: str | None = None) -> pd.DataFrame:
    """Each architecture's share of real images' score, a row per number and a column per method; failures are 0.

    Args:
        tier: as of `counted`.
    """
    rows = single_runs(tier)
    shares = rows[rows["quantity"].str.startswith(SHARE)]
    return shares.pivot_table(index="number", columns="method", values="value")


def pairs(tier: str | None = None) -> Figure:
    """Each architecture's score with one method over its score with another, and how often each is higher.

    Args:
        tier: as of `counted`.

    Source: Section 5.1 and Appendix C.
    """
    shares, iterations = 100 * shares_of_real(tier), iterations_at(tier)
    metric = METRICS[counted(tier)[2]["metric"].iloc[0]]
    ends = shares.min(axis=None), shares.max(axis=None)
    figure, axes = plt.subplots(1, 2, figsize=(WIDTH, 3.7), sharex=True, sharey=True, layout="constrained")
    for ax, (methods, (first, second)) in zip(axes, PAIRS.items(), strict=True):
        x, y = shares.reindex(columns=methods).dropna().to_numpy().T
        ax.plot(x, y, "o", color=COLOURS["WGAN-GP"], markersize=5, alpha=0.7)
        ax.plot(ends, ends, color="grey", linewidth=0.8)
        ax.set(title=f"{second} higher: {(y > x).sum()}, {first}: {(x > y).sum()}", aspect="equal")
        ax.set(xlabel=f"{first} (% of real images' score)", ylabel=f"{second} (%)")
    figure.suptitle(
        f"Each architecture with two methods, {iterations:,} iterations, by {metric}; on the line, both alike"
    )
    return figure


def architectures(tier: str | None = None) -> pd.DataFrame:
    """Every architecture drawn: its share of real images' score with each method, or that it failed.

    Args:
        tier: as of `counted`.
    """
    rows, table = single_runs(tier), shares_of_real(tier).round(3).astype(object)
    for _, row in rows[(rows["quantity"] == "failed") & (rows["value"] == 1)].iterrows():
        table.loc[row["number"], row["method"]] = "failed"
    experiment, tier = Experiment(NAME), counted(tier)[0]
    settings = rows.drop_duplicates("number").set_index("number")["setting"]
    drawn = {number: str(chosen(experiment.config(setting, tier))[1]) for number, setting in settings.items()}
    return table.assign(architecture=pd.Series(drawn))


def single_runs(tier: str | None) -> pd.DataFrame:
    """The rows of the runs that `counted` counts, with the architecture's `number` and the `method`."""
    tier, _, table = counted(tier)
    rows = results.of_single_runs(results.read(NAME))
    rows = rows[(rows["tier"] == tier) & (rows["dataset"] == table["dataset"].iloc[0])]
    rows = rows[rows["seed"] == rows["seed"].min()]
    parts = rows["setting"].str.partition(", ")
    return rows.assign(number=parts[0].str.removeprefix("architecture "), method=parts[2])


def iterations_at(tier: str | None) -> int:
    """Iterations of training at the tier that `counted` counts."""
    experiment = Experiment(NAME)
    return experiment.config(experiment.settings[0], counted(tier)[0]).iterations
