"""Judges generated images with the networks whose weights are there, beside real images judged alike."""

import hashlib
import json
from functools import cached_property

import numpy as np

from wgangp.data import registry
from wgangp.data.batches import to_bytes
from wgangp.files import replacing
from wgangp.metrics.image_scores import metric_names, score_images
from wgangp.metrics.inception_weights import find_weights
from wgangp.metrics.scores import frechet_distance, gaussian
from wgangp.results import output_root, row


def frechet_pixels(images, real):
    """Fréchet distance between images averaged down to 8 x 8 pixels; needs no network.

    Args:
        images, real: uint8 [n, channels, height, width], sides multiples of 8.

    Returns:
        A float, in squared bytes per image.
    """

    def features(x):
        n, channels, height, width = x.shape
        return x.reshape(n, channels, 8, height // 8, 8, width // 8).mean(axis=(3, 5)).reshape(n, -1)

    return frechet_distance(gaussian(features(images)), gaussian(features(real)))


class Judge:
    """Scores of generated images.

    With complete, calibrated Inception weights: inception_score, fid, precision and recall. With the partial ones:
    fid_768, precision_768 and recall_768 (and classifier_score for CIFAR-10). Without, or for embedded images:
    frechet_pixels. None of the latter carries the paper's name, and each is reported beside the same figure for real
    images.

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
        self.metrics = known or ["frechet_pixels"]

    @property
    def cheap(self):
        """Those of the metrics that do not need the Inception network, else all."""
        return [name for name in self.metrics if name in ("classifier_score", "frechet_pixels")] or self.metrics

    @property
    def protocol(self):
        """How, for the rows of generated images."""
        return self._protocol(self.count, self.reference)

    def _protocol(self, count, reference):
        text = f"{count} images"
        if any(name.startswith(("fid", "frechet")) for name in self.metrics):
            text += f" against {len(reference)} real ones"
        return f"{text}; dataset={self.data.name}"

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
        if "frechet_pixels" in metrics:
            return {"frechet_pixels": (frechet_pixels(images, reference), None)}
        return score_images(images, metrics, registry.root(), real=reference)

    @cached_property
    def real(self):
        """The same figures for real images, apart from their reference; kept for other runs."""
        weights = [self.weights_sha256(name) for name in self.metrics]
        identity = [self.data.sha256, len(self.others), len(self.reference_of_real), self.metrics, weights]
        digest = hashlib.sha256(json.dumps(identity).encode()).hexdigest()[:32]
        kept = output_root() / "runs" / "real" / f"{digest}.json"
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
            publish([self.row(name, value, f"iteration {iteration + 1}", err) for name, (value, err) in scores.items()])

        judge.every = every
        return judge

    def row(self, metric, value, setting=None, err=None):
        """A row of results.

        Args:
            metric: of `metrics`.
            value, setting, err: as of `results.row`.
        """
        about = {"protocol": self.protocol, "data": self.data.sha256, "weights": self.weights_sha256(metric)}
        return row(metric, value, setting=setting, err=err, **about)

    def rows(self, images):
        """Rows of results: generated images' scores, and real ones' under `<metric>_of_real_images`.

        Args:
            images: uint8 [count, channels, height, width].
        """
        rows = [self.row(metric, value, err=err) for metric, (value, err) in self.judge(images).items()]
        for metric, (value, err) in self.real.items():
            of_real = self.row(metric, value, err=err) | {"quantity": f"{metric}_of_real_images"}
            rows.append(of_real | {"protocol": self._protocol(len(self.others), self.reference_of_real)})
        return rows

    def rows_over_training(self, history, metrics):
        """Rows of what the callback put into a training's history, "iteration N" their settings.

        Args:
            history: a pandas.DataFrame, as `.train` returns it.
            metrics: as of `judge`.
        """
        curves = {metric: history[metric].dropna() for metric in metrics if metric in history}
        return [self.row(metric, v, f"iteration {i + 1}") for metric, curve in curves.items() for i, v in curve.items()]

    def weights_sha256(self, metric):
        """Digest of the weights behind a metric, "" for none."""
        if metric == "frechet_pixels":
            return ""
        if metric == "classifier_score":
            return registry.file_hash(registry.locate("cifar10_resnet56"))
        return registry.file_hash(find_weights(registry.root()))
