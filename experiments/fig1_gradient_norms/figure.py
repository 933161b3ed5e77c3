"""Figure 1b: gradient norms by layer, and the critic's weights."""

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from reproduction import paper_csv
from reproduction.notebook_data import Runs, number_of

COLORS = {
    "gradient penalty": "tab:blue",
    "clip c=0.1": "tab:red",
    "clip c=0.01": "tab:green",
    "clip c=0.001": "tab:orange",
}


def gradient_norms(runs: Runs) -> Figure:
    """Log gradient norms over the critic's layers, mean and range over the seeds, the paper's faintly behind ours.

    Source: Figure 1b, left.
    """
    figure, ax = plt.subplots(figsize=(6.4, 4.2))
    paper = paper_norms()
    for setting, arrays in runs.items():
        norms = np.stack([of_seed["log10_norms"] for of_seed in arrays])  # [seeds, layers], first layer first
        layers = np.arange(1, norms.shape[1] + 1)
        color = COLORS[setting]
        ax.plot(layers, norms.mean(axis=0), "o-", color=color, markersize=4, label=setting)
        ax.fill_between(layers, norms.min(axis=0), norms.max(axis=0), color=color, alpha=0.2, linewidth=0)
        digitised = paper.get(setting, {})
        ax.plot(list(digitised), list(digitised.values()), "s", color=color, markersize=7, alpha=0.25)
    ax.plot([], [], "s", color="grey", alpha=0.35, markersize=7, label="paper (digitised)")
    ax.invert_xaxis()
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set(xlabel="critic layer", ylabel="log10 gradient norm (critic loss per activation)")
    ax.legend(fontsize="small")
    sns.despine(figure)
    figure.tight_layout()
    return figure


def paper_norms() -> dict[str, dict[int, float]]:
    """Digitised gradient norms, {setting: {layer (from 1): log10 norm}}."""
    rows = paper_csv.rows_of("fig1_gradient_norms")
    norms = {}
    for _, row in rows[rows["quantity"] == "log10_gradient_norm"].iterrows():
        norms.setdefault(row["setting"], {})[number_of(row["part"])] = row["value"]
    return norms


def weights(runs: Runs) -> Figure:
    """Histograms of the critic's weights after training, a panel per setting, of the first seed.

    Source: Figure 1b, right.
    """
    histograms = {setting: (arrays[0]["counts"], arrays[0]["edges"]) for setting, arrays in runs.items()}
    figure, axes = plt.subplots(1, len(histograms), figsize=(3.2 * len(histograms), 3.0))
    for ax, (setting, (counts, edges)) in zip(np.atleast_1d(axes), histograms.items(), strict=True):
        ax.stairs(counts / counts.sum(), edges, fill=True, color=COLORS[setting])
        ax.set(title=setting, xlabel="weight", ylabel="share of weights per bin")
        ax.set_xticks([edges[0], 0, edges[-1]], [f"{edges[0]:.2g}", "0", f"{edges[-1]:.2g}"])
    sns.despine(figure)
    figure.tight_layout()
    return figure
