"""What the notebooks show: claims and verdicts, arrays of the best tier there is, means over seeds, provenance."""

import re

import pandas as pd

from reproduction import compare, results
from reproduction.experiment import FOLDER, Experiment, readme_findings
from reproduction.job import Job
from wgangp.errors import InputError
from wgangp.runtime.files import read_npz

pd.set_option("display.max_rows", None, "display.max_colwidth", None)  # notebooks show their tables whole

DATA = {  # names of data sets, in words
    "swissroll": "Swiss roll",
    "8gaussians": "8 Gaussians",
    "25gaussians": "25 Gaussians",
    "cifar10": "CIFAR-10",
    "mnist": "MNIST",
    "lsun_bedroom": "LSUN bedrooms",
    "billion_word_heldout": "Billion Word (held-out part)",
    "reuters21578_sentences.txt": "Reuters news",
}


def data_in_words(name: str) -> str:
    """A data set's name in words."""
    return DATA.get(name, f"{name.replace('_', ' ')} data")


class Runs(dict):
    """The arrays that an experiment's runs kept, {setting: [arrays of each seed]}.

    Args:
        tier: that they are of.
        datasets: the names of what they were trained on.
        arrays: {setting: {seed: arrays}}.

    Attributes:
        tier, datasets: as given.
        seeds: {setting: the seeds of its arrays}.
        label: tier, data and seeds in words, for the figures.
        label_of_first: the same for figures that draw the first seed alone.
    """

    def __init__(self, tier: str, datasets: set[str], arrays: dict[str, dict[int, dict]]):
        super().__init__({setting: list(by_seed.values()) for setting, by_seed in arrays.items()})
        self.tier, self.datasets = tier, sorted(datasets)
        self.seeds = {setting: list(by_seed) for setting, by_seed in arrays.items()}
        counts = " or ".join(str(n) for n in sorted({len(seeds) for seeds in self.seeds.values()}))
        about, seeds = f"tier {tier}, {', '.join(map(data_in_words, self.datasets))}", f"{counts} seed"
        several = counts != "1"
        self.label = f"{about}, {seeds}{'s' * several}"
        self.label_of_first = f"{about}, {'the first of ' * several}{seeds}{'s' * several}"

    def last_iteration(self, setting: str) -> int:
        """The iteration at which a setting's first seed was last evaluated."""
        return next(int(curve[0, -1]) for key, curve in self[setting][0].items() if key.startswith("curve/"))


def best_runs(experiment: Experiment, tier: str | None = None) -> Runs:
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
    named = [tier] if tier in experiment.tiers else []
    for candidate in dict.fromkeys([*named, *reversed(experiment.tiers)]):
        settings, last = experiment.settings_at(candidate), candidate == tier
        by_setting = {setting: _arrays(experiment, setting, candidate, rows, last) for setting in settings}
        if all(arrays for arrays, _ in by_setting.values()):
            datasets = {dataset for _, dataset in by_setting.values()}
            return Runs(candidate, datasets, {setting: arrays for setting, (arrays, _) in by_setting.items()})
    raise InputError(f"{experiment.name} has no complete results; run: wgangp run {experiment.name}.")


def _arrays(experiment, setting, tier, rows, last):
    """A setting's arrays, {seed: arrays}, and the data set; of the run that finished last, or real data first."""
    rows = rows[(rows["tier"] == tier) & (rows["setting"] == setting)]
    jobs = {seed: Job(experiment, setting, tier, int(seed)) for seed in sorted(set(rows["seed"]))}
    if last and any(job.done for job in jobs.values()):
        jobs = {seed: job for seed, job in jobs.items() if job.done}
    rows = rows[rows["seed"].isin(list(jobs))].assign(real=rows["dataset"] != results.EMBEDDED)
    for dataset in rows.sort_values(["finished"] if last else ["real", "finished"])["dataset"][::-1].unique():
        paths = {seed: job.arrays_path(dataset) for seed, job in jobs.items()}
        arrays = {seed: read_npz(path) for seed, path in paths.items() if path.exists()}
        if arrays:
            return arrays, dataset
    return {}, ""


def number_of(part: str) -> float:
    """The number in "layer 3", "iteration 500", "min score 1.5"."""
    number = float(part.split()[-1])
    return int(number) if number.is_integer() else number


