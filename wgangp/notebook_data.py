"""What the notebooks read: arrays of the best tier there is, means over seeds, provenance."""

import numpy as np
import pandas as pd

from wgangp import compare, results
from wgangp.errors import InputError
from wgangp.experiment import TIERS, Job

pd.set_option("display.max_rows", None)  # notebooks show their tables whole


def best_runs(experiment):
    """The arrays that an experiment's runs kept, of the best tier that has all settings.

    Args:
        experiment: an `Experiment`.

    Returns:
        The tier and {setting: [arrays of each seed]}.

    Raises:
        InputError: no tier has every setting.
    """
    for tier in reversed(TIERS):
        runs = {}
        for setting in experiment.settings_at(tier):
            paths = [Job(experiment, setting, tier, seed).arrays_path for seed in experiment.seeds]
            runs[setting] = [dict(np.load(path)) for path in paths if path.exists()]
        if all(runs.values()):
            return tier, runs
    raise InputError(f"{experiment.name} has no complete results; run: wgangp run {experiment.name}.")


def on_their_way(experiment, tier="paper"):
    """Runs of a tier that are judged as they go, whether or not they have ended.

    Args:
        experiment: an `Experiment`.
        tier: one of TIERS.

    Returns:
        {setting: arrays of the first seed} and a table of their judgements, metric by iteration.
    """
    jobs = [Job(experiment, setting, tier, experiment.seeds[0]) for setting in experiment.settings_at(tier)]
    runs = {job.setting: dict(np.load(job.arrays_path)) for job in jobs if job.arrays_path.exists()}
    rows = results.read(experiment.name)
    rows = rows[(rows["tier"] == tier) & rows["setting"].str.contains(", iteration ")]
    rows = rows.assign(iteration=rows["setting"].str.split(", iteration ").str[1].astype(int))
    rows = rows.assign(setting=rows["setting"].str.split(", iteration ").str[0])
    return runs, rows.pivot_table(index=["setting", "seed", "iteration"], columns="quantity", values="value").round(4)


def stacked(arrays, key):
    """One array of every seed, [seeds, ...]."""
    return np.stack([one[key] for one in arrays])


def paper_layers(name):
    """Digitised gradient norms, {setting: {layer: log10 norm}}."""
    rows = compare.paper_rows(name)
    layers = {}
    for _, row in rows[rows["quantity"] == "log10_gradient_norm"].iterrows():
        setting, layer = row["setting"].split(", layer ")
        layers.setdefault(setting, {})[int(layer)] = row["value"]
    return layers


def means(name):
    """Every quantity over the seeds: mean, lowest, highest and how many."""
    groups = results.read(name).groupby(["tier", "setting", "quantity"])["value"]
    return groups.agg(["mean", "min", "max", "size"]).round(4)


def provenance(name):
    """Where the numbers come from: a row per tier, commit and device."""
    rows = results.of_single_runs(results.read(name)).drop_duplicates(["config_sha256", "seed"])
    groups = rows.groupby(["tier", "commit", "device", "paddle"])
    return groups.agg(runs=("seed", "size"), seconds=("wall_seconds", "sum"), last=("finished", "max")).reset_index()


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
    rows = compare.paper_rows(name)
    curves = {}
    for setting, group in rows.groupby(rows["setting"].str.split(", iteration ").str[0]):
        curves[setting] = (group["setting"].str.split(", iteration ").str[1].astype(int), group["value"])
    return curves


def of_best_tier(rows):
    """Those of the best tier that has any."""
    tier = next(tier for tier in reversed(TIERS) if (rows["tier"] == tier).any())
    return rows[rows["tier"] == tier]


def of_first_seed(rows):
    """Those of the lowest seed."""
    return rows[rows["seed"] == rows["seed"].min()]


def cells(name):
    """Architecture by method: the distance and whether the cell trained, of the best tier."""
    rows = of_best_tier(results.read(name)).assign(
        architecture=lambda frame: frame["setting"].str.split(", ").str[0],
        method=lambda frame: frame["setting"].str.split(", ").str[1],
    )
    named = rows[rows["quantity"].isin(["fid", "fid_768", "frechet_pixels"])]
    distances = named.pivot_table(index="architecture", columns="method", values="value", sort=False).round(1)
    trained = rows[rows["quantity"] == "trained"]
    trained = trained.pivot_table(index="architecture", columns="method", values="value", sort=False)
    words = trained.map(lambda share: {1: "trained", 0: "collapsed"}.get(share, f"{share:.0%} trained"))
    return distances.astype(str) + " (" + words + ")"


