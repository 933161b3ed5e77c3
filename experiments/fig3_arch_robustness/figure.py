"""Figure 2: samples of every architecture with every method, and how near they are to real images."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from reproduction.experiment import Experiment
from reproduction.notebook_data import Runs, drawn_values
from reproduction.tiles import tile
from reproduction.visualization import COLOURS, DISTANCES, DPI, METRICS

NAME = "fig3_arch_robustness"
ARCHITECTURES = {
    "dcgan": "DCGAN",
    "constant_filters": "constant\nfilters,\nno batch\nnorm",
    "mlp": "MLP\ngenerator",
    "no_normalisation": "no\nnormali-\nzation",
    "gated": "gates\neverywhere",
    "tanh": "tanh\neverywhere",
    "resnet101": "101-layer\nResNet",
}
METHODS = {
    "DCGAN": ("GAN", "DCGAN"),
    "LSGAN": ("LSGAN", "LSGAN"),
    "WGAN clipping": ("weight clipping", "weight clipping"),
    "WGAN-GP": ("WGAN-GP", "WGAN-GP"),
}
RECALLS = {"fid": "recall_2048", "fid_768": "recall_768", "frechet_pixels": "recall_pixels"}  # beside each distance
CELL, GAP, CAPTION = 192, 4, 26  # pixels: of 3 x 3 images, between cells, for what stands below one
LEFT, TOP, FOOT = 96, 24, 40  # pixels: for the architectures' names, the methods', what the signs mean


def measured(runs: Runs) -> pd.DataFrame:
    """What decides whether a cell trained, of the first seed: a row per setting; the columns are named by the distance.

    "way" is (untrained - distance) / (untrained - real): 0 for the generator before training, 1 for real images;
    "recall" is a share of real images'; "trained" and "diverged" are True or False.
    """
    table = drawn_values(NAME, runs).reindex(list(runs))
    name = next(name for name in DISTANCES if f"{name}_of_real_images" in table)
    table = table.reindex(columns=table.columns.union([name, RECALLS[name]]))  # absent where all diverged
    untrained, recall = table[f"{name}_of_untrained_generator"], RECALLS[name]
    way = (untrained - table[name]) / (untrained - table[f"{name}_of_real_images"])
    columns = {"distance": table[name], "way": way, "recall": table[recall] / table[f"{recall}_of_real_images"]}
    columns |= {verdict: table[verdict] == 1 for verdict in ("trained", "diverged")}
    return pd.DataFrame(columns).rename_axis(columns=name)


def samples(runs: Runs) -> Figure:
    """A grid of 3 x 3 images for each architecture (a row) and method (a column), marked as trained or not.

    Of the first seed.

    Source: Figure 2.
    """
    cells, experiment = measured(runs), Experiment(NAME)
    page = np.array([LEFT + 4 * (CELL + GAP) - GAP, TOP + 7 * (CELL + CAPTION) + FOOT])
    figure = plt.figure(figsize=page / DPI)

    def write(x, y, text, **options):  # x and y in pixels from the upper left corner
        figure.text(x / page[0], 1 - y / page[1], text, **{"va": "top", "fontsize": 8} | options)

    for i, (architecture, words) in enumerate(ARCHITECTURES.items()):
        top = TOP + i * (CELL + CAPTION)
        counts = sorted({experiment.config(f"{architecture}, {m}", runs.tier).iterations for m in METHODS})
        iterations = " to ".join(f"{count:,}" for count in counts[:: max(1, len(counts) - 1)])
        write(0, top + 4, words, fontsize=9)
        write(0, top + CELL, f"{iterations}\niterations", color="dimgrey", va="bottom")
        for j, (method, (colour, title)) in enumerate(METHODS.items()):
            setting, left = f"{architecture}, {method}", LEFT + j * (CELL + GAP)
            ax = figure.add_axes(np.array([left, page[1] - top - CELL, CELL, CELL]) / np.tile(page, 2))
            draw_cell(ax, runs[setting][0]["samples"], bool(cells.loc[setting, "trained"]))
            write(left + CELL / 2, top + CELL + 3, caption(cells.loc[setting]), ha="center")
            if i == 0:
                write(left + CELL / 2, 2, title, ha="center", fontsize=9.5, color=COLOURS[colour], weight="bold")
    write(
        LEFT,
        page[1] - FOOT,
        "✓ trained: at least 50 % of the way and 25 % recall; ✗ not trained; "
        f"images and numbers of seed {next(iter(runs.seeds.values()))[0]}\n"
        f"the way: {METRICS[cells.columns.name]}, 0 % for the untrained generator, 100 % for real images; "
        "recall: share of real images'",
    )
    return figure


def draw_cell(ax: Axes, images: np.ndarray, trained: bool) -> None:
    """Draw images, each pixel as large as fills the axes, with a mark in the corner.

    Args:
        ax: axes of CELL x CELL pixels.
        images: uint8 [9, 3, height, width].
        trained: which mark.
    """
    zoom = CELL // (3 * images.shape[-1])
    ax.imshow(tile(images.repeat(zoom, 2).repeat(zoom, 3), 3), interpolation="none", aspect="auto")
    ax.set_axis_off()
    sign, colour = ("✓", COLOURS["GAN"]) if trained else ("✗", COLOURS["weight clipping"])
    circle = {"boxstyle": "circle,pad=0.15", "facecolor": "white", "edgecolor": colour, "linewidth": 1.5}
    ax.text(0.92, 0.92, sign, color=colour, ha="center", va="center", transform=ax.transAxes, bbox=circle)


def caption(cell: pd.Series) -> str:
    """A row of `measured` in words."""
    if cell["diverged"]:
        return "diverged"
    text = f"{cell['way']:z.0%} of the way, recall {cell['recall']:.0%}"
    return text.replace("nan%", "–").replace("%", " %").replace("-", "−")


def distances(runs: Runs) -> pd.DataFrame:
    """Architecture by method: the distance, its share of the way to real images, and whether the cell trained."""
    cells = measured(runs)
    words = cells["distance"].map("{:.2f} (".format) + cells.apply(caption, axis=1)
    words += cells["trained"].map({True: ", trained)", False: ", not trained)"})
    pairs = [setting.split(", ") for setting in cells.index]
    table = cells.assign(
        words=words.where(~cells["diverged"], "diverged"),
        architecture=[ARCHITECTURES[name].replace("-\n", "").replace("\n", " ") for name, _ in pairs],
        method=[METHODS[method][1] for _, method in pairs],
    )
    return table.pivot_table(index="architecture", columns="method", values="words", aggfunc="first", sort=False)
