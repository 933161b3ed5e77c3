"""Figure 6: samples; beside them the scores over training."""

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter

from experiments.table3_cifar_inception.run import CLASSES
from reproduction import paper_csv, results
from reproduction.notebook_data import Runs, number_of, real_values
from reproduction.tiles import tile
from reproduction.visualization import COLOURS, METRICS, PAPER, REAL, WIDTH, draw_seeds, pictures, seeds_note

NAME = "table3_cifar_inception"
SETTINGS = {
    "unsupervised": ("WGAN-GP, other", "unsupervised (no labels)"),
    "supervised": ("WGAN-GP", "supervised (with labels)"),
}
UNITS = {
    "inception": "score (higher is better)",
    "classifier": "score (higher is better)",
    "fid": "distance (lower is better)",
    "frechet": "distance (lower is better)",
    "precision": "share of the samples",
    "recall": "share of real images",
}
SCALE = 2  # pixels of the figure for one of a sample


def samples(runs: Runs) -> Figure:
    """Samples of each setting's last iterate, of the first seed; supervised: a class per column.

    Source: Figure 6.
    """
    pages = {}
    for setting, (_, words) in SETTINGS.items():
        images = runs[setting][0]["samples"].repeat(SCALE, axis=2).repeat(SCALE, axis=3)
        title = f"{words}, iteration {runs.last_iteration(setting):,}, seed {runs.seeds[setting][0]}"
        pages[title] = tile(images, len(CLASSES))
    figure = pictures(pages, columns=1)
    for ax, pad in zip(figure.axes, (6, 15), strict=True):
        ax.set_title(ax.get_title(), fontsize=9.5, pad=pad)
    names = CLASSES if runs.datasets == ["cifar10"] else [f"class {i}" for i in range(len(CLASSES))]
    for i, name in enumerate(names):
        ax.text((i + 0.5) / len(CLASSES), 1.005, name, ha="center", va="bottom", fontsize=7, transform=ax.transAxes)
    return figure


def scores(runs: Runs) -> Figure:
    """Each metric over training, of every seed, beside its value of real images; the paper's Inception scores."""
    metrics = [metric for metric in METRICS if any(f"curve/{metric}" in run[0] for run in runs.values())]
    columns = min(2, len(metrics))
    rows = -(-len(metrics) // columns)
    figure, axes = plt.subplots(rows, columns, figsize=(WIDTH, 0.5 + 2.4 * rows), squeeze=False, layout="constrained")
    reported = paper_csv.rows_of(NAME).query("kind == 'reported'").set_index(["quantity", "setting"])["value"]
    for ax, metric in zip(axes.flat, metrics, strict=False):
        for setting, (colour, words) in SETTINGS.items():
            curves = [run[f"curve/{metric}"] for run in runs[setting]]
            with plt.rc_context({"lines.marker": "o", "lines.markersize": 3}):  # some have two points
                draw_seeds(ax, [tuple(curve) for curve in curves], COLOURS[colour], words)
            if (metric, setting) in reported:
                ax.axhline(reported[metric, setting], color=COLOURS[colour], label=f"{setting}, the paper", **PAPER)
        ax.axhline(real_values(NAME, metric, runs), label="real images", **REAL)
        ax.set(title=METRICS[metric], xlabel="iteration", ylabel=UNITS[metric.partition("_")[0]])
        ax.set_xlim(left=0)
        ax.xaxis.set_major_formatter(EngFormatter(sep=""))  # 20k
    for ax in axes.flat[len(metrics) :]:
        ax.set_axis_off()
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=3, title=seeds_note(runs), title_fontsize=8)
    return figure


def evaluations() -> pd.DataFrame:
    """Every score while training, metric by iteration, also of runs that have not ended."""
    rows = results.of_single_runs(results.read(NAME))
    rows = rows[rows["part"].str.startswith("iteration ")]
    rows = rows.assign(iteration=rows["part"].map(number_of))
    index = ["tier", "dataset", "setting", "seed", "iteration"]
    return rows.pivot_table(index=index, columns="quantity", values="value").round(4)
