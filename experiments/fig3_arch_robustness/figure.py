"""Figure 2: samples of every architecture with every method, and how near they are to real images."""

import pandas as pd
from matplotlib.figure import Figure

from reproduction import results
from reproduction.notebook_data import Runs, rows_drawn
from reproduction.visualization import pictures, tile


def samples(runs: Runs) -> Figure:
    """A grid of 3 x 3 images for each architecture (a row) and method (a column), of the first seed.

    Source: Figure 2.
    """
    grids = {setting.replace(", ", "\n"): tile(arrays[0]["samples"][:9], 3) for setting, arrays in runs.items()}
    return pictures(grids, columns=4)


def distances(runs: Runs) -> pd.DataFrame:
    """Architecture by method: the distance, its share of the way to real images, and whether the cell trained.

    The share is (untrained - distance) / (untrained - real): 1 for real images, 0 for the generator before training.
    Of one seed.
    """
    rows = rows_drawn(results.of_single_runs(results.read("fig3_arch_robustness")), runs)
    parts = rows["setting"].str.partition(", ")
    rows = rows.assign(architecture=parts[0], method=parts[2])
    metric = next(metric for metric in ("fid", "fid_768", "frechet_pixels") if metric in set(rows["quantity"]))

    def grid(quantity):
        rows_of = rows[rows["quantity"] == quantity]
        return rows_of.pivot_table(index="architecture", columns="method", values="value", sort=False)

    distance, untrained = grid(metric), grid(f"{metric}_of_untrained_generator")
    share = (untrained - distance) / (untrained - grid(f"{metric}_of_real_images"))
    trained = grid("trained").map({1: "trained", 0: "not trained"}.get)
    return distance.map("{:.2f}".format) + share.map(" ({:.0%} of the way, ".format) + trained + ")"
