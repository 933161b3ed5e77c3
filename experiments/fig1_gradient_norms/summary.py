"""How straight each profile of gradient norms is, and how steep c = 0.1 is at its first layers."""

from functools import partial

import numpy as np
import pandas as pd
from scipy import stats

from reproduction.results import summary_row


def summary(rows):
    """Straightness and first slope of every run's profile.

    Args:
        rows: a DataFrame of all runs' rows.

    Returns:
        A list of rows: straightness_of_slope, R^2 of the line that slope_per_layer is the slope of; for c = 0.1
        slope_over_first_layers, the slope going back from layer 3 to layer 1, which the paper's figure shows.

    Source: Figure 1b, left.
    """
    summary_rows, layers = [], rows[rows["quantity"] == "log10_gradient_norm"]
    for (*_, setting), group in layers.groupby(["tier", "seed", "dataset", "setting"]):
        numbers = group["part"].str.removeprefix("layer ").astype(int)
        hidden = pd.Series(group["value"].to_numpy(), numbers).sort_index()[:-1]  # the last is the output layer
        if len(hidden) < 3 or not np.isfinite(hidden).all():
            continue
        line = stats.linregress(hidden.index, hidden)
        row = partial(summary_row, group, setting)
        protocol = f"R^2 of the line over {len(hidden)} hidden layers"
        summary_rows.append(row("straightness_of_slope", line.rvalue**2, protocol))
        if setting == "clip c=0.1" and {1, 2, 3} <= set(hidden.index):
            slope = -stats.linregress([1, 2, 3], hidden.loc[1:3]).slope
            summary_rows.append(row("slope_over_first_layers", slope, "line over layers 3 to 1, going back"))
    return summary_rows
