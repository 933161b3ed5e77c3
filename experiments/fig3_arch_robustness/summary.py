"""How many architectures each method trained."""

from experiments.fig3_arch_robustness.run import METHODS
from reproduction.results import summary_row
from wgangp.networks import lsun


def summary(rows):
    """How many of the seven architectures each method trained, where all seven have been run."""
    summary_rows = []
    for _, group in rows[rows["quantity"] == "trained"].groupby(["tier", "seed", "dataset"]):
        for method in METHODS:
            of_method = group[group["setting"].isin([f"{name}, {method}" for name in lsun.NAMES])]
            if of_method["setting"].nunique() == len(lsun.NAMES):
                protocol = f"of {len(lsun.NAMES)} architectures"
                count = of_method["value"].sum()
                summary_rows.append(
                    summary_row(of_method, method, "architectures_trained", count, protocol, samples=len(lsun.NAMES))
                )
    return summary_rows
