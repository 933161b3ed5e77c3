"""What the notebooks read: arrays of the best tier there is, means over seeds, provenance."""

import numpy as np
import pandas as pd

from reproduction import TIERS, paper_csv, results
from reproduction.experiment import Experiment
from reproduction.job import Job
from wgangp.errors import InputError
from wgangp.runtime.files import read_npz

pd.set_option("display.max_rows", None)  # notebooks show their tables whole


class Runs(dict):
    """The arrays that an experiment's runs kept, {setting: [arrays of each seed]}.

    Attributes:
        tier: that they are of.
        datasets: the names of what they were trained on.
        label: tier, data and seeds in words, for the figures.
    """

    def __init__(self, tier, datasets, arrays):
        super().__init__(arrays)
        self.tier, self.datasets = tier, sorted(datasets)
        counts = " or ".join(str(n) for n in sorted({len(one) for one in arrays.values()}))
        data = f"{self.datasets[0].replace('_', ' ')} data, " if len(self.datasets) == 1 else ""
        self.label = f"tier {tier}, {data}{counts} seed{'s' * (counts != '1')}"


def best_runs(experiment, tier=None):
    """The runs to draw: of the best tier that has all settings, on real data first; or what was run last.

    Args:
        experiment: an `Experiment`.
        tier: draw what was last run at this tier, in this checkout if any was, where it has all settings.

    Returns:
        `Runs`.

    Raises:
        InputError: no tier has every setting.
    """
    rows = results.of_single_runs(results.read(experiment.name))
    for one in dict.fromkeys([*([tier] if tier in experiment.tiers else []), *reversed(experiment.tiers)]):
        found = {s: _arrays(experiment, s, one, rows, last=one == tier) for s in experiment.settings_at(one)}
        if all(arrays for arrays, _ in found.values()):
            datasets = {dataset for _, dataset in found.values()}
            return Runs(one, datasets, {setting: arrays for setting, (arrays, _) in found.items()})
    raise InputError(f"{experiment.name} has no complete results; run: wgangp run {experiment.name}.")


def _arrays(experiment, setting, tier, rows, last):
    """The arrays of a setting's seeds and the data set; of the run that finished last, or real data first."""
    rows = rows[(rows["tier"] == tier) & (rows["setting"] == setting)]
    jobs = {seed: Job(experiment, setting, tier, int(seed)) for seed in sorted(set(rows["seed"]))}
    if last and any(job.done for job in jobs.values()):
        jobs = {seed: job for seed, job in jobs.items() if job.done}
    rows = rows[rows["seed"].isin(list(jobs))].assign(real=rows["dataset"] != results.EMBEDDED)
    for dataset in rows.sort_values(["finished"] if last else ["real", "finished"])["dataset"][::-1].unique():
        paths = [job.arrays_path(dataset) for job in jobs.values()]
        arrays = [read_npz(path) for path in paths if path.exists()]
        if arrays:
            return arrays, dataset
    return [], ""


def stacked(arrays, key):
    """One array of every seed, [seeds, ...]."""
    return np.stack([one[key] for one in arrays])


def number_of(part):
    """The number in "layer 3", "iteration 500", "min score 1.5"."""
    number = float(part.split()[-1])
    return int(number) if number.is_integer() else number


def paper_layers(name):
    """Digitised gradient norms, {setting: {layer: log10 norm}}."""
    rows = paper_csv.rows_of(name)
    layers = {}
    for _, row in rows[rows["quantity"] == "log10_gradient_norm"].iterrows():
        layers.setdefault(row["setting"], {})[number_of(row["part"])] = row["value"]
    return layers


def means(name):
    """Every quantity over the seeds: mean, lowest, highest and how many."""
    groups = results.read(name).groupby(["tier", "dataset", "setting", "quantity", "part"], sort=False)["value"]
    return groups.agg(["mean", "min", "max", "size"]).round(4)


def provenance(name):
    """Where the numbers come from: a row per tier, data set, commit and device."""
    rows = results.of_single_runs(results.read(name)).drop_duplicates(["config_sha256", "seed"])
    groups = rows.groupby(["tier", "dataset", "commit", "device", "paddle"])
    return groups.agg(runs=("seed", "size"), seconds=("wall_seconds", "sum"), last=("finished", "max")).reset_index()


