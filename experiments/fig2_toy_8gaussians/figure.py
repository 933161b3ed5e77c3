"""Figure 1a: value surfaces of critics; beside it what trained generators make, and the critics' estimates of W1."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.figure import Figure

from experiments.fig2_toy_8gaussians.measures import HALF_WIDTH
from reproduction import notebook_data, results
from reproduction.notebook_data import Runs, drawn_values, iterations_in_words
from reproduction.visualization import COLOURS, REAL, WIDTH, draw_seeds, seeds_note
from wgangp.data.toy import Toy

NAME = "fig2_toy_8gaussians"
METHODS = {"clip": "weight clipping", "gp": "gradient penalty"}
METHOD_COLOURS = {"clip": COLOURS["weight clipping"], "gp": COLOURS["WGAN-GP"]}
DATA = {name: notebook_data.DATA[name] for name in ("8gaussians", "25gaussians", "swissroll")}


def panels(labels: list[str], height: float) -> tuple[Figure, np.ndarray]:
    """A panel of the paper's window for each label (a row) and data set (a column).

    Args:
        labels: of the rows.
        height: of the figure in inches.

    Returns:
        The figure; axes [rows, data sets].
    """
    figure, axes = plt.subplots(
        len(labels), len(DATA), figsize=(WIDTH, height), sharex=True, sharey=True, layout="constrained"
    )
    ticks, window = [-2, -1, 0, 1, 2], (-HALF_WIDTH, HALF_WIDTH)
    for row, label in zip(axes, labels, strict=True):
        for ax in row:
            ax.set(xlim=window, ylim=window, aspect="equal", xticks=ticks, yticks=ticks)
            ax.spines[:].set_visible(True)
        row[0].set_ylabel("second coordinate (data units)")
        place = {"xycoords": "axes fraction", "textcoords": "offset points", "ha": "right", "va": "center"}
        row[0].annotate(label, (0, 0.5), (-38, 0), rotation=90, fontsize=10, fontweight="bold", **place)
    for ax in axes[-1]:
        ax.set_xlabel("first coordinate (data units)")
    return figure, axes


def value_surfaces(runs: Runs) -> Figure:
    """Level sets of the critics against the fixed generator, and of the optimal critic, of the first seed.

    The optimal critic is the c-transform of the exact transport's dual potential at the generated points, see
    `wgangp.metrics.toy.optimal_surface`.

    Source: Figure 1a.
    """
    figure, axes = panels([*METHODS.values(), "optimal critic"], 8.1)
    explained = drawn_values(NAME, runs)["optimal_critic_explained"]
    for column, (data, name) in zip(axes.T, DATA.items(), strict=True):
        points = Toy(data).sample(500, np.random.default_rng(0))
        surfaces = [runs[f"{method}, {data}, fixed generator"][0]["values"] for method in METHODS]
        optimal = runs[f"gp, {data}, fixed generator"][0]["optimal_values"]
        shares = [explained[f"{method}, {data}, fixed generator"] for method in METHODS]
        axis = np.linspace(-HALF_WIDTH, HALF_WIDTH, 2 * len(optimal))[::2]  # every second point was kept
        for ax, values, share in zip(column, surfaces, shares, strict=False):
            draw_levels(ax, axis, values, points)
            ax.set_title(f"share explained: {share:.3f}")
        draw_levels(column[-1], np.linspace(-HALF_WIDTH, HALF_WIDTH, len(optimal)), optimal, points)
        column[-1].set_title("from the exact transport")
        column[0].set_title(f"{name}\n{column[0].get_title()}")
    bar = figure.colorbar(ScalarMappable(cmap="viridis"), ax=axes, location="bottom", aspect=50, shrink=0.6, pad=0.02)
    bar.set_ticks([0, 1], labels=["lowest in its panel", "highest in its panel"])
    bar.ax.set_title("level sets: value of the critic; dots: real points")
    iterations = iterations_in_words(NAME, runs, "fixed generator")
    figure.suptitle(
        f"Critics after {iterations} against real points + N(0, I), first seed\n"
        "share explained: of the optimal critic's variation (R²)"
    )
    return figure


def draw_levels(ax: Axes, axis: np.ndarray, values: np.ndarray, points: np.ndarray) -> None:
    """Draw the level sets of a critic's values [size, size] on a square grid, and real points [n, 2]."""
    ax.contour(axis, axis, values.astype("float32"), levels=18, linewidths=0.9, cmap="viridis")
    ax.plot(*points.T, ".", color="black", markersize=2, rasterized=True)


