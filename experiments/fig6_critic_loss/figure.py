"""Figure 5: the critic's losses over training, how they go with the distance to real images, and samples."""

import pandas as pd
from matplotlib.figure import Figure

from experiments.fig6_critic_loss.measures import rank_correlation
from reproduction.notebook_data import Runs
from reproduction.visualization import curves, sample_grids


def losses(runs: Runs) -> Figure:
    """Negative critic losses on training and validation images, a panel per setting, of the first seed."""
    panels = {}
    for setting, (arrays, *_) in runs.items():
        iterations, training, validation = arrays["curve"]
        panels[setting] = {"training": (iterations, training), "validation": (iterations, validation)}
    return curves(panels, "generator iteration", "negative critic loss")


def samples(runs: Runs) -> Figure:
    """Samples of the last iterate, of the first seed."""
    return sample_grids(runs, 36, columns=6)


def rank_correlations(runs: Runs) -> pd.DataFrame:
    """Of the negative critic losses with the distance to real images, where a run measured one; first seed.

    Returns:
        A row for each setting's training and validation loss, over the first half and all of training.
    """
    correlations = {}
    for setting, (arrays, *_) in runs.items():
        if "distances" not in arrays:
            continue
        losses = pd.DataFrame(arrays["curve"][1:].T, arrays["curve"][0], ["training", "validation"])
        distances = pd.Series(arrays["distances"][1], arrays["distances"][0])
        half = losses.index.max() / 2
        for name, loss in losses.items():
            correlations[setting, name] = {
                "first half": rank_correlation(loss[:half], distances[:half]),
                "all of training": rank_correlation(loss, distances),
            }
    return pd.DataFrame(correlations).T.round(3)
