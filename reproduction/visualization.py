"""Every plot that the notebooks and the report show."""

import io

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
from IPython import display
from matplotlib.ticker import MaxNLocator
from PIL import Image, PngImagePlugin

from reproduction.results import output_root
from wgangp.runtime.files import replacing

COLORS = {
    "gradient penalty": "tab:blue",
    "clip c=0.1": "tab:red",
    "clip c=0.01": "tab:green",
    "clip c=0.001": "tab:orange",
}
DPI = 120  # of the PNGs
sns.set_theme(style="ticks", context="notebook")


def save(figure, name, label):
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
            figure.savefig(file, format="pdf", dpi=DPI, bbox_inches="tight", metadata={"CreationDate": None})
    figure.savefig(drawn, format="png", dpi=DPI, bbox_inches="tight")
    picture = Image.open(drawn).convert("RGB")
    if any(image.get_array().ndim == 3 for ax in figure.axes for image in ax.images):
        path, options = folder / f"{name}.jpg", {"format": "jpeg", "quality": 80, "subsampling": 0}
    else:  # lines, areas, colour maps, digits
        picture = picture.quantize(256, kmeans=1)
        path, options = folder / f"{name}.png", {"format": "png", "optimize": True}
    about = PngImagePlugin.PngInfo()
    about.add_text("comment", label)  # for the report's caption
    with replacing(path) as file:
        picture.save(file, comment=label, pnginfo=about, **options)
    plt.close(figure)
    display.display(display.Image(path))


def value_surfaces(surfaces, points, half_width=2.0):
    """Level sets of critics, a row per method and a column per data set.

    Args:
        surfaces: {method: {data: values [size, size]}}.
        points: {data: real points [n, 2]}.
        half_width: of the window, in the data's units.

    Returns:
        The figure.

    Source: Figure 1a.
    """
    rows, columns = len(surfaces), len(points)
    figure, axes = plt.subplots(rows, columns, figsize=(3.4 * columns, 3.4 * rows), squeeze=False)
    axis = np.linspace(-half_width, half_width, len(next(iter(next(iter(surfaces.values())).values()))))
    for line, (method, by_data) in zip(axes, surfaces.items(), strict=True):
        for ax, (data, values) in zip(line, by_data.items(), strict=True):
            ax.contour(axis, axis, values, levels=18, linewidths=0.9, cmap="viridis")
            ax.plot(*points[data].T, "+", color="tab:orange", markersize=4, alpha=0.6)
            ax.set(xlim=(-half_width, half_width), ylim=(-half_width, half_width), aspect="equal")
            ax.set(xticks=[-half_width, 0, half_width], yticks=[-half_width, 0, half_width])
            if ax in axes[0]:
                ax.set_title(data)
        line[0].set_ylabel(method)
    figure.supxlabel("x (data units)", fontsize="medium")
    figure.tight_layout()
    return figure


def toy_samples(samples, points, half_width=2.0):
    """Generated points over real ones, a row per method and a column per data set.

    Args:
        samples: {method: {data: generated points [n, 2]}}.
        points: {data: real points [n, 2]}.
        half_width: of the window, in the data's units.

    Returns:
        The figure.
    """
    figure, axes = plt.subplots(
        len(samples), len(points), figsize=(3.4 * len(points), 3.4 * len(samples)), squeeze=False
    )
    for line, (method, by_data) in zip(axes, samples.items(), strict=True):
        for ax, (data, generated) in zip(line, by_data.items(), strict=True):
            ax.plot(*points[data].T, ".", color="tab:orange", markersize=2, label="real")
            ax.plot(*generated.T, ".", color="tab:green", markersize=2, alpha=0.5, label="generated")
            ax.set(xlim=(-half_width, half_width), ylim=(-half_width, half_width), aspect="equal")
            ax.set(xticks=[-half_width, 0, half_width], yticks=[-half_width, 0, half_width])
            if ax in axes[0]:
                ax.set_title(data)
        line[0].set_ylabel(method)
    axes[0][0].legend(loc="upper left", fontsize="x-small", markerscale=4)
    figure.supxlabel("x (data units)", fontsize="medium")
    figure.tight_layout()
    return figure


