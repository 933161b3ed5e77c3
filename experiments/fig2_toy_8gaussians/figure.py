"""Figure 1a: value surfaces of critics; beside it what trained generators make, and the critics' estimates of W1."""

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from experiments.fig2_toy_8gaussians.measures import HALF_WIDTH
from reproduction.notebook_data import Runs
from wgangp.data.toy import NAMES, Toy

METHODS = {"clip": "weight clipping", "gp": "gradient penalty"}


def panels() -> tuple[Figure, dict[tuple[str, str], Axes], dict[str, np.ndarray]]:
    """A panel of the paper's window for each method (a row) and data set (a column).

    Returns:
        The figure; {(method, data set): axes}; {data set: real points [500, 2]}.
    """
    points = {name: Toy(name).sample(500, np.random.default_rng(0)) for name in NAMES}
    figure, axes = plt.subplots(len(METHODS), len(NAMES), figsize=(3.4 * len(NAMES), 3.4 * len(METHODS)))
    ticks, window = [-HALF_WIDTH, 0, HALF_WIDTH], (-HALF_WIDTH, HALF_WIDTH)
    for row, label in zip(axes, METHODS.values(), strict=True):
        for ax in row:
            ax.set(xlim=window, ylim=window, aspect="equal", xticks=ticks, yticks=ticks)
        row[0].set_ylabel(label)
    for ax, name in zip(axes[0], NAMES, strict=True):
        ax.set_title(name)
    figure.supxlabel("x (data units)", fontsize="medium")
    by_setting = {(method, name): axes[i][j] for i, method in enumerate(METHODS) for j, name in enumerate(NAMES)}
    return figure, by_setting, points


def value_surfaces(runs: Runs) -> Figure:
    """Level sets of the critics against the fixed generator, of the first seed.

    Source: Figure 1a.
    """
    figure, axes, points = panels()
    for (method, name), ax in axes.items():
        values = runs[f"{method}, {name}, fixed generator"][0]["values"]
        axis = np.linspace(-HALF_WIDTH, HALF_WIDTH, len(values))
        ax.contour(axis, axis, values, levels=18, linewidths=0.9, cmap="viridis")
        ax.plot(*points[name].T, "+", color="tab:orange", markersize=4, alpha=0.6)
    figure.tight_layout()
    return figure


def generated_points(runs: Runs) -> Figure:
    """Points of the trained generators over real ones, of the first seed."""
    figure, axes, points = panels()
    for (method, name), ax in axes.items():
        generated = runs[f"{method}, {name}, trained generator"][0]["samples"]
        ax.plot(*points[name].T, ".", color="tab:orange", markersize=2, label="real")
        ax.plot(*generated.T, ".", color="tab:green", markersize=2, alpha=0.5, label="generated")
    next(iter(axes.values())).legend(loc="upper left", fontsize="x-small", markerscale=4)
    figure.tight_layout()
    return figure


def estimates(runs: Runs) -> Figure:
    """The critics' estimates of W1 while they train against the fixed generator, 8 Gaussians, of the first seed."""
    figure, axes = plt.subplots(1, len(METHODS), figsize=(4.6 * len(METHODS), 3.2))
    for ax, (method, label) in zip(axes, METHODS.items(), strict=True):
        iterations, values = runs[f"{method}, 8gaussians, fixed generator"][0]["estimates"]
        ax.plot(iterations[1:], values[1:], linewidth=0.8)  # the first comes before the first step
        ax.set(xlabel="iteration", title=label)
    axes[0].set_ylabel("estimate of W1 (data units)")
    figure.suptitle("8 Gaussians, fixed generator", fontsize="medium")
    sns.despine(figure)
    figure.tight_layout()
    return figure
