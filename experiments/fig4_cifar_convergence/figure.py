"""Figure 3: scores over iterations and over seconds, and samples."""

import matplotlib.pyplot as plt
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter

from reproduction import paper_csv
from reproduction.notebook_data import Runs, number_of, real_values
from reproduction.visualization import COLOURS, METRICS, PAPER, REAL, WIDTH, draw_seeds, image_grids, seeds_note

NAME = "fig4_cifar_convergence"
METHODS = {
    "weight clipping": ("weight clipping", "weight clipping, RMSProp"),
    "GP RMSProp": ("WGAN-GP, other", "WGAN-GP, RMSProp"),
    "GP Adam": ("WGAN-GP", "WGAN-GP, Adam"),
    "DCGAN": ("GAN", "DCGAN"),
}


def convergence(runs: Runs) -> Figure:
    """Scores over iterations and over seconds of training, and the paper's Inception score on an axis of its own."""
    metrics = [metric for metric in METRICS if f"curve/{metric}" in next(iter(runs.values()))[0]][:2]
    size = (WIDTH, 4.9 if len(metrics) > 1 else 3.1)
    figure, axes = plt.subplots(len(metrics), 3, figsize=size, squeeze=False, layout="constrained")
    for setting, (iterations, values) in paper_curves().items():
        colour, label = METHODS[setting]
        axes[0, 0].plot(iterations, values, color=COLOURS[colour], label=label, **PAPER)
    axes[0, 0].set(title="the paper (read off its figure)", ylabel="Inception score", xlabel="iteration")
    for row, metric in zip(axes[:, 1:], metrics, strict=True):
        for ax, x in ((row[0], 0), (row[1], 2)):
            for setting, arrays in runs.items():
                curves = [run[f"curve/{metric}"] for run in arrays]
                seeds = [(curve[x], curve[1]) for curve in (curves if x == 0 else curves[:1])]
                colour, label = METHODS[setting]
                draw_seeds(ax, seeds, COLOURS[colour], label)
            ax.axhline(real_values(NAME, metric, runs), label="real images", **REAL)
            ax.set_xlim(left=0)
        row[0].set(ylabel=METRICS[metric], title="ours, over iterations", xlabel="iteration")
        row[1].set(title="ours, over time (first seed)", xlabel="seconds of training alone")
    for ax in (axes[0, 0], *axes[:, 1]):
        ax.xaxis.set_major_formatter(EngFormatter(sep=""))  # 20k
    handles, labels = axes[0, 1].get_legend_handles_labels()
    if len(metrics) > 1:
        axes[1, 0].set_axis_off()
        axes[1, 0].legend(handles, labels, loc="center", title=seeds_note(runs), title_fontsize=8)
    else:
        figure.legend(handles, labels, loc="outside upper center", ncols=5)
    return figure


def samples(runs: Runs) -> Figure:
    """Samples of the last iterate, of the first seed."""
    grids = {}
    for setting, (arrays, *_) in runs.items():
        title = f"{METHODS[setting][1]}\niteration {runs.last_iteration(setting):,}, seed {runs.seeds[setting][0]}"
        grids[title] = arrays["samples"]
    return image_grids(grids, columns=6)


def paper_curves() -> dict[str, tuple]:
    """Digitised curves, {setting: (iterations, values)}."""
    rows = paper_csv.rows_of(NAME)
    rows = rows[rows["part"].str.startswith("iteration ")]
    return {s: (group["part"].map(number_of), group["value"]) for s, group in rows.groupby("setting", sort=False)}