def judgements(name):
    """What was judged while training, metric by iteration."""
    rows = results.of_single_runs(results.read(name))
    rows = rows[rows["part"].str.startswith("iteration ")]
    rows = rows.assign(iteration=rows["part"].map(number_of))
    index = ["tier", "dataset", "setting", "seed", "iteration"]
    return rows.pivot_table(index=index, columns="quantity", values="value").round(4)


def score_curves(runs, x=0):
    """Judgements over training, {metric: {setting: (x, score)}}, of the first seed.

    Args:
        runs: of `best_runs`.
        x: row of the abscissa: 0 for iterations, 2 for seconds.
    """
    lines = {}
    for setting, arrays in runs.items():
        for key, curve in arrays[0].items():
            if key.startswith("curve/"):
                lines.setdefault(key.removeprefix("curve/"), {})[setting] = (curve[x], curve[1])
    return lines


def paper_iterations(name):
    """Digitised curves, {setting: (iterations, values)}."""
    rows = paper_csv.rows_of(name)
    rows = rows[rows["part"].str.startswith("iteration ")]
    return {s: (group["part"].map(number_of), group["value"]) for s, group in rows.groupby("setting")}


def drawn(rows, runs):
    """Those of the tier and data that a figure is drawn from, of the lowest seed."""
    rows = rows[(rows["tier"] == runs.tier) & rows["dataset"].isin(runs.datasets)]
    return rows[rows["seed"] == rows["seed"].min()]


def rank_correlations(experiment, runs):
    """Of the negative critic losses with the distance to real images, where a run measured one; first seed.

    Args:
        experiment: Figure 5's, whose run.py says how they are taken.
        runs: as from `best_runs`.

    Returns:
        A DataFrame, a row for each setting's training and validation loss, over the first half and all of training.
    """
    made = {}
    for setting, (arrays, *_) in runs.items():
        if "distances" not in arrays:
            continue
        losses = pd.DataFrame(arrays["curve"][1:].T, arrays["curve"][0], ["training", "validation"])
        distances = pd.Series(arrays["distances"][1], arrays["distances"][0])
        half = losses.index.max() / 2
        for name, loss in losses.items():
            made[setting, name] = {
                "first half": experiment.module("measures").rank_correlation(loss[:half], distances[:half]),
                "all of training": experiment.module("measures").rank_correlation(loss, distances),
            }
    return pd.DataFrame(made).T.round(3)


def cells(name, runs):
    """Architecture by method: the distance, its share of the way to real images, and whether the cell trained, of one
    seed.

    The share is (untrained - distance) / (untrained - real): 1 for real images, 0 for the generator before training.

    Args:
        name: the experiment.
        runs: of `best_runs`.
    """
    rows = drawn(results.of_single_runs(results.read(name)), runs)
    parts = rows["setting"].str.partition(", ")
    rows = rows.assign(architecture=parts[0], method=parts[2])
    metric = next(metric for metric in ("fid", "fid_768", "frechet_pixels") if metric in set(rows["quantity"]))

    def grid(quantity):
        rows_of = rows[rows["quantity"] == quantity]
        return rows_of.pivot_table(index="architecture", columns="method", values="value", sort=False)

    distance, untrained = grid(metric), grid(f"{metric}_of_untrained_generator")
    share = (untrained - distance) / (untrained - grid(f"{metric}_of_real_images"))
    trained = grid("trained").map({1: "trained", 0: "not trained"}.get)
    return distance.map("{:.2f}".format) + share.map(" ({:.0%} of the way, ".format) + trained + ")"


def divergence_levels(name, runs):
    """What the n-gram divergences of a language model stand beside, {metric: {label: bits}}, of one seed.

    Digitised values of others are there where they are of the same metric.

    Args:
        name: the experiment.
        runs: of `best_runs`.
    """
    rows = drawn(results.read(name), runs)
    measured = rows[rows["part"] == ""].set_index("quantity")["value"]
    paper = paper_csv.rows_of(name).query("kind in ('digitised', 'quoted')")
    levels, ending = {}, "_of_unigram_model"
    for metric in measured.index[measured.index.str.startswith("js") & measured.index.str.endswith(ending)]:
        metric = metric.removesuffix(ending)
        levels[metric] = {
            "held-out text": measured[f"{metric}_of_held_out_text"],
            "unigram model": measured[metric + ending],
        }
        for _, row in paper[paper["quantity"] == metric].iterrows():
            levels[metric][f"{row['setting']}, read off TTUR"] = row["value"]
    return levels


