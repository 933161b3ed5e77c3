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

    With complete, calibrated Inception weights: inception_score and fid. With the partial ones: fid_768
    (and classifier_score for CIFAR-10). Without, or for embedded images: frechet_pixels. None of the
    latter carries the paper's name, and each is reported beside the same figure for real images.

    Args:
        data: the real images, an `Images`.
        count: generated images per judgement.
        reference: real images that distances are taken to, drawn once; with `count` at most as many as
            there are.
    """

    def __init__(self, data, count, reference):
        order = np.random.default_rng(0).permutation(len(data.images))
        self.data, self.count = data, min(count, len(data.images) // 2)
        self.others = data.images[np.sort(order[: self.count])]
        self.reference = data.images[np.sort(order[self.count : self.count + reference])]
        known = () if data.name == "embedded" else metric_names(registry.root())
        known = [name for name in known if name != "fid_1280"]
        if data.name != "cifar10":
            known = [name for name in known if name in ("fid", "fid_768")]
        self.metrics = known or ["frechet_pixels"]

    @property
    def cheap(self):
        """Those of the metrics that do not need the Inception network, else all."""
        return [name for name in self.metrics if name in ("classifier_score", "frechet_pixels")] or self.metrics

    @property
    def protocol(self):
        """How, for the rows."""
        text = f"{self.count} images"
        if any(name.startswith(("fid", "frechet")) for name in self.metrics):
            text += f" against {len(self.reference)} real ones"
        return f"{text}; dataset={self.data.name}"

    def judge(self, images, metrics=None):
        """Score images.

        Args:
            images: uint8 [count, channels, height, width].
            metrics: only these; all of `self.metrics` when None.

        Returns:
            {metric: (value, standard deviation over splits or None)}.
        """
        metrics = self.metrics if metrics is None else metrics
        if "frechet_pixels" in metrics:
            return {"frechet_pixels": (frechet_pixels(images, self.reference), None)}
        return score_images(images, metrics, registry.root(), real=self.reference)

    @cached_property
    def real(self):
        """The same figures for as many real images, apart from the reference; kept for other runs."""
        weights = [self.weights_sha256(name) for name in self.metrics]
        identity = [self.data.sha256, self.count, len(self.reference), self.metrics, weights]
        digest = hashlib.sha256(json.dumps(identity).encode()).hexdigest()[:32]
        kept = output_root() / "runs" / "real" / f"{digest}.json"
        if not kept.exists():
            with replacing(kept) as file:
                file.write(json.dumps(self.judge(self.others)).encode())
        return {name: tuple(score) for name, score in json.loads(kept.read_text()).items()}

    def callback(self, every, scaling, metrics=None):
        """A callback of `.train` that judges the generator every so many iterations.

        Args:
            every: iterations.
            scaling: of the generator's samples, as in `wgangp.data.batches.scale`.
            metrics: as of `judge`.
        """

        def judge(gan, iteration, record):
            images = to_bytes(gan.generate(self.count, seed=iteration), scaling)
            record |= {name: value for name, (value, _) in self.judge(images, metrics).items()}

        judge.every = every
        return judge

    def rows(self, images, setting=None):
        """Rows of results: generated images' scores, and real ones' under `<metric>_of_real_images`.

        Args:
            images: uint8 [count, channels, height, width].
            setting: as of `results.row`.
        """
        rows = []
        for suffix, scores in (("", self.judge(images)), ("_of_real_images", self.real)):
            for metric, (value, err) in scores.items():
                about = {"protocol": self.protocol, "data": self.data.sha256, "weights": self.weights_sha256(metric)}
                rows.append(row(metric + suffix, value, setting=setting, err=err, **about))
        return rows

    def weights_sha256(self, metric):
        """Digest of the weights behind a metric, "" for none."""
        if metric == "frechet_pixels":
            return ""
        if metric == "classifier_score":
            return registry.file_hash(registry.locate("cifar10_resnet56"))
        return registry.file_hash(find_weights(registry.root()))
