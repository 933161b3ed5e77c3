"""What the notebooks read: arrays of the best tier there is, means over seeds, provenance."""

import numpy as np

from wgangp import compare, results
from wgangp.errors import InputError
from wgangp.experiment import Job


def best_runs(experiment):
    """The arrays that an experiment's runs kept, of the best tier that has all settings.

    Args:
        experiment: an `Experiment`.

    Returns:
        The tier and {setting: [arrays of each seed]}.

    Raises:
        InputError: no tier has every setting.
    """
    for tier in ("paper", "short", "smoke"):
        runs = {}
        for setting in experiment.settings:
            paths = [Job(experiment, setting, tier, seed).arrays_path for seed in experiment.seeds]
            runs[setting] = [dict(np.load(path)) for path in paths if path.exists()]
        if all(runs.values()):
            return tier, runs
    raise InputError(f"{experiment.name} has no complete results; run: wgangp run {experiment.name}.")


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
    """Mean of every quantity over the seeds, a row per setting and tier."""
    rows = results.read(name)
    return rows.pivot_table(index=["tier", "setting"], columns="quantity", values="value", sort=False).round(4)


def provenance(name):
    """Where the numbers come from: a row per tier, commit and device."""
    rows = results.read(name).drop_duplicates(["config_sha256", "seed"])
    groups = rows.groupby(["tier", "commit", "device", "paddle"])
    return groups.agg(runs=("seed", "size"), seconds=("wall_seconds", "sum"), last=("finished", "max")).reset_index()