def side_by_side(columns):
    """Lines of text as a table of fixed-width characters.

    Args:
        columns: {title: lines, str or bytes padded with backticks}.
    """
    rows = [list(columns), ["-" * 32] * len(columns)]
    texts = [
        [line if isinstance(line, str) else line.decode(errors="replace").rstrip("`") for line in lines]
        for lines in columns.values()
    ]
    rows += zip(*texts, strict=False)
    return "\n".join("  ".join(cell.ljust(32) for cell in row).rstrip() for row in rows)


OUTCOMES = {"only_gan": "only GAN", "only_wgan_gp": "only WGAN-GP", "both": "both", "neither": "neither"}


def at_minima(rows):
    """Those of minimum scores, with the score as `minimum`."""
    rows = rows[rows["part"].str.startswith("min score ")]
    return rows.assign(minimum=rows["part"].map(number_of))


def counted(name, tier=None):
    """Shares of architectures over minimum scores, of one tier and its first seed.

    Args:
        name: the experiment.
        tier: what was last counted at this tier; the best, on real data where there are such, when None.

    Returns:
        The tier; tier, data and metric in words; a DataFrame: outcome, minimum, count, n, share, low, high (Wilson).

    Raises:
        InputError: nothing has been counted.
    """
    rows = at_minima(results.read(name))
    rows = rows.assign(rank=rows["tier"].map(TIERS.index), real=rows["dataset"] != results.EMBEDDED)
    if not len(rows):
        raise InputError(f"{name} has no architecture with both methods; run: wgangp run {name}.")
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


def threshold_panels(name, tier=None):
    """What `visualization.shares_over_thresholds` draws: ours and the paper's, by outcome."""
    table, paper = counted(name, tier)[2].groupby("outcome"), at_minima(paper_csv.rows_of(name))
    ours, theirs = {}, {}
    for quantity, outcome in OUTCOMES.items():
        one = table.get_group(quantity)
        ours[outcome] = tuple(one[column].to_numpy() for column in ("minimum", "share", "low", "high"))
        rows = paper[paper["quantity"] == quantity]
        theirs[outcome] = (rows["minimum"], rows["value"])
    return ours, theirs


def threshold_table(name, tier=None):
    """Table 5: a row per minimum score, ours as "count of n (Wilson interval)" beside the paper's of 200."""
    _, _, table = counted(name, tier)
    text = [f"{r.k} of {r.n} ({r.low:.2f} to {r.high:.2f})" for r in table.rename(columns={"count": "k"}).itertuples()]
    ours = table.assign(text=text).pivot(index="minimum", columns="outcome", values="text")
    paper = at_minima(paper_csv.rows_of(name))
    theirs = (200 * paper.pivot(index="minimum", columns="quantity", values="value")).round().astype(int)
    columns = {words: ours[key] for key, words in OUTCOMES.items()}
    return pd.DataFrame(columns | {f"{words}, paper": theirs[key] for key, words in OUTCOMES.items()})


def architectures(name, tier=None):
    """Every architecture drawn: its share of real images' score with each method, or that it failed.

    Args:
        name, tier: as of `counted`.
    """
    tier = counted(name, tier)[0]
    rows = results.of_single_runs(results.read(name)).query("tier == @tier")
    rows = rows[rows["seed"] == rows["seed"].min()]
    parts = rows["setting"].str.partition(", ")
    rows = rows.assign(number=parts[0].str.removeprefix("architecture "), method=parts[2])
    shares = rows[rows["quantity"].str.startswith("share_of_real_")]
    table = shares.pivot_table(index="number", columns="method", values="value").round(3).astype(object)
    for _, row in rows[(rows["quantity"] == "failed") & (rows["value"] == 1)].iterrows():
        table.loc[row["number"], row["method"]] = "failed"
    experiment, settings = Experiment(name), shares.drop_duplicates("number").set_index("number")["setting"]
    drawn = {n: str(experiment.module("run").chosen(experiment.config(s, tier))[1]) for n, s in settings.items()}
    return table.assign(architecture=pd.Series(drawn))