def generated_points(runs: Runs) -> Figure:
    """Points of the trained generators over real ones, of the first seed, with how many modes and how far."""
    figure, axes = panels(list(METHODS.values()), 5.6)
    quantities = "sample_w1", "sample_w1_real_against_real", "modes_found", "share_of_good_samples"
    values = drawn_values(NAME, runs)
    w1, of_real, modes, good = (values[quantity] for quantity in quantities)
    for row, method in zip(axes, METHODS, strict=True):
        for ax, (data, name) in zip(row, DATA.items(), strict=True):
            setting, toy = f"{method}, {data}, trained generator", Toy(data)
            ax.plot(*toy.sample(500, np.random.default_rng(0)).T, ".", color="0.6", markersize=4, rasterized=True)
            samples, colour = runs[setting][0]["samples"], METHOD_COLOURS[method]
            ax.plot(*samples.T, ".", color=colour, markersize=1.5, alpha=0.5, rasterized=True)
            title = f"$W_1$ {w1[setting]:.3f} (real: {of_real[setting]:.3f})"
            if toy.centers is not None:
                title = (
                    f"{modes[setting]:.0f} of {len(toy.centers)} modes, {100 * good[setting]:.0f} % near one\n{title}"
                )
            ax.set_title(f"{name}\n{title}" if ax in axes[0] else title)
    iterations = iterations_in_words(NAME, runs, "trained generator")
    figure.suptitle(
        f"Generators after {iterations}, first seed; grey: real points\n"
        "$W_1$: exact distance to real points (real: of one real sample to another)"
    )
    return figure


def estimates(runs: Runs) -> Figure:
    """The critics' estimates of W1 while they train against the fixed generator, beside the exact W1.

    A critic of Lipschitz constant K can estimate K W1 at most. The dashed lines have for K the largest gradient norm
    that was measured on the window after training; they and the exact W1 are means over the seeds drawn.

    Source: Eq. 2.
    """
    figure, axes = plt.subplots(2, 2, figsize=(WIDTH, 4.8), sharex=True, sharey=True, layout="constrained")
    rows = notebook_data.rows_of(results.read(NAME), runs)
    rows = rows[rows["seed"].isin(set().union(*runs.seeds.values()))]
    means = rows.groupby(["quantity", "setting"])["value"].mean()
    for ax, (data, name) in zip(axes.flat, DATA.items(), strict=False):
        for method, label in METHODS.items():
            setting, colour = f"{method}, {data}, fixed generator", METHOD_COLOURS[method]
            w1, steepest = means["exact_w1", setting], means["largest_gradient_norm", setting]
            limit = f"what it could reach: its largest\ngradient norm × exact $W_1$ ({label})"
            seeds = [run["estimates"][:, 1:] for run in runs[setting]]  # the first comes before the first step
            draw_seeds(ax, seeds, colour, f"estimate, {label}")
            ax.axhline(steepest * w1, color=colour, linestyle="--", linewidth=1, label=limit)
        ax.axhline(w1, label="exact $W_1$", **REAL)
        ax.set(title=name, xlabel="iteration")
    for ax in axes[:, 0]:
        ax.set_ylabel("distance (data units, log scale)")
    reach = means["exact_w1"] * means["largest_gradient_norm"]
    axes[0, 0].set(yscale="log", ylim=(reach.min() / 5, 2 * max(reach.max(), means["exact_w1"].max())))
    axes[0, 0].yaxis.set_major_formatter("{x:g}")
    for ax in axes[0]:
        ax.xaxis.set_tick_params(labelbottom=True)
    axes[1, 1].set_axis_off()
    handles, labels = axes[0, 0].get_legend_handles_labels()
    axes[1, 1].legend(handles, labels, loc="center", title=seeds_note(runs), title_fontsize=8)
    figure.suptitle("The critics' estimates of $W_1$ while they train against real points + N(0, I)")
    return figure
