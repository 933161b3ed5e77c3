"""What the figures of several experiments share, and how a figure is written."""

import io
from functools import reduce

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
from IPython import display
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image, PngImagePlugin

from reproduction.results import output_root
from reproduction.tiles import tile
from wgangp.runtime.files import replacing

DPI = 120  # of the PNGs
PAGE = {"dpi": DPI, "bbox_inches": "tight", "pad_inches": 4 / DPI}  # of a written figure; whole pixels around it
WIDTH = 7.5  # inches: 900 pixels, a column of the report or of a notebook
COLOURS = {  # of methods, the same in every figure; Okabe and Ito's, which the colour-blind tell apart
    "WGAN-GP": "#0072B2",
    "WGAN-GP, other": "#56B4E9",  # one-sided, or with RMSProp
    "weight clipping": "#D55E00",
    "GAN": "#009E73",  # DCGAN too
    "LSGAN": "#CC79A7",
    "training": "#0072B2",
    "validation": "#E69F00",
}
REAL = {"color": "black", "linestyle": (0, (1, 2)), "linewidth": 1.2}  # the line of the real data's value
PAPER = {"linestyle": "--", "linewidth": 1.1, "alpha": 0.8}  # the paper's curves
METRICS = {  # of images, in words; the scores come before what else is measured
    "inception_score": "Inception score",
    "classifier_score": "classifier score",
    "fid": "FID",
    "fid_768": "Fréchet distance (fid_768)",
    "frechet_pixels": "Fréchet distance of pixels",
    "precision_2048": "precision (precision_2048)",
    "recall_2048": "recall (recall_2048)",
    "precision_768": "precision (precision_768)",
    "recall_768": "recall (recall_768)",
}
DISTANCES = ("fid", "fid_768", "frechet_pixels")  # of these the first that was measured is drawn
sns.set_theme(
    style="ticks",
    context="notebook",
    rc={
        "font.family": "DejaVu Sans",
        "font.size": 9,
        "axes.titlesize": 9.5,
        "axes.labelsize": 9,
        "xtick.labelsize": 8,
        "ytick.labelsize": 8,
        "legend.fontsize": 8,
        "legend.frameon": False,
        "figure.titlesize": 10,
        "axes.linewidth": 0.8,
        "xtick.major.width": 0.8,
        "ytick.major.width": 0.8,
        "axes.spines.top": False,
        "axes.spines.right": False,
    },
)


def save(figure: Figure, name: str, label: str) -> None:
    """Write a figure into paper_figures/, without dates, and show it in its place.

    Photographs become <name>.jpg; anything else <name>.png in 256 colours and, unless it is of pictures alone,
    <name>.pdf.

    Args:
        figure: a matplotlib figure; it is closed.
        name: the experiment, or <experiment>_<part>.
        label: what is drawn: tier, data and seeds; written below.
    """
    figure.text(0.5, -6 / DPI / figure.get_figheight(), label, ha="center", va="top", fontsize=8, color="dimgrey")
    folder, drawn = output_root() / "paper_figures", io.BytesIO()
    if any(ax.lines or ax.collections or ax.patches for ax in figure.axes):
        with replacing(folder / f"{name}.pdf") as file:
            figure.savefig(file, format="pdf", **PAGE, metadata={"CreationDate": None})
    figure.savefig(drawn, format="png", **PAGE)
    picture = Image.open(drawn).convert("RGB")
    if any(image.get_array().ndim == 3 for ax in figure.axes for image in ax.images):
        path, options = folder / f"{name}.jpg", {"format": "jpeg", "quality": 75, "optimize": True, "progressive": True}
    else:  # lines, areas, colour maps, digits
        picture = picture.quantize(256, kmeans=1)
        path, options = folder / f"{name}.png", {"format": "png", "optimize": True}
    about = PngImagePlugin.PngInfo()
    about.add_text("comment", label)  # for the report's caption
    with replacing(path) as file:
        picture.save(file, comment=label, pnginfo=about, **options)
    plt.close(figure)
    display.display(display.Image(path))


def image_grids(grids: dict[str, np.ndarray], columns: int = 10) -> Figure:
    """Grids of images side by side.

    Args:
        grids: {title: uint8 [n, channels, height, width]}, 1 or 3 channels.
        columns: images per row of a grid.

    Returns:
        The figure.
    """
    return pictures({title: tile(images, columns) for title, images in grids.items()}, len(grids))


def pictures(
    by_title: dict[str, np.ndarray], columns: int, gap: int = 14, head: int = 46, points: float | str = "xx-small"
) -> Figure:
    """Pictures row by row, a pixel of the PNG for each of theirs.

    Args:
        by_title: {title: uint8 [height, width] or [height, width, 3]}.
        columns: pictures per row.
        gap, head: room between pictures and, for titles of two lines, above them, in pixels.
        points: the titles' size.

    Returns:
        The figure.
    """
    sizes = np.array([picture.shape[:2] for picture in by_title.values()])
    cell = sizes.max(axis=0) + (head, gap)
    total = cell * (-(-len(sizes) // columns), columns)
    figure = plt.figure(figsize=total[::-1] / DPI)
    for i, ((title, picture), size) in enumerate(zip(by_title.items(), sizes, strict=True)):
        top, left = cell * divmod(i, columns) + (head, 0)
        ax = figure.add_axes((left, total[0] - top - size[0], *size[::-1]) / np.tile(total[::-1], 2))
        ax.imshow(picture, cmap="gray", vmin=0, vmax=255, aspect="auto", interpolation="none")
        ax.set_title(title, fontsize=points)
        ax.set_axis_off()
    return figure


def seeds_note(runs: dict[str, list]) -> str | None:
    """What `draw_seeds` draws, for a legend's title; None where no setting has several seeds."""
    return "thin: each seed; thick: their mean" if max(map(len, runs.values())) > 1 else None


def draw_seeds(ax: Axes, seeds: list[tuple], colour: str, label: str) -> None:
    """Draw a curve for each seed, thin, and their mean where all have a point, thick; one seed's alone as the mean is.

    Args:
        ax: axes.
        seeds: (x [points], y [points]) of each.
        colour, label: of the setting.
    """
    if len(seeds) > 1:
        for x, y in seeds:
            ax.plot(x, y, color=colour, linewidth=0.7, alpha=0.55)
    common = reduce(np.intersect1d, [x for x, _ in seeds])
    mean = np.mean([np.asarray(y)[np.isin(x, common)] for x, y in seeds], axis=0)
    ax.plot(common, mean, color=colour, linewidth=1.8, label=label)
