"""Generated digits, and the critic's losses over training."""

import numpy as np
from matplotlib.figure import Figure

from reproduction.notebook_data import Runs
from reproduction.visualization import curves, sample_grids


def samples(runs: Runs) -> Figure:
    """Samples of the last iterate, of the first seed."""
    return sample_grids(runs, 100, columns=10)


def losses(runs: Runs) -> Figure:
    """Each method's own critic loss, a panel per setting, of the first seed."""
    panels = {}
    for setting, (arrays, *_) in runs.items():
        loss = arrays["critic_loss"]
        panels[setting] = {"critic loss": (np.arange(1, len(loss) + 1), loss)}
    return curves(panels, "generator iteration", "critic loss")
