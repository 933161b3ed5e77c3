"""Figure 5: the critic's losses over training, how they go with the distance to real images, and samples."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from experiments.fig6_critic_loss.measures import rank_correlation
from reproduction import results
from reproduction.notebook_data import Runs, real_values
from reproduction.tiles import tile
from reproduction.visualization import COLOURS, DISTANCES, METRICS, REAL, WIDTH, draw_seeds, pictures, seeds_note

NAME = "fig6_critic_loss"
SETTINGS = {  # in words, and the beginning of the data set's name
    "LSUN bedrooms": ("LSUN bedrooms,\ngradient penalty", "lsun"),
    "1000 digits, gradient penalty": ("1,000 MNIST digits,\ngradient penalty", "mnist"),
    "1000 digits, weight clipping": ("1,000 MNIST digits,\nweight clipping", "mnist"),
}


def losses(runs: Runs) -> Figure:
    """Negative critic losses on training and validation images, their gap, and the distance to real images.

    A column per setting, all seeds; the distance is drawn where the runs measured one.

    Source: Figure 5.
    """
    figure, axes = plt.subplots(3, len(SETTINGS), figsize=(WIDTH, 6.4), sharex="col", layout="constrained")
    for (loss, gap, distance), setting in zip(axes.T, SETTINGS, strict=True):
        curves = [run["curve"] for run in runs[setting]]
        for row, images in ((1, "training"), (2, "validation")):
            draw_seeds(loss, [(curve[0], curve[row]) for curve in curves], COLOURS[images], f"loss on {images} images")
        draw_seeds(gap, [(curve[0], curve[1] - curve[2]) for curve in curves], "dimgrey", "training − validation loss")
        for ax in (loss, gap):
            leave_out_start(ax)
            ax.axhline(0, color="lightgrey", linewidth=0.8, zorder=0)
        loss.set_title(f"{title_of(setting, runs)},\n{len(curves)} seed{'s' * (len(curves) > 1)}")
        if "distances" in runs[setting][0]:
            draw_distances(distance, runs, setting)
        else:
            distance.set_axis_off()
            gap.xaxis.set_tick_params(labelbottom=True)
        (distance if distance.axison else gap).set_xlabel("generator iteration")
    axes[0, 0].set_ylabel("negative critic loss\n(critic's own units)")
    axes[1, 0].set_ylabel("gap of the losses\n(critic's own units)")
    handles = [handle for ax in axes[:, 0] for handle in ax.get_legend_handles_labels()[0]]
    axes[2, 1].legend(handles=handles, loc="lower left", title=seeds_note(runs), title_fontsize=8, alignment="left")
    return figure


def draw_distances(ax: Axes, runs: Runs, setting: str) -> None:
    """Draw generated images' distance to real ones over training, and real images' own where it was measured."""
    rows = results.read(NAME)
    measured = set(rows.loc[(rows["tier"] == runs.tier) & (rows["setting"] == setting), "quantity"])
    metric = next((name for name in DISTANCES if name in measured), "frechet_pixels")
    draw_seeds(ax, [run["distances"] for run in runs[setting]], COLOURS["GAN"], "distance of generated images")
    real = real_values(NAME, metric, runs)
    if np.isfinite(real):
        ax.axhline(real, label="distance of real images", **REAL)
    ax.set_ylabel(METRICS[metric].replace(" (", "\n("))
    ax.set_ylim(bottom=0)


def leave_out_start(ax: Axes) -> None:
    """End the ordinate where the lines lie after the first tenth of training, if that needs but a third of it."""
    x, y = np.concatenate([line.get_xydata() for line in ax.lines]).T
    late = y[x > x.max() / 10]
    if np.ptp(y) > 3 * np.ptp(late) > 0:
        margin = 0.08 * np.ptp(late)
        ax.set_ylim(min(late.min(), 0) - margin, late.max() + margin)
        before = f"before: {y.min():.0f} to {y.max():.0f}".replace("-", "−")
        ax.text(0.3, 0.95, before, transform=ax.transAxes, va="top", fontsize=8)


def title_of(setting: str, runs: Runs) -> str:
    """A setting in words, with the images that these runs were trained on."""
    title, data = SETTINGS[setting]
    if not any(name.startswith(data) for name in runs.datasets):
        title = title.replace("LSUN bedrooms", "embedded photographs").replace("MNIST", "embedded")
    return title


def samples(runs: Runs) -> Figure:
    """Samples of the last iterate, of the first seed; digits at twice their size."""
    grids = {}
    for setting in SETTINGS:
        arrays = runs[setting][0]
        page = tile(arrays["samples"][:36], columns=12)
        page = page if page.ndim == 3 else page.repeat(2, axis=0).repeat(2, axis=1)
        title = title_of(setting, runs).replace("\n", " ")
        grids[f"{title}, iteration {arrays['curve'][0, -1]:,.0f}, first seed"] = page
    figure = pictures(grids, columns=1, head=30)
    for ax in figure.axes:
        ax.title.set_fontsize(9)
    return figure


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
