"""What stands beside the language model's curves."""

import numpy as np
import pytest

from reproduction import results
from reproduction.experiment import Experiment
from reproduction.notebook_data import Runs

NAME = "table4_language_model"
FIGURE = Experiment(NAME).module("figure")


@pytest.mark.parametrize(
    "dataset, ending, others",
    [("billion_word", "", 2), ("reuters21578_sentences.txt", "_other_corpus", 0)],
)
def test_others_values_are_drawn_only_beside_the_corpus_they_are_of(tmp_path, monkeypatch, dataset, ending, others):
    monkeypatch.setenv("WGANGP_OUTPUT", str(tmp_path))
    metrics = [f"js{n}{ending}" for n in range(1, 7)]
    about = dict.fromkeys(results.COLUMNS, "x") | {"tier": "paper", "seed": 0, "dataset": dataset, "part": ""}
    about |= dict.fromkeys(results.NUMBERS, 1.0) | {"setting": "WGAN-GP", "samples": 640}
    values = [
        (f"{metric}_of_{kind}", v) for metric in metrics for kind, v in (("held_out_text", 0), ("unigram_model", 1))
    ]
    results.replace_runs(NAME, [about | {"quantity": quantity, "value": value} for quantity, value in values])
    curves = {f"curve/{metric}": np.array([[5000, 10_000], [0.9, 0.8]]) for metric in metrics}
    axes = FIGURE.divergences(Runs("paper", {dataset}, {"WGAN-GP": {0: curves}})).axes
    assert [len(ax.lines) for ax in axes] == [3, 3, 3, 3 + others, 3, 3 + others]
    assert axes[3].get_title() == "n = 4, ends at 0.8 bit"
    if others:
        assert [line.get_ydata()[0] for line in axes[3].lines[3:]] == [0.395, 0.381]