def gradient_norm_profile(profiles, paper):
    """Log gradient norms over the critic's layers, the paper's faintly behind ours.

    Args:
        profiles: {setting: log10 norms [seeds, layers]}, first layer first.
        paper: {setting: {layer (from 1): log10 norm}}, digitised.

    Returns:
        The figure.

    Source: Figure 1b, left.
    """
    figure, ax = plt.subplots(figsize=(6.4, 4.2))
    for setting, norms in profiles.items():
        layers = np.arange(1, norms.shape[1] + 1)
        color = COLORS[setting]
        ax.plot(layers, norms.mean(axis=0), "o-", color=color, markersize=4, label=setting)
        ax.fill_between(layers, norms.min(axis=0), norms.max(axis=0), color=color, alpha=0.2, linewidth=0)
        theirs = paper.get(setting, {})
        ax.plot(list(theirs), list(theirs.values()), "s", color=color, markersize=7, alpha=0.25)
    ax.plot([], [], "s", color="grey", alpha=0.35, markersize=7, label="paper (digitised)")
    ax.invert_xaxis()
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set(xlabel="critic layer", ylabel="log10 gradient norm (critic loss per activation)")
    ax.legend(fontsize="small")
    sns.despine(figure)
    figure.tight_layout()
    return figure


def weight_histograms(histograms):
    """Histograms of critic weights, a panel per setting.

    Args:
        histograms: {setting: (counts [bins], edges [bins + 1])}.

    Returns:
        The figure.

    Source: Figure 1b, right.
    """
    figure, axes = plt.subplots(1, len(histograms), figsize=(3.2 * len(histograms), 3.0))
    for ax, (setting, (counts, edges)) in zip(np.atleast_1d(axes), histograms.items(), strict=True):
        ax.stairs(counts / counts.sum(), edges, fill=True, color=COLORS[setting])
        ax.set(title=setting, xlabel="weight", ylabel="share of weights per bin")
        ax.set_xticks([edges[0], 0, edges[-1]], [f"{edges[0]:.2g}", "0", f"{edges[-1]:.2g}"])
    sns.despine(figure)
    figure.tight_layout()
    return figure


def training_curves(curves, quantity, title):
    """One quantity over iterations, a panel per setting.

    Args:
        curves: {setting: [2, points], iterations and values}.
        quantity: the axis label, with its unit.
        title: over the panels.

    Returns:
        The figure.
    """
    figure, axes = plt.subplots(1, len(curves), figsize=(4.6 * len(curves), 3.2), squeeze=False)
    for ax, (setting, (iterations, values)) in zip(axes[0], curves.items(), strict=True):
        ax.plot(iterations[1:], values[1:], linewidth=0.8)  # the first comes before the first step
        ax.set(xlabel="iteration", title=setting)
    axes[0][0].set_ylabel(quantity)
    figure.suptitle(title, fontsize="medium")
    sns.despine(figure)
    figure.tight_layout()
    return figure


def image_grids(grids, columns=10):
    """Grids of images side by side.

    Args:
        grids: {title: uint8 [n, channels, height, width]}, 1 or 3 channels.
        columns: images per row of a grid.

    Returns:
        The figure.
    """
    return pictures({title: tile(images, columns) for title, images in grids.items()}, len(grids))


def field_panels(rows, limit=3.0):
    """A field of each kind in common colours, and all kinds' spectra and two-point correlations; a row per data set.

    Args:
        rows: {data set: {kind: arrays}}: "field" [size, size], "spectrum" (power from band 1 on), "correlation" (from
            lag 0 on).
        limit: the colours end at +- this, in the fields' unit.

    Returns:
        The figure.
    """
    kinds = len(next(iter(rows.values())))
    size, widths = (1.2 * kinds + 4, 1.6 * len(rows)), [1] * kinds + [1.4] * 2
    figure, axes = plt.subplots(len(rows), kinds + 2, figsize=size, width_ratios=widths, squeeze=False)
    for line, (data, panels) in zip(axes, rows.items(), strict=True):
        spectra, correlations = line[kinds:]
        for i, (ax, (kind, one)) in enumerate(zip(line, panels.items(), strict=False)):
            ax.imshow(one["field"], cmap="RdBu_r", vmin=-limit, vmax=limit, interpolation="none")
            ax.set_title(kind, fontsize="xx-small")
            ax.set(xticks=[], yticks=[])
            style = {"color": "black" if i == 0 else f"C{i - 1}", "linewidth": 1, "label": kind}
            spectra.loglog(np.arange(1, len(one["spectrum"]) + 1), one["spectrum"], **style)
            correlations.plot(one["correlation"], **style)
        line[0].set_ylabel(data, fontsize="x-small")
        for ax, title in ((spectra, "power by wave number"), (correlations, "correlation by lag (cells)")):
            ax.set_title(title, fontsize="xx-small")
            ax.tick_params(which="both", labelsize="xx-small", length=2, width=0.6)
            ax.spines[:].set_linewidth(0.6)
    figure.legend(*axes[0][-1].get_legend_handles_labels(), ncols=kinds, fontsize="xx-small", loc="lower right")
    figure.tight_layout(pad=0.3, rect=(0, 0.07, 1, 1))
    return figure


