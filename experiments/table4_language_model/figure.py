"""Generated lines beside the paper's and real ones, and the divergence of the n-grams over training."""

from pathlib import Path

import matplotlib.pyplot as plt
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter

from reproduction import paper_csv
from reproduction.notebook_data import Runs, drawn_values
from reproduction.visualization import COLOURS, PAPER, REAL, WIDTH, draw_seeds

NAME = "table4_language_model"
CORPORA = {
    "billion_word": "Billion Word's training shards",
    "billion_word_heldout": "Billion Word's first held-out shard",
    "reuters21578_sentences.txt": "sentences of Reuters-21578",
    "embedded": "scikit-learn's descriptions of data sets",
}
OTHERS = {"WGAN-GP": "the same, by TTUR's authors", "WGAN-GP with TTUR": "with TTUR, by its authors"}
UNIGRAM = {"color": "dimgrey", "linestyle": "-.", "linewidth": 1.2}


def corpus(runs: Runs) -> str:
    """What the model was trained on, in words."""
    return " and ".join(CORPORA.get(name, name) for name in runs.datasets)


def lines(runs: Runs) -> str:
    """The paper's lines beside as many of ours (first seed, last iterate, not selected); held-out and unigram ones."""
    arrays = runs["WGAN-GP"][0]
    paper = Path(__file__).with_name("paper_samples.txt").read_text("utf-8").splitlines()
    generated = {
        "the paper's, on Billion Word": paper,
        f"ours, iteration {runs.last_iteration('WGAN-GP'):,}": arrays["generated"],
    }
    n = len(paper)
    others = {"held-out text": arrays["real"][:n], "characters drawn one by one": arrays["unigram"][:n]}
    return f"{side_by_side(generated)}\n\n{side_by_side(others)}"


def side_by_side(columns: dict[str, list]) -> str:
    """Lines of text as a table of fixed-width characters.

    Args:
        columns: {title: lines, str or bytes padded with backticks}.
    """
    rows = [list(columns), ["-" * 32] * len(columns)]
    texts = [
        [line if isinstance(line, str) else line.decode(errors="replace").rstrip("`") for line in lines]
        for lines in columns.values()
    ]
    rows += zip(*texts, strict=False)
    return "\n".join("  ".join(cell.ljust(32) for cell in row).rstrip() for row in rows)


def divergences(runs: Runs) -> Figure:
    """Divergence of the n-grams over training, a panel per n, of every seed; beside it held-out and unigram text.

    Other papers' values of this model are drawn where they are of the same text.

    Args:
        runs: of `best_runs`.
    """
    levels, ours = divergence_levels(runs), COLOURS["WGAN-GP"]
    styles = {"held-out text": REAL, "characters drawn one by one": UNIGRAM, OTHERS["WGAN-GP"]: {"color": ours} | PAPER}
    figure, axes = plt.subplots(2, 3, figsize=(WIDTH, 4.6), sharex=True, sharey=True, layout="constrained")
    for ax, (metric, values) in zip(axes.flat, levels.items(), strict=True):
        curves = [run[f"curve/{metric}"] for run in runs["WGAN-GP"]]
        draw_seeds(
            ax,
            [tuple(curve) for curve in curves],
            ours,
            "ours: each seed and the mean" if len(curves) > 1 else "ours",
        )
        for label, value in values.items():
            ax.axhline(value, label=label, **styles.get(label, {"color": COLOURS["WGAN-GP, other"]} | PAPER))
        ends = [curve[1, -1] for curve in curves]
        ax.set(title=f"n = {metric[2]}, ends at {sum(ends) / len(ends):.2g} bit", ylim=(-0.02, 1.05))
        ax.set_xlim(left=0)
        ax.locator_params(axis="x", nbins=5)
        ax.xaxis.set_major_formatter(EngFormatter(sep=""))  # 5k
    for ax in axes[1]:
        ax.set_xlabel("generator iteration")
    for ax in axes[:, 0]:
        ax.set_ylabel("divergence (bits)")
    entries = {label: line for ax in axes.flat for line, label in zip(*ax.get_legend_handles_labels(), strict=True)}
    axes[0, 0].legend(entries.values(), entries.keys(), loc="upper left")
    figure.suptitle(f"Sequences of n characters: Jensen-Shannon divergence from {corpus(runs)}")
    return figure


def divergence_levels(runs: Runs) -> dict[str, dict[str, float]]:
    """What the n-gram divergences of a language model stand beside, {metric: {label: bits}}, of one seed.

    Digitised values of others are there where they are of the same metric.

    Args:
        runs: of `best_runs`.
    """
    measured = drawn_values(NAME, runs).iloc[0]  # of its only setting
    paper = paper_csv.rows_of(NAME).query("kind in ('digitised', 'quoted')")
    levels, ending = {}, "_of_unigram_model"
    for metric in measured.index[measured.index.str.startswith("js") & measured.index.str.endswith(ending)]:
        metric = metric.removesuffix(ending)
        levels[metric] = {
            "held-out text": measured[f"{metric}_of_held_out_text"],
            "characters drawn one by one": measured[metric + ending],
        }
        for _, row in paper[paper["quantity"] == metric].iterrows():
            levels[metric][OTHERS[row["setting"]]] = row["value"]
    return levels
