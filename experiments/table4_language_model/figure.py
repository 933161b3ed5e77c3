"""Generated lines beside the paper's and real ones, and the divergence of the n-grams over training."""

from pathlib import Path

import matplotlib.pyplot as plt
import seaborn as sns
from matplotlib.figure import Figure

from reproduction import paper_csv, results
from reproduction.notebook_data import Runs, rows_drawn, score_curves

NAME = "table4_language_model"


def lines(runs: Runs) -> str:
    """The paper's lines, as many of ours (first seed, last iterate, not selected), held-out and unigram ones."""
    arrays = runs["WGAN-GP"][0]
    columns = {
        "the paper's": Path(__file__).with_name("paper_samples.txt").read_text().splitlines(),
        "ours": arrays["generated"],
        "held-out text": arrays["real"],
        "unigram model": arrays["unigram"],
    }
    return side_by_side(columns)


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


def divergences(runs: Runs, columns: int = 3) -> Figure:
    """Divergence of the n-grams over training, a panel per metric, with constants beside them; of the first seed.

    Args:
        runs: as from `best_runs`.
        columns: panels per row.
    """
    curves, levels = score_curves(runs), divergence_levels(runs)
    rows = -(-len(curves) // columns)
    figure, axes = plt.subplots(rows, columns, figsize=(2.1 * columns, 1.5 * rows + 0.6), sharex=True, squeeze=False)
    labels = list(dict.fromkeys(label for of_title in levels.values() for label in of_title))
    for ax, (title, by_setting) in zip(axes.flat, curves.items(), strict=True):
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
    figure.supxlabel("generator iteration", fontsize="x-small")
    figure.supylabel("Jensen-Shannon divergence (bits)", fontsize="x-small")
    sns.despine(figure)
    figure.tight_layout(rect=(0, 0, 1, 0.9))
    figure.legend(entries.values(), entries.keys(), loc="upper center", ncols=3, fontsize="xx-small")
    return figure


def divergence_levels(runs: Runs) -> dict[str, dict[str, float]]:
    """What the n-gram divergences of a language model stand beside, {metric: {label: bits}}, of one seed.

    Digitised values of others are there where they are of the same metric.

    Args:
        runs: of `best_runs`.
    """
    rows = rows_drawn(results.read(NAME), runs)
    measured = rows[rows["part"] == ""].set_index("quantity")["value"]
    paper = paper_csv.rows_of(NAME).query("kind in ('digitised', 'quoted')")
    levels, ending = {}, "_of_unigram_model"
    for metric in measured.index[measured.index.str.startswith("js") & measured.index.str.endswith(ending)]:
        metric = metric.removesuffix(ending)
        levels[metric] = {
            "held-out text": measured[f"{metric}_of_held_out_text"],
            "unigram model": measured[metric + ending],
        }
        for _, row in paper[paper["quantity"] == metric].iterrows():
            levels[metric][f"{row['setting']}, read off TTUR"] = row["value"]
    return levels
