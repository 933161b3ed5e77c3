"""Figure 1b: gradient norms by layer, and the critic's weights."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from reproduction import paper_csv
from reproduction.experiment import Experiment
from reproduction.notebook_data import Runs, drawn_values, iterations_in_words, number_of
from reproduction.visualization import COLOURS, WIDTH

NAME = "fig1_gradient_norms"
CRITICS = {  # in the order of the legend: shades of weight clipping's colour, the darker the larger c
    "clip c=0.1": ("weight clipping, c = 0.1", "#7A3300", "o"),
    "clip c=0.01": ("weight clipping, c = 0.01", COLOURS["weight clipping"], "s"),
    "clip c=0.001": ("weight clipping, c = 0.001", "#F2A25C", "^"),
    "gradient penalty": ("gradient penalty", COLOURS["WGAN-GP"], "D"),
}


def gradient_norms(runs: Runs) -> Figure:
    """Log gradient norms over the critic's layers, mean and range over the seeds, and the paper's as hollow marks.

    Source: Figure 1b, left.
    """
    figure, ax = plt.subplots(figsize=(WIDTH, 3.9), layout="constrained")
    paper = paper_norms()
    for setting, (label, colour, marker) in CRITICS.items():
        norms = np.stack([of_seed["log10_norms"] for of_seed in runs[setting]])  # [seeds, layers], first layer first
        layers = np.arange(1, norms.shape[1] + 1)
        ax.plot(layers, norms.mean(axis=0), marker=marker, color=colour, markersize=4, linewidth=1.6, label=label)
        if len(norms) > 1:
            ax.fill_between(layers, norms.min(axis=0), norms.max(axis=0), color=colour, alpha=0.25, linewidth=0)
        digitised = paper.get(setting, {})
        hollow = {"markerfacecolor": "none", "markersize": 8, "markeredgewidth": 0.9, "linestyle": "none"}
        ax.plot(list(digitised), list(digitised.values()), marker=marker, color=colour, alpha=0.7, **hollow)
    ax.plot([], [], "o", color="grey", label="hollow: the paper,\nread off its figure", **hollow)
    seeds = max(map(len, runs.values()))
    if seeds > 1:
        ax.fill_between(
            [], [], [], color="grey", alpha=0.3, label=f"band: lowest to highest\nof {seeds} seeds; line: mean"
        )
    ax.invert_xaxis()
    ax.set(
        title=f"Swiss roll, critics after {iterations_in_words(NAME, runs)}",
        xticks=layers,
        xlabel=f"critic layer ({layers[-1]}: the output; 1: next to the input)",
        ylabel="log₁₀ of the gradient's norm\n(critic loss per unit of the layer's activations)",
    )
    figure.legend(loc="outside right center", labelspacing=0.9)
    return figure


def paper_norms() -> dict[str, dict[int, float]]:
    """Digitised gradient norms, {setting: {layer (from 1): log10 norm}}."""
    rows = paper_csv.rows_of(NAME)
    norms = {}
    for _, row in rows[rows["quantity"] == "log10_gradient_norm"].iterrows():
        norms.setdefault(row["setting"], {})[number_of(row["part"])] = row["value"]
    return norms


def weights(runs: Runs) -> Figure:
    """Histograms of the critic's weights after training, a panel per setting, of the first seed.

    Source: Figure 1b, right.
    """
    figure, axes = plt.subplots(2, 2, figsize=(WIDTH, 4.4), layout="constrained")
    shares = drawn_values(NAME, runs)["share_of_weights_at_c"]
    for ax, (setting, (label, colour, _)) in zip(axes.flat, CRITICS.items(), strict=True):
        counts, edges = (runs[setting][0][key] for key in ("counts", "edges"))
        c = Experiment(NAME).config(setting, runs.tier).c
        ax.stairs(counts / counts.sum(), edges, fill=True, color=colour)
        ax.set(title=f"{label}\n{100 * shares[setting]:.1f} % of the weights within 1 % of ±{c}", xlim=edges[[0, -1]])
        if setting.startswith("clip"):
            ax.set_xticks([-c, 0, c], [f"−{c:g}", "0", f"{c:g}"])
        else:
            ax.xaxis.set_major_locator(MaxNLocator(5))
        ax.yaxis.set_major_locator(MaxNLocator(4))
        ax.yaxis.set_major_formatter(lambda share, _: f"{100 * share:g}")
    figure.supxlabel("weight of the critic", fontsize=9)
    figure.supylabel("share of weights (%), in 101 bins", fontsize=9)
    figure.suptitle(f"Swiss roll, critics after {iterations_in_words(NAME, runs)}, first seed")
    return figure