def divergence_levels(name, tier):
    """What the n-gram divergences of a language model stand beside, {metric: {label: bits}}, means over the seeds.

    Digitised values of others are there where the name of the metric begins with theirs.
    """
    measured = means(name)["mean"][tier].groupby("quantity").mean()
    paper = compare.paper_rows(name).query("kind == 'digitised'")
    levels = {}
    for metric in measured.index[measured.index.str.match("js.*_of_unigram_model")]:
        metric = metric.removesuffix("_of_unigram_model")
        levels[metric] = {
            "held-out text": measured[f"{metric}_of_held_out_text"],
            "unigram model": measured[f"{metric}_of_unigram_model"],
        }
        for _, row in paper[paper["quantity"] == metric[:3]].iterrows():
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
    rows = rows[rows["setting"].astype(str).str.startswith("min score ")]
    return rows.assign(minimum=rows["setting"].str.removeprefix("min score ").astype(float))


def counted(name):
    """Shares of architectures over minimum scores, of the best tier and its first seed.

    Returns:
        The tier, the data and metric in words, and a DataFrame: outcome, minimum, count, n, share, low, high (Wilson).

    Raises:
        InputError: nothing has been counted.
    """
    rows = at_minima(results.read(name))
    if not len(rows):
        raise InputError(f"{name} has no architecture with both methods; run: wgangp run {name}.")
    rows = of_first_seed(of_best_tier(rows))
    parts = rows["protocol"].str.extract(r"(?P<count>\d+) of (?P<n>\d+);.* 95 % (?P<low>[\d.]+) to (?P<high>[\d.]+);")
    table = parts.astype({"count": int, "n": int, "low": float, "high": float}).assign(share=rows["value"])
    outcome, judged = rows["quantity"].str.extract("(.*?)_on_(.*)").T.values
    table = table.assign(outcome=outcome, minimum=rows["minimum"])
    return rows["tier"].iloc[0], judged[0].replace("_", " "), table.sort_values(["outcome", "minimum"])


def threshold_panels(name):
    """What `visualization.shares_over_thresholds` draws: ours and the paper's, by outcome."""
    table, paper = counted(name)[2].groupby("outcome"), at_minima(compare.paper_rows(name))
    ours, theirs = {}, {}
    for quantity, outcome in OUTCOMES.items():
        one = table.get_group(quantity)
        ours[outcome] = tuple(one[column].to_numpy() for column in ("minimum", "share", "low", "high"))
        rows = paper[paper["quantity"] == quantity]
        theirs[outcome] = (rows["minimum"], rows["value"])
    return ours, theirs


def threshold_table(name):
    """Table 5: a row per minimum score, ours as "count of n (Wilson interval)" beside the paper's of 200."""
    _, _, table = counted(name)
    text = [f"{r.k} of {r.n} ({r.low:.2f} to {r.high:.2f})" for r in table.rename(columns={"count": "k"}).itertuples()]
    ours = table.assign(text=text).pivot(index="minimum", columns="outcome", values="text")
    paper = at_minima(compare.paper_rows(name))
    theirs = (200 * paper.pivot(index="minimum", columns="quantity", values="value")).round().astype(int)
    columns = {words: ours[key] for key, words in OUTCOMES.items()}
    return pd.DataFrame(columns | {f"{words}, paper": theirs[key] for key, words in OUTCOMES.items()})


def architectures(name):
    """Every architecture drawn: its share of real images' score with each method, or that it failed."""
    rows = results.read(name)
    rows = of_first_seed(of_best_tier(rows[rows["setting"].astype(str).str.startswith("architecture ")]))
    parts = rows["setting"].str.extract("architecture (?P<number>.*?), (?P<method>.*)")
    rows = rows.assign(number=parts["number"], method=parts["method"])
    shares = rows[rows["quantity"].str.startswith("share_of_real_")]
    table = shares.pivot_table(index="number", columns="method", values="value").round(3).astype(object)
    for _, row in rows[(rows["quantity"] == "failed") & (rows["value"] == 1)].iterrows():
        table.loc[row["number"], row["method"]] = "failed"
    told = shares.drop_duplicates("number").set_index("number")["protocol"]
    return table.assign(architecture=told.str.extract(r"^(.*\)); ", expand=False))
