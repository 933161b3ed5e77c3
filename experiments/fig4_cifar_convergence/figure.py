"""Figure 3: scores over iterations and over seconds, and samples."""

from matplotlib.figure import Figure

from reproduction import paper_csv
from reproduction.notebook_data import Runs, number_of, score_curves
from reproduction.visualization import curves, sample_grids

YLABEL = "score (unit of the metric)"


def over_iterations(runs: Runs) -> Figure:
    """Scores over iterations, of the first seed; the paper's faintly where the metric is the Inception score."""
    scores = score_curves(runs)
    paper = paper_curves() if "inception_score" in scores else None
    return curves(scores, "generator iteration", YLABEL, paper)


def over_seconds(runs: Runs) -> Figure:
    """Scores over seconds of training, of the first seed."""
    return curves(score_curves(runs, x=2), "seconds", YLABEL)


def samples(runs: Runs) -> Figure:
    """Samples of the last iterate, of the first seed."""
    return sample_grids(runs, 36, columns=6)


def paper_curves() -> dict[str, tuple]:
    """Digitised curves, {setting: (iterations, values)}."""
    rows = paper_csv.rows_of("fig4_cifar_convergence")
    rows = rows[rows["part"].str.startswith("iteration ")]
    return {s: (group["part"].map(number_of), group["value"]) for s, group in rows.groupby("setting")}
