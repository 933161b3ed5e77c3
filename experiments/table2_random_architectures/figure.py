"""Table 5: how many architectures exceed each minimum score with one method only, with both, with neither."""

import matplotlib.pyplot as plt
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from experiments.table2_random_architectures.run import chosen
from reproduction import TIERS, paper_csv, results
from reproduction.experiment import Experiment
from reproduction.notebook_data import number_of
from wgangp.errors import InputError

NAME = "table2_random_architectures"
OUTCOMES = {"only_gan": "only GAN", "only_wgan_gp": "only WGAN-GP", "both": "both", "neither": "neither"}


def at_minima(rows: pd.DataFrame) -> pd.DataFrame:
    """Those of minimum scores, with the score as `minimum`."""
    rows = rows[rows["part"].str.startswith("min score ")]
    return rows.assign(minimum=rows["part"].map(number_of))


def counted(tier: str | None = None) -> tuple[str, str, pd.DataFrame]:
    """Shares of architectures over minimum scores, of one tier and its first seed.

    Args:
        tier: what was last counted at this tier; the best, on real data where there are such, when None.

    Returns:
        The tier; tier, data and metric in words; a DataFrame: outcome, minimum, count, n, share, low, high (Wilson).

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
    parts = rows["quantity"].str.partition("_on_")
    table = rows[["minimum", "low", "high"]].assign(
        outcome=parts[0], share=rows["value"], n=rows["samples"].astype(int)
    )
    table["count"] = (table["share"] * table["n"]).round().astype(int)
    words = f"tier {last['tier']}, {parts[2].iloc[0].replace('_', ' ')}, {table['n'].iloc[0]} architectures"
    return last["tier"], words, table.sort_values(["outcome", "minimum"])


def shares_over_minimum_scores(tier: str | None = None) -> Figure:
    """Shares of architectures over minimum scores with their intervals, a panel per outcome, the paper's behind.

    Args:
        tier: as of `counted`.

    Source: Table 5.
    """
    ours, paper = counted(tier)[2].groupby("outcome"), at_minima(paper_csv.rows_of(NAME)).groupby("quantity")
    figure, axes = plt.subplots(1, len(OUTCOMES), figsize=(1.8 * len(OUTCOMES), 2.0), sharex=True, sharey=True)
    for i, (ax, (quantity, outcome)) in enumerate(zip(axes, OUTCOMES.items(), strict=True)):
        rows, reported = ours.get_group(quantity), paper.get_group(quantity)
        ax.plot(reported["minimum"], reported["value"], "--", color="grey", alpha=0.6, linewidth=1.2, label="paper")
        ax.fill_between(rows["minimum"], rows["low"], rows["high"], step="mid", color=f"C{i}", alpha=0.2, linewidth=0)
        ax.plot(rows["minimum"], rows["share"], drawstyle="steps-mid", color=f"C{i}", linewidth=1.4, label="ours")
        ax.set_title(outcome, fontsize="x-small")
        ax.tick_params(labelsize="xx-small", length=3)
    axes[0].set_ylabel("share of architectures", fontsize="x-small")
    axes[-1].legend(fontsize="xx-small")
    figure.supxlabel("minimum Inception score, or the same fraction of real images' score", fontsize="x-small")
    sns.despine(figure)
    figure.tight_layout(pad=0.3)
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


def architectures(tier: str | None = None) -> pd.DataFrame:
    """Every architecture drawn: its share of real images' score with each method, or that it failed.

    Args:
        tier: as of `counted`.
    """
    tier = counted(tier)[0]
    rows = results.of_single_runs(results.read(NAME)).query("tier == @tier")
    rows = rows[rows["seed"] == rows["seed"].min()]
    parts = rows["setting"].str.partition(", ")
    rows = rows.assign(number=parts[0].str.removeprefix("architecture "), method=parts[2])
    shares = rows[rows["quantity"].str.startswith("share_of_real_")]
    table = shares.pivot_table(index="number", columns="method", values="value").round(3).astype(object)
    for _, row in rows[(rows["quantity"] == "failed") & (rows["value"] == 1)].iterrows():
        table.loc[row["number"], row["method"]] = "failed"
    experiment, settings = Experiment(NAME), shares.drop_duplicates("number").set_index("number")["setting"]
    drawn = {n: str(chosen(experiment.config(s, tier))[1]) for n, s in settings.items()}
    return table.assign(architecture=pd.Series(drawn))
