"""What the figures of several experiments share, and how a figure is written."""

import io

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
from IPython import display
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

from reproduction.results import output_root
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
        path, options = folder / f"{name}.jpg", {"format": "jpeg", "quality": 80, "subsampling": 0}
    else:  # lines, areas, colour maps, digits
        picture = picture.quantize(256, kmeans=1)
        path, options = folder / f"{name}.png", {"format": "png", "optimize": True}
    with replacing(path) as file:
        picture.save(file, **options)
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


def sample_grids(runs: dict[str, list[dict]], count: int, columns: int) -> Figure:
    """A grid of each setting's samples, of its first seed.

    Args:
        runs: {setting: arrays of each seed}, with "samples" uint8 [n, channels, height, width].
        count: images of each setting, at most.
        columns: images per row of a grid.
    """
    return image_grids({setting: arrays[0]["samples"][:count] for setting, arrays in runs.items()}, columns)


def pictures(by_title: dict[str, np.ndarray], columns: int, gap: int = 14, head: int = 46) -> Figure:
    """Pictures row by row, a pixel of the PNG for each of theirs.

    Args:
        by_title: {title: uint8 [height, width] or [height, width, 3]}.
        columns: pictures per row.
        gap, head: room between pictures and, for titles of two lines, above them, in pixels.

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
        ax.set_title(title, fontsize="xx-small")
        ax.set_axis_off()
    return figure


def tile(images: np.ndarray, columns: int) -> np.ndarray:
    """One picture of many, row by row.

    Args:
        images: uint8 [n, channels, height, width].
        columns: images per row; the last row may be short.

    Returns:
        uint8 [rows * height, columns * width] or with 3 channels last.
    """
    n, channels, height, width = images.shape
    rows = -(-n // columns)
    page = np.full((rows * columns, channels, height, width), 255, "uint8")
    page[:n] = images
    page = page.reshape(rows, columns, channels, height, width).transpose(0, 3, 1, 4, 2)
    page = page.reshape(rows * height, columns * width, channels)
    return page[:, :, 0] if channels == 1 else page


def draw_seeds(ax: Axes, seeds: list[tuple], colour: str, label: str) -> None:
    """Draw a curve for each seed, thin, and their mean, thick; one seed's alone as the mean is.

    Args:
        ax: axes.
        seeds: (x [points], y [points]) of each.
        colour, label: of the setting.
    """
    if len(seeds) > 1:
        for x, y in seeds:
            ax.plot(x, y, color=colour, linewidth=0.7, alpha=0.55)
    points = min(len(x) for x, _ in seeds)
    x, y = (np.mean([curve[axis][:points] for curve in seeds], axis=0) for axis in (0, 1))
    ax.plot(x, y, color=colour, linewidth=1.8, label=label)


def curves(
    panels: dict[str, dict[str, tuple]], xlabel: str, ylabel: str, paper: dict[str, tuple] | None = None
) -> Figure:
    """Lines over a common axis, a panel each.

    Args:
        panels: {title: {setting: (x [points], y [points])}}.
        xlabel, ylabel: with units.
        paper: {setting: (x, y)}, the paper's curves, drawn faintly in the first panel.

    Returns:
        The figure.
    """
    figure, axes = plt.subplots(1, len(panels), figsize=(5.2 * len(panels), 3.8), squeeze=False)
    for ax, (title, lines) in zip(axes[0], panels.items(), strict=True):
        for i, (setting, (x, y)) in enumerate(lines.items()):
            ax.plot(x, y, "-", color=f"C{i}", linewidth=1.2, label=setting)
            if paper and setting in paper and ax is axes[0][0]:
                ax.plot(*paper[setting], "--", color=f"C{i}", alpha=0.35, label=f"{setting}, paper (digitised)")
        ax.set(xlabel=xlabel, ylabel=ylabel, title=title)
        ax.legend(fontsize="x-small")
    sns.despine(figure)
    figure.tight_layout()
    return figure
