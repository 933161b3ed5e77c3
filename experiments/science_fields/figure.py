"""Fields of each method beside real ones, with their spectra and two-point correlations."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.ticker import MaxNLocator

from reproduction import results
from reproduction.experiment import Experiment
from reproduction.notebook_data import Runs, number_of
from reproduction.visualization import COLOURS, REAL, WIDTH, draw_seeds, seeds_note

NAME = "science_fields"
TITLES = {"permeability": "Logarithm of permeability", "vorticity": "Vorticity of two-dimensional turbulence"}
LIMIT = 3  # the colours end at +- this many standard deviations


def by_data(runs: Runs) -> dict[str, dict[str, list[dict[str, np.ndarray]]]]:
    """The runs' arrays by what they were trained on, {data set: {method: [arrays of each seed]}}."""
    methods = {}
    for setting, arrays in runs.items():
        data, method = setting.split(", ")
        methods.setdefault(data, {})[method] = arrays
    return methods


def fields(runs: Runs) -> Figure:
    """Per data set a row of fields, of the first seed, and one of statistics, of all seeds.

    The statistics are the power of each wave number, its ratio to real fields', and the two-point correlation.
    """
    rows = by_data(runs)
    figure = plt.figure(figsize=(WIDTH - 0.2, 4.5 * len(rows)), layout="constrained")
    for part, (data, methods) in zip(figure.subfigures(len(rows), hspace=0.04), rows.items(), strict=True):
        iterations = [Experiment(NAME).config(f"{data}, {method}", runs.tier).iterations for method in methods]
        part.suptitle(f"{TITLES[data]}, {' and '.join(f'{n:,}' for n in sorted(set(iterations)))} iterations")
        above, below = part.subplots(2, 1 + len(methods), height_ratios=[1.25, 1])
        (first, *_), *_ = methods.values()
        draw_field(above[0], first["real/field"], "real")
        above[0].set_ylabel("y (cells)")
        for ax, (method, arrays) in zip(above[1:], methods.items(), strict=True):
            image = draw_field(ax, arrays[0]["generated/field"], f"{method}, seed {runs.seeds[f'{data}, {method}'][0]}")
        part.colorbar(
            image,
            ax=above,
            label="value (standard deviations)",
            extend="both",
            aspect=14,
            ticks=range(-LIMIT, LIMIT + 1),
        )
        draw_statistics(below, methods)
        title = seeds_note(methods)
        part.legend(
            *below[-1].get_legend_handles_labels(), loc="outside lower center", ncols=3, title=title, title_fontsize=8
        )
    return figure


def draw_field(ax: Axes, field: np.ndarray, title: str) -> AxesImage:
    """Draw a field in colours from -LIMIT to LIMIT.

    Args:
        ax: axes.
        field: [size, size].
        title: of the axes.

    Returns:
        The image, of which a colour bar can be drawn.
    """
    image = ax.imshow(field, cmap="RdBu_r", vmin=-LIMIT, vmax=LIMIT, interpolation="none", origin="lower")
    ax.set(title=title, xlabel="x (cells)")
    return image


def draw_statistics(axes: list[Axes], methods: dict[str, list[dict]]) -> None:
    """Draw the spectra, their ratios to real fields' and the correlations of all methods.

    Args:
        axes: three.
        methods: {method: [arrays of each seed]}.
    """
    spectra, ratios, correlations = axes
    (first, *_), *_ = methods.values()
    bands = np.arange(1, len(first["real/spectrum"]) + 1)
    lags = np.arange(len(first["real/correlation"]))
    for method, arrays in methods.items():
        for ax, x, statistic in ((spectra, bands, "spectrum"), (correlations, lags, "correlation")):
            draw_seeds(ax, [(x, run[f"generated/{statistic}"]) for run in arrays], COLOURS[method], method)
        ratio = [(bands, run["generated/spectrum"] / run["real/spectrum"]) for run in arrays]
        draw_seeds(ratios, ratio, COLOURS[method], method)
    spectra.plot(bands, first["real/spectrum"], **REAL)
    ratios.axhline(1, **REAL)
    correlations.plot(lags, first["real/correlation"], label="real fields", **REAL)
    for ax in (spectra, ratios):
        ax.set(xscale="log", xlabel="wave number (per side)")
        ax.set_xticks([1, 2, 4, 8], ["1", "2", "4", "8"])
        ax.minorticks_off()
    spectra.set(yscale="log", ylabel="power per mode", title="spectrum")
    ratios.set(ylabel="ratio of powers", title="spectrum, generated / real")
    correlations.set(xlabel="lag (cells)", ylabel="correlation", title="two-point correlation")
    correlations.xaxis.set_major_locator(MaxNLocator(4, integer=True))


def by_band() -> pd.DataFrame:
    """The mean over the seeds of what is measured in each band of wave numbers, a column per band."""
    rows = results.read(NAME)
    bands = rows[rows["part"] != ""].assign(band=lambda rows: rows["part"].map(number_of))
    return bands.pivot_table(index=["tier", "setting", "quantity"], columns="band", values="value").round(2)
