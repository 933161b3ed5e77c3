"""Evaluators whose scores become rows of results."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from reproduction.results import output_root, row
from wgangp.data.batches import to_bytes
from wgangp.metrics.evaluator import ImageEvaluator, weights_sha256
from wgangp.metrics.ngram import ORDERS, LanguageEvaluator, most_likely
from wgangp.training import Callback


class ImageEvaluation(ImageEvaluator):
    """Scores of generated images as rows of results, each beside the same score of real images.

    Args:
        data, count, reference, metrics: as of `ImageEvaluator`.
    """

    def __init__(self, data: Any, count: int, reference: int, metrics: Sequence[str] | None = None):
        super().__init__(data, count, reference, metrics, cache=output_root() / "runs" / "real")

    def callback(
        self, every: int, scaling: str, metrics: Sequence[str] | None, publish: Callable[[list[dict]], None]
    ) -> Callback:
        """A callback of `.train` that evaluates the generator every so many iterations.

        Args:
            every: iterations.
            scaling: of the generator's samples, as in `wgangp.data.batches.scale`.
            metrics: as of `evaluate`.
            publish: called with the evaluation's rows.
        """

        def evaluate(gan, iteration, losses):
            images = to_bytes(gan.generate(self.count, seed=iteration), scaling)
            scores = self.evaluate(images, metrics)
            publish(self.rows_of(scores, part=part_at(iteration)))
            return {name: value for name, (value, _) in scores.items()}

        return Callback(evaluate, every)

    def row(self, metric: str, value: float, **about: Any) -> dict:
        """A row of results.

        Args:
            metric: of `metrics`.
            value: a number.
            about: part, err and whatever else of `results.row` is not as usual.
        """
        usual = {"protocol": self.protocol, "samples": self.count, "weights": weights_sha256(metric)}
        return row(metric, value, self.data, **usual | about)

    def rows(self, images: np.ndarray) -> list[dict]:
        """Rows of results: generated images' scores, and real ones' under `<metric>_of_real_images`.

        Args:
            images: uint8 [count, channels, height, width].
        """
        return self.rows_of(self.evaluate(images)) + self.rows_of_real()

    def rows_of(self, scores: dict[str, tuple], ending: str = "", **about: Any) -> list[dict]:
        """Rows of results of one evaluation.

        Args:
            scores: as from `evaluate`.
            ending: of the quantities' names, after the metric's.
            about: as of `row`.
        """
        return [
            self.row(metric, value, err=err, **about) | {"quantity": metric + ending}
            for metric, (value, err) in scores.items()
        ]

    def rows_of_real(self) -> list[dict]:
        """Rows of results: real images' scores, under `<metric>_of_real_images`."""
        about = {"protocol": self.held_out_protocol, "samples": len(self.held_out)}
        return self.rows_of(self.real, "_of_real_images", **about)


class LanguageEvaluation(LanguageEvaluator):
    """Measures of generated lines as rows of results, beside those of held-out lines and of a unigram model's.

    Args:
        text, count: as of `LanguageEvaluator`.
    """

    def callback(self, every: int, publish: Callable[[list[dict]], None]) -> Callback:
        """A callback of `.train` that evaluates the generator every so many iterations.

        Args:
            every: iterations.
            publish: called with the evaluation's rows.
        """

        def evaluate(gan, iteration, losses):
            values = self.evaluate(most_likely(gan.generate(self.count, seed=iteration)))
            publish([self.row(name, value, part=part_at(iteration)) for name, value in values.items()])
            return values

        return Callback(evaluate, every)

    def row(self, quantity: str, value: float, part: str = "", count: int | None = None) -> dict:
        """A row of results.

        Args:
            quantity, value, part: as of `results.row`.
            count: lines that were measured; the evaluation's when None.
        """
        count = count or self.count
        protocol = f"{count} lines against {len(self.train)} training lines"
        return row(quantity, value, self.text, protocol, part=part, samples=count)

    def rows(self, codes: np.ndarray) -> list[dict]:
        """Rows of results: generated lines, held-out ones, a unigram model's, and how far the first are on the way.

        That share is (unigram model's divergence - generated lines') / (unigram model's - held-out lines'), for n = 4
        and 6: 0 at the unigram model, 1 at held-out text. It is left out where held-out text is not the nearer.

        Args:
            codes: uint8 [count, length].
        """
        rows, values = [], {}
        for lines, ending in ((codes, ""), (self.held_out, "_of_held_out_text"), (self.unigram, "_of_unigram_model")):
            values[ending] = self.evaluate(lines)
            known = {"share_of_known_words": self.share_of_known_words(lines)}
            rows += [self.row(name + ending, v, count=len(lines)) for name, v in (values[ending] | known).items()]
        for n in (4, 6):
            name = self.metrics[ORDERS.index(n)]
            generated, real, unigram = (values[e][name] for e in ("", "_of_held_out_text", "_of_unigram_model"))
            if real < unigram:
                share = (unigram - generated) / (unigram - real)
                rows.append(self.row("share_of_way_to_held_out_text", share, part=f"js{n}"))
        return rows


def curves_over_training(history: pd.DataFrame, metrics: Sequence[str]) -> dict[str, np.ndarray]:
    """The scores of the evaluations while training, for `save_arrays`.

    Args:
        history: of `.train`, with a column per metric.
        metrics: names.

    Returns:
        {"curve/<metric>": [2, evaluations]}, the iterations, counted from 1, and the values.
    """
    curves = {name: history[name].dropna() for name in metrics}
    return {f"curve/{name}": np.stack([curve.index + 1, curve]) for name, curve in curves.items()}


def rows_over_training(
    evaluation: ImageEvaluation | LanguageEvaluation, history: pd.DataFrame, metrics: Sequence[str]
) -> list[dict]:
    """Rows of what an evaluation's callback put into a training's history, "iteration N" their parts.

    Args:
        evaluation: an `ImageEvaluation` or a `LanguageEvaluation`.
        history: a pandas.DataFrame, as `.train` returns it.
        metrics: names of columns; those that the history lacks are left out.
    """
    curves = {metric: history[metric].dropna() for metric in metrics if metric in history}
    return [
        evaluation.row(metric, value, part=part_at(iteration))
        for metric, curve in curves.items()
        for iteration, value in curve.items()
    ]


def part_at(iteration: int) -> str:
    """The part of a row that was measured after an iteration, which is counted from 0."""
    return f"iteration {iteration + 1}"
