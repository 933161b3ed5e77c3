"""Fields of each method beside real ones, with their spectra and two-point correlations."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from reproduction.notebook_data import Runs, means, number_of


def by_data(runs: Runs) -> dict[str, dict[str, dict[str, np.ndarray]]]:
    """What is drawn: {data set: {"real" or method: arrays}} of the first seed.

    The arrays are "field" [size, size], "spectrum" (power from band 1 on) and "correlation" (from lag 0 on).
    """
    kinds = {}
    for setting, (arrays, *_) in runs.items():
        data, method = setting.split(", ")
        for kind, part in (("real", "real"), (method, "generated")):
            statistics = {name: arrays[f"{part}/{name}"] for name in ("field", "spectrum", "correlation")}
            kinds.setdefault(data, {})[kind] = statistics
    return kinds


def fields(runs: Runs, limit: float = 3.0) -> Figure:
    """A field of each kind in common colours, and all kinds' spectra and correlations; a row per data set.

    Args:
        runs: as from `best_runs`.
        limit: the colours end at +- this, in the fields' unit.
    """
    rows = by_data(runs)
    kinds = len(next(iter(rows.values())))
    size, widths = (1.2 * kinds + 4, 1.6 * len(rows)), [1] * kinds + [1.4] * 2
    figure, axes = plt.subplots(len(rows), kinds + 2, figsize=size, width_ratios=widths, squeeze=False)
    for line, (data, panels) in zip(axes, rows.items(), strict=True):
        spectra, correlations = line[kinds:]
        for i, (ax, (kind, arrays)) in enumerate(zip(line, panels.items(), strict=False)):
            ax.imshow(arrays["field"], cmap="RdBu_r", vmin=-limit, vmax=limit, interpolation="none")
            ax.set_title(kind, fontsize="xx-small")
            ax.set(xticks=[], yticks=[])
            style = {"color": "black" if i == 0 else f"C{i - 1}", "linewidth": 1, "label": kind}
            spectra.loglog(np.arange(1, len(arrays["spectrum"]) + 1), arrays["spectrum"], **style)
            correlations.plot(arrays["correlation"], **style)
        line[0].set_ylabel(data, fontsize="x-small")
        for ax, title in ((spectra, "power by wave number"), (correlations, "correlation by lag (cells)")):
            ax.set_title(title, fontsize="xx-small")
            ax.tick_params(which="both", labelsize="xx-small", length=2, width=0.6)
            ax.spines[:].set_linewidth(0.6)
    figure.legend(*axes[0][-1].get_legend_handles_labels(), ncols=kinds, fontsize="xx-small", loc="lower right")
    figure.tight_layout(pad=0.3, rect=(0, 0.07, 1, 1))
    return figure


def by_band() -> pd.DataFrame:
    """The mean over the seeds of what is measured in each band of wave numbers, a column per band."""
    table = means("science_fields")
    bands = table[table.index.get_level_values("part") != ""]["mean"].reset_index()
    bands = bands.assign(band=bands["part"].map(number_of))
    return bands.pivot_table(index=["tier", "setting", "quantity"], columns="band", values="mean").round(2)
