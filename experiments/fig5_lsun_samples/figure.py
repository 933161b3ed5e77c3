"""Figure 4: samples of the deep ResNet."""

from matplotlib.figure import Figure

from reproduction.experiment import Experiment
from reproduction.notebook_data import Runs, drawn_values
from reproduction.tiles import tile
from reproduction.visualization import DISTANCES, METRICS, pictures

NAME = "fig5_lsun_samples"


def samples(runs: Runs) -> Figure:
    """30 samples of the last iterate, each pixel as large as makes them 128 wide, with their distance to real images.

    Of the first seed.
    """
    table, grids = drawn_values(NAME, runs), {}
    for setting, (arrays, *_) in runs.items():
        images = arrays["samples"][:30]
        zoom = max(1, 128 // images.shape[-1])
        values = table.loc[setting].dropna()
        name = next(name for name in DISTANCES if name in values)
        iterations = Experiment(NAME).config(setting, runs.tier).iterations
        title = (
            f"deep ResNet, {setting} a side, {iterations:,} iterations, seed {runs.seeds[setting][0]}\n"
            f"{METRICS[name]} {values[name]:.3g}, real images {values[name + '_of_real_images']:.2g}"
        )
        grids[title] = tile(images.repeat(zoom, 2).repeat(zoom, 3), columns=6)
    return pictures(grids, columns=1, points=9)
