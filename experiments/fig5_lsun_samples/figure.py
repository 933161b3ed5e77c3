"""Figure 4: samples of the deep ResNet."""

from matplotlib.figure import Figure

from reproduction.notebook_data import Runs
from reproduction.visualization import sample_grids


def samples(runs: Runs) -> Figure:
    """Samples of the last iterate, of the first seed."""
    return sample_grids(runs, 32, columns=8)
