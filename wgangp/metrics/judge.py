"""Judges generated images with the networks whose weights are there, beside real images judged alike."""

import hashlib
import json
from functools import cached_property

import numpy as np

from reproduction.results import output_root, row
from wgangp.data import registry
from wgangp.data.batches import to_bytes
from wgangp.errors import InputError
from wgangp.metrics.image_scores import metric_names, score_images
from wgangp.metrics.inception_weights import find_weights
from wgangp.metrics.scores import frechet_distance, gaussian, precision_recall
from wgangp.metrics.statistics import SAMPLE
from wgangp.runtime.files import locked, replacing

PIXELS = ("frechet_pixels", "precision_pixels", "recall_pixels")  # need no network


def pixel_features(images):
    """Images averaged down to 8 x 8 pixels.

    Args:
        images: uint8 [n, channels, height, width], sides multiples of 8.

    Returns:
        float64 [n, channels * 64], bytes.

    Raises:
        InputError: anything else, or no image.
    """
    shape = np.shape(images)
    if getattr(images, "dtype", None) != np.uint8 or len(shape) != 4 or not all(shape) or shape[2] % 8 or shape[3] % 8:
        raise InputError(
            f"images are {getattr(images, 'dtype', type(images).__name__)} {list(shape)}; give uint8 [n, channels, "
            "height, width], sides multiples of 8."
        )
    n, channels, height, width = images.shape
    return images.reshape(n, channels, 8, height // 8, 8, width // 8).mean(axis=(3, 5)).reshape(n, -1)


def frechet_pixels(images, real):
    """Fréchet distance between images averaged down to 8 x 8 pixels; needs no network.

    Args:
        images, real: uint8 [n, channels, height, width], sides multiples of 8.

    Returns:
        A float, in squared bytes per image.
    """
    return frechet_distance(gaussian(pixel_features(images)), gaussian(pixel_features(real)))


def precision_recall_pixels(images, real):
    """Precision and recall of images averaged down to 8 x 8 pixels, of at most 5,000 evenly spaced ones of each side.

    Args:
        images, real: uint8 [n, channels, height, width], sides multiples of 8, n at least 4.

    Returns:
        Precision and recall, in [0, 1]; see `wgangp.metrics.scores.precision_recall`.
    """
    kept = (x[np.linspace(0, len(x) - 1, min(len(x), SAMPLE)).astype(int)] for x in (images, real))
    return precision_recall(*map(pixel_features, kept))


class Judge:
    """Scores of generated images.

    With complete, calibrated Inception weights: inception_score, fid, precision and recall. With the partial ones:
    fid_768, precision_768 and recall_768 (and classifier_score for CIFAR-10). Without, or for embedded images:
    frechet_pixels, precision_pixels and recall_pixels. None of the latter carries the paper's name, and each is
    reported beside the same figure for real images.

    Args:
        data: the real images, an `Images`.
        count: generated images per judgement.
        reference: real images that distances are taken to, drawn once, at most as many as there are. Up to
            half of the data in `count` are kept apart from them, to be judged like the generated ones;
            with a larger count one half of the data is judged against the other.
    """

    def __init__(self, data, count, reference):
        n = len(data.images)
        order = np.random.default_rng(0).permutation(n)
        apart = min(count, n // 2)

        def chosen(part):
            return data.images[np.sort(part)]

        self.data, self.count, self.others = data, count, chosen(order[:apart])
        if count <= n // 2:
            self.reference = self.reference_of_real = chosen(order[apart : apart + reference])
        else:
            self.reference, self.reference_of_real = chosen(order[:reference]), chosen(order[apart:])
        known = () if data.name == "embedded" else metric_names(registry.root())
        known = [name for name in known if name != "fid_1280"]
        if data.name != "cifar10":
            known = [name for name in known if not name.endswith("score")]
        self.metrics = known or list(PIXELS)

    @property
    def cheap(self):
        """Those of the metrics that are cheap enough for many judgements: without the Inception network, else all."""
        return [name for name in self.metrics if name in ("classifier_score", "frechet_pixels")] or self.metrics

    @property
    def distance(self):
        """The name of the Fréchet distance among the metrics."""
        return next(name for name in self.metrics if name.startswith(("fid", "frechet")))

    @property
    def recall(self):
        """The name of the recall among the metrics."""
        return next(name for name in self.metrics if name.startswith("recall"))

    @property
    def protocol(self):
        """How, for the rows of generated images."""
        return self._protocol(self.count, self.reference)

    def _protocol(self, count, reference):
        if any(name.startswith(("fid", "frechet")) for name in self.metrics):
            return f"{count} images against {len(reference)} real ones"
        return f"{count} images"

    def judge(self, images, metrics=None, reference=None):
        """Score images.

        Args:
            images: uint8 [n, channels, height, width].
            metrics: only these; all of `self.metrics` when None.
            reference: real images that distances are taken to; the judge's when None.

        Returns:
            {metric: (value, standard deviation over splits or None)}.
        """
        metrics = self.metrics if metrics is None else metrics
        reference = self.reference if reference is None else reference
        if not set(metrics) <= set(PIXELS):
            return score_images(images, metrics, registry.root(), real=reference)
        found = {}
        if "frechet_pixels" in metrics:
            found["frechet_pixels"] = frechet_pixels(images, reference)
        if {"precision_pixels", "recall_pixels"} & set(metrics):
            found["precision_pixels"], found["recall_pixels"] = precision_recall_pixels(images, reference)
        return {metric: (found[metric], None) for metric in metrics}

    @cached_property
    def real(self):
        """The same figures for real images, apart from their reference; kept for other runs."""
        weights = [self.weights_sha256(name) for name in self.metrics]
        identity = [self.data.sha256, len(self.others), len(self.reference_of_real), self.metrics, weights]
        digest = hashlib.sha256(json.dumps(identity).encode()).hexdigest()[:32]
        kept = output_root() / "runs" / "real" / f"{digest}.json"
        with locked(kept.with_suffix(".lock")):  # another process may be judging the same
            if not kept.exists():
                with replacing(kept) as file:
                    file.write(json.dumps(self.judge(self.others, reference=self.reference_of_real)).encode())
        return {name: tuple(score) for name, score in json.loads(kept.read_text()).items()}

    def callback(self, every, scaling, metrics, publish):
        """A callback of `.train` that judges the generator every so many iterations.

        Args:
            every: iterations.
            scaling: of the generator's samples, as in `wgangp.data.batches.scale`.
            metrics: as of `judge`.
            publish: called with the judgement's rows.
        """

        def judge(gan, iteration, record):
            images = to_bytes(gan.generate(self.count, seed=iteration), scaling)
            scores = self.judge(images, metrics)
            record |= {name: value for name, (value, _) in scores.items()}
            part = f"iteration {iteration + 1}"
            publish([self.row(name, value, part=part, err=err) for name, (value, err) in scores.items()])

        judge.every = every
        return judge

    def row(self, metric, value, **about):
        """A row of results.

        Args:
            metric: of `metrics`.
            value: a number.
            about: part, err and whatever else of `results.row` is not as usual.
        """
        usual = {"protocol": self.protocol, "samples": self.count, "weights": self.weights_sha256(metric)}
        return row(metric, value, self.data, **usual | about)

    def rows(self, images):
        """Rows of results: generated images' scores, and real ones' under `<metric>_of_real_images`.

        Args:
            images: uint8 [count, channels, height, width].
        """
        return self.rows_of(self.judge(images)) + self.rows_of_real()

    def rows_of(self, scores, ending="", **about):
        """Rows of results of one judgement.

        Args:
            scores: as from `judge`.
            ending: of the quantities' names, after the metric's.
            about: as of `row`.
        """
        return [
            self.row(metric, value, err=err, **about) | {"quantity": metric + ending}
            for metric, (value, err) in scores.items()
        ]

    def rows_of_real(self):
        """Rows of results: real images' scores, under `<metric>_of_real_images`."""
        count = len(self.others)
        protocol = self._protocol(count, self.reference_of_real)
        return self.rows_of(self.real, "_of_real_images", protocol=protocol, samples=count)

    def rows_over_training(self, history, metrics):
        """Rows of what the callback put into a training's history, "iteration N" their parts.

        Args:
            history: a pandas.DataFrame, as `.train` returns it.
            metrics: as of `judge`.
        """
        curves = {metric: history[metric].dropna() for metric in metrics if metric in history}
        return [
            self.row(metric, value, part=f"iteration {i + 1}")
            for metric, curve in curves.items()
            for i, value in curve.items()
        ]

    def weights_sha256(self, metric):
        """Digest of the weights behind a metric, "" for none."""
        if metric in PIXELS:
            return ""
        if metric == "classifier_score":
            return registry.file_hash(registry.locate("cifar10_resnet56"))
        return registry.file_hash(find_weights(registry.root()))
