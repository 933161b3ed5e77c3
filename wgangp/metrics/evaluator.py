"""Scores of generated images, by the networks whose weights are available, beside the same scores of real images."""

import hashlib
import json
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import numpy as np

from wgangp.data import catalogue
from wgangp.data.download import file_hash
from wgangp.data.images import Images
from wgangp.metrics.image_scores import METRICS, Score, check_metrics, metric_names, score_images
from wgangp.metrics.inception_weights import find_weights
from wgangp.metrics.pixels import PIXEL_METRICS, score_pixels
from wgangp.runtime import environment
from wgangp.runtime.files import locked, replacing


def available_metrics(data: Images) -> list[str]:
    """The metrics that images of a data set can be scored with.

    With complete, calibrated Inception weights: inception_score, fid, precision_2048 and recall_2048. With the partial
    ones: fid_768, precision_768 and recall_768 (and classifier_score for CIFAR-10). Without, or for embedded images:
    frechet_pixels, precision_pixels and recall_pixels. None of these carries the name of the paper's metrics.

    Args:
        data: the real images.

    Returns:
        A list of names; those of scores (of Inception or of the classifier) for CIFAR-10 only.
    """
    names = () if data.name == "embedded" else metric_names(environment.data_folder())
    names = [name for name in names if name != "fid_1280"]
    if data.name != "cifar10":
        names = [name for name in names if not name.endswith("score")]
    return names or list(PIXEL_METRICS)


def cheap_metrics(metrics: list[str]) -> list[str]:
    """Select the metrics that are cheap enough to be computed often: those without the Inception network, else all.

    Args:
        metrics: names, as of `available_metrics`.
    """
    return [name for name in metrics if name in ("classifier_score", "frechet_pixels")] or metrics


def weights_sha256(metric: str) -> str:
    """The digest of the weights that a metric uses; "" if it uses none.

    Args:
        metric: its name.
    """
    if metric in PIXEL_METRICS:
        return ""
    if metric == "classifier_score":
        return file_hash(catalogue.locate("cifar10_resnet56"))
    return file_hash(find_weights(environment.data_folder()))


class ImageEvaluator:
    """Scores of images against real ones, and of held-out real images.

    Args:
        data: the real images.
        count: number of generated images per evaluation.
        reference: number of real images that distances are measured to, drawn once, at most as many as there are.
            Besides these, `count` images, but at most half of the data, are held out to be scored like generated ones;
            with a larger count, one half of the data is scored against the other.
        metrics: names, as of `available_metrics`; all of these when None.
        cache: folder that keeps `real` for other evaluators; None keeps nothing.

    Attributes:
        reference: uint8 [at most reference, channels, height, width], the images that distances are measured to.
        held_out, held_out_reference: uint8 [n, channels, height, width], real images that are scored like generated
            ones, and those that their distances are measured to.
    """

    def __init__(
        self,
        data: Images,
        count: int,
        reference: int,
        metrics: Sequence[str] | None = None,
        cache: Path | str | None = None,
    ):
        n = len(data.images)
        order = np.random.default_rng(0).permutation(n)
        n_held_out = min(count, n // 2)

        def select(indices):
            return data.images[np.sort(indices)]

        self.data, self.count, self.held_out = data, count, select(order[:n_held_out])
        if count <= n // 2:
            self.reference = self.held_out_reference = select(order[n_held_out : n_held_out + reference])
        else:
            self.reference, self.held_out_reference = select(order[:reference]), select(order[n_held_out:])
        self.metrics = available_metrics(data) if metrics is None else list(metrics)
        self.cache = cache

    @property
    def cheap(self) -> list[str]:
        """The metrics that are cheap enough for many evaluations, as of `cheap_metrics`."""
        return cheap_metrics(self.metrics)

    @property
    def distance(self) -> str:
        """The name of the Fréchet distance among the metrics."""
        return next(name for name in self.metrics if name.startswith(("fid", "frechet")))

    @property
    def recall(self) -> str:
        """The name of the recall among the metrics."""
        return next(name for name in self.metrics if name.startswith("recall"))

    @property
    def protocol(self) -> str:
        """How many generated images are scored against how many real ones, in words."""
        return self._protocol(self.count, self.reference)

    @property
    def held_out_protocol(self) -> str:
        """The same for the scores in `real`."""
        return self._protocol(len(self.held_out), self.held_out_reference)

    def _protocol(self, count, reference):
        if any(name.startswith(("fid", "frechet")) for name in self.metrics):
            return f"{count} images against {len(reference)} real ones"
        return f"{count} images"

    def evaluate(
        self, images: np.ndarray, metrics: Sequence[str] | None = None, reference: np.ndarray | None = None
    ) -> dict[str, Score]:
        """Score images.

        Args:
            images: uint8 [n, channels, height, width].
            metrics: only these; all of `self.metrics` when None.
            reference: real images that distances are measured to; the evaluator's when None.

        Returns:
            {metric: (value, standard deviation over splits or None)}.

        Raises:
            InputError: as of `check_metrics`, `score_images` and `score_pixels`.
        """
        metrics = self.metrics if metrics is None else metrics
        reference = self.reference if reference is None else reference
        check_metrics(metrics, (*METRICS, *PIXEL_METRICS))
        of_pixels = [metric for metric in metrics if metric in PIXEL_METRICS]
        of_networks = [metric for metric in metrics if metric not in PIXEL_METRICS]
        scores = score_pixels(images, of_pixels, reference)
        if of_networks:
            scores |= score_images(images, of_networks, environment.data_folder(), real=reference)
        return {metric: scores[metric] for metric in metrics}

    @cached_property
    def real(self) -> dict[str, Score]:
        """The scores of the held-out real images, as of `evaluate`."""
        if self.cache is None:
            return self._evaluate_held_out()
        weights = [weights_sha256(name) for name in self.metrics]
        identity = [self.data.sha256, len(self.held_out), len(self.held_out_reference), self.metrics, weights]
        digest = hashlib.sha256(json.dumps(identity).encode()).hexdigest()[:32]
        path = Path(self.cache) / f"{digest}.json"
        with locked(path.with_suffix(".lock")):  # another process may be scoring the same
            if not path.exists():
                with replacing(path) as file:
                    file.write(json.dumps(self._evaluate_held_out()).encode())
        return {name: tuple(score) for name, score in json.loads(path.read_text()).items()}

    def _evaluate_held_out(self):
        return self.evaluate(self.held_out, reference=self.held_out_reference)
