"""Generated digits, and the critic's losses over training."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from reproduction.experiment import Experiment
from reproduction.notebook_data import Runs, drawn_values
from reproduction.tiles import tile
from reproduction.visualization import COLOURS, WIDTH, draw_seeds, pictures, seeds_note

NAME = "mnist_digits"
LOSSES = {
    "WGAN-GP": ("WGAN-GP", "E[D(fake)] − E[D(real)] + penalty"),
    "weight clipping": ("weight clipping", "E[D(fake)] − E[D(real)]"),
    "DCGAN": ("GAN", "cross-entropy"),
}


def has_collapsed(images: np.ndarray) -> bool:
    """Whether images are nearly the same: they vary among each other less than a quarter of what each does within.

    Args:
        images: uint8 [n, 1, height, width].

    Returns:
        Whether the standard deviation over images, averaged over pixels, is below a quarter of that over pixels,
        averaged over images.
    """
    return bool(images.std(axis=0).mean() < images.std(axis=(1, 2, 3)).mean() / 4)


def samples(runs: Runs) -> Figure:
    """Samples of the last iterate, of the first seed, with their score, and in how many seeds they collapsed."""
    table, grids = drawn_values(NAME, runs), {}
    for setting, arrays in runs.items():
        values = table.loc[setting]
        iterations = Experiment(NAME).config(setting, runs.tier).iterations
        collapsed = sum(has_collapsed(seed["samples"]) for seed in arrays)
        title = setting + f": collapsed ({collapsed} of {len(arrays)} seeds)" * (collapsed > 0)
        title += f"\n{iterations:,} iterations, seed {runs.seeds[setting][0]}"
        title += f"\nscore {values['digit_score']:.2f} (real {values['digit_score_of_real_images']:.2f})"
        grids[f"{title}, {values['classes_found']:.0f} of 10 classes"] = tile(arrays[0]["samples"], 10)
    return pictures(grids, columns=3, head=56, points=8)


def losses(runs: Runs) -> Figure:
    """Each method's own critic loss, a panel per setting; a point is the mean over a 200th of the iterations."""
    figure, axes = plt.subplots(1, len(runs), figsize=(WIDTH - 0.2, 2.8), layout="constrained")
    for ax, (setting, arrays) in zip(axes, runs.items(), strict=True):
        colour, formula = LOSSES[setting]
        seeds = [tuple(run["critic_loss"]) for run in arrays]
        block = round(2 * seeds[0][0][0]) - 1  # iterations, of which the first mean is in the middle
        draw_seeds(ax, seeds, COLOURS[colour], setting)
        ax.set(
            title=f"{setting}\n{formula}", xlabel="iteration" + f" (means of {block:,})" * (block > 1), xlim=(0, None)
        )
        ax.xaxis.set_major_locator(MaxNLocator(4, integer=True))
        ax.xaxis.set_major_formatter("{x:,.0f}")
    axes[0].set_ylabel("critic loss (in the critic's unit)")
    axes[-1].set(yscale="log", ylabel="discriminator loss (nats)")
    axes[-1].tick_params(which="minor", left=False)
    if note := seeds_note(runs):
        axes[0].legend([], title=note.replace("; ", "\n"), title_fontsize=8, loc="lower right")
    return figure
