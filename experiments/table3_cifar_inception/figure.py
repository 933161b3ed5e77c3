"""Figure 6: samples; beside them the scores over training."""

import pandas as pd
from matplotlib.figure import Figure

from reproduction import results
from reproduction.notebook_data import Runs, number_of, score_curves
from reproduction.visualization import curves, sample_grids


def samples(runs: Runs) -> Figure:
    """Samples of the last iterate, of the first seed; supervised: a class per column.

    Source: Figure 6.
    """
    return sample_grids(runs, 100, columns=10)


def scores(runs: Runs) -> Figure:
    """Scores over training, of the first seed."""
    return curves(score_curves(runs), "generator iteration", "score (unit of the metric)")


def evaluations() -> pd.DataFrame:
    """Every score while training, metric by iteration, also of runs that have not ended."""
    rows = results.of_single_runs(results.read("table3_cifar_inception"))
    rows = rows[rows["part"].str.startswith("iteration ")]
    rows = rows.assign(iteration=rows["part"].map(number_of))
    index = ["tier", "dataset", "setting", "seed", "iteration"]
    return rows.pivot_table(index=index, columns="quantity", values="value").round(4)