def cell_grids(cells, columns):
    """A table of small grids, the first 3 x 3 images of each cell.

    Args:
        cells: {title: uint8 [n, channels, height, width]}, n at least 9, row by row.
        columns: cells per row.

    Returns:
        The figure.

    Source: Figure 2.
    """
    return pictures({title.replace(", ", "\n"): tile(images[:9], 3) for title, images in cells.items()}, columns)


def pictures(by_title, columns, gap=14, head=46):
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


def tile(images, columns):
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


def curves(panels, xlabel, ylabel, paper=None):
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


def curves_and_levels(lines, levels, xlabel, ylabel, columns=3):
    """Lines over a common axis with constants beside them, a panel each.

    Args:
        lines: {title: {setting: (x [points], y [points])}}.
        levels: {title: {label: value}}.
        xlabel, ylabel: with units.
        columns: panels per row.

    Returns:
        The figure.
    """
    rows = -(-len(lines) // columns)
    figure, axes = plt.subplots(rows, columns, figsize=(2.1 * columns, 1.5 * rows + 0.6), sharex=True, squeeze=False)
    labels = list(dict.fromkeys(label for of_title in levels.values() for label in of_title))
    for ax, (title, by_setting) in zip(axes.flat, lines.items(), strict=True):
        for i, (setting, (x, y)) in enumerate(by_setting.items()):
            ax.plot(x, y, "o-", color=f"C{i}", linewidth=1.2, markersize=3, label=setting)
        for label, value in levels[title].items():
            color = f"C{len(by_setting) + labels.index(label)}"
            ax.axhline(value, color=color, linestyle="--", linewidth=1.2, label=label)
        ax.set_title(title, fontsize="x-small")
        ax.set_ylim(0, None)
        ax.locator_params(nbins=4)
        ax.tick_params(labelsize="xx-small")
    entries = {label: handle for ax in axes.flat for handle, label in zip(*ax.get_legend_handles_labels(), strict=True)}
    figure.supxlabel(xlabel, fontsize="x-small")
    figure.supylabel(ylabel, fontsize="x-small")
    sns.despine(figure)
    figure.tight_layout(rect=(0, 0, 1, 0.9))
    figure.legend(entries.values(), entries.keys(), loc="upper center", ncols=3, fontsize="xx-small")
    return figure


def shares_over_thresholds(panels, paper, xlabel):
    """Shares of architectures over minimum scores with their intervals, a panel per outcome, the paper's behind.

    Args:
        panels: {outcome: (minimum scores, shares, lower ends, upper ends)}, [points] each.
        paper: {outcome: (minimum scores, shares)}.
        xlabel: of the minimum scores.

    Returns:
        The figure.

    Source: Table 5.
    """
    figure, axes = plt.subplots(1, len(panels), figsize=(1.8 * len(panels), 2.0), sharex=True, sharey=True)
    for i, (ax, (outcome, (x, shares, low, high))) in enumerate(zip(axes, panels.items(), strict=True)):
        ax.plot(*paper[outcome], "--", color="grey", alpha=0.6, linewidth=1.2, label="paper")
        ax.fill_between(x, low, high, step="mid", color=f"C{i}", alpha=0.2, linewidth=0)
        ax.plot(x, shares, drawstyle="steps-mid", color=f"C{i}", linewidth=1.4, label="ours")
        ax.set_title(outcome, fontsize="x-small")
        ax.tick_params(labelsize="xx-small", length=3)
    axes[0].set_ylabel("share of architectures", fontsize="x-small")
    axes[-1].legend(fontsize="xx-small")
    figure.supxlabel(xlabel, fontsize="x-small")
    sns.despine(figure)
    figure.tight_layout(pad=0.3)
    return figure