def means(name: str) -> pd.DataFrame:
    """Every quantity over the seeds, in words of four digits: mean, lowest to highest of several, and how many."""
    groups = results.read(name).groupby(["tier", "dataset", "setting", "quantity", "part"], sort=False)["value"]
    return groups.agg(
        mean=lambda values: f"{values.mean():.4g}",
        range=lambda values: f"{values.min():.4g} to {values.max():.4g}" if len(values) > 1 else "",
        seeds="size",
    )


def provenance(name: str) -> pd.DataFrame:
    """Where the numbers come from: a row per tier, data set, commit and device, with the hashes' beginnings."""
    rows = results.of_single_runs(results.read(name)).drop_duplicates(results.RUN)
    rows = rows.assign(data=rows["data_sha256"].str[:8], config=rows["config_sha256"].str[:8])
    groups = rows.groupby(["tier", "dataset", "data", "commit", "device", "paddle"])
    return groups.agg(
        configurations=("config", lambda hashes: ", ".join(dict.fromkeys(hashes))),
        runs=("seed", "size"),
        seconds=("wall_seconds", "sum"),
        last=("finished", "max"),
    ).reset_index()


def rows_of(rows: pd.DataFrame, runs: Runs) -> pd.DataFrame:
    """Those of the tier and the data of some runs."""
    return rows[(rows["tier"] == runs.tier) & rows["dataset"].isin(runs.datasets)]


def rows_drawn(rows: pd.DataFrame, runs: Runs) -> pd.DataFrame:
    """Those of the runs whose arrays stand first: of the tier and data, and of each setting's first seed."""
    first = rows["setting"].map({setting: seeds[0] for setting, seeds in runs.seeds.items()})
    return rows_of(rows[rows["seed"] == first], runs)


def drawn_values(name: str, runs: Runs) -> pd.DataFrame:
    """The values of `rows_drawn` that belong to a whole run: a row per setting, a column per quantity."""
    rows = rows_drawn(results.read(name), runs)
    return rows[rows["part"] == ""].pivot(index="setting", columns="quantity", values="value")


def real_values(name: str, metric: str, runs: Runs) -> float:
    """The mean of a metric's values of the real data, of the runs' tier and data; NaN where none was measured."""
    rows = rows_of(results.read(name), runs)
    return float(rows.loc[rows["quantity"].str.fullmatch(f"{metric}_of_real_images"), "value"].mean())


def iterations_in_words(name: str, runs: Runs, word: str = "") -> str:
    """How long the critics or generators were trained: "10,000 iterations", or "40 to 150 iterations".

    Args:
        name: the experiment.
        runs: of `best_runs`.
        word: of the settings with this in their names; "" for all.
    """
    experiment = Experiment(name)
    counts = [experiment.config(setting, runs.tier).iterations for setting in runs if word in setting]
    return " to ".join(f"{count:,}" for count in sorted({min(counts), max(counts)})) + " iterations"


def opening(name: str, tier: str | None = None) -> str:
    """An experiment's claims with their verdicts, as a Markdown table.

    Args:
        name: the experiment.
        tier: as of `compare.judged`.
    """
    claims = compare.claims(name, compare.judged(name, tier)).to_dict("records")
    if not claims:
        return "No claim of the paper is held to a number here."
    rows = ["| claim | what it says | verdict |", "|---|---|---|"]
    for claim in claims:
        beside = f" ({claim['beside']})" if claim["beside"] else ""
        rows.append(f"| {claim['claim']} | {claim['says']} | **{compare.at_tier(claim)}**{beside} |")
    return "\n".join(rows)


def findings(name: str) -> str:
    """What the experiment's README says under "What we find", of the committed rows, without table and pictures."""
    readme = (FOLDER / name / "README.md").read_text("utf-8")
    return re.sub(r"^!\[.*\n?", "", readme_findings(readme), flags=re.MULTILINE).strip()


def sources(name: str) -> str:
    """The experiment's run.py and config.yaml, whole, as Markdown."""
    files = {"python": FOLDER / name / "run.py", "yaml": FOLDER / name / "config.yaml"}
    return "\n\n".join(f"`{path.name}`\n```{kind}\n{path.read_text('utf-8')}```" for kind, path in files.items())
