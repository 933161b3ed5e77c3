"""Scores of images: which are available, under which name, and `score_images`, which computes them."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from wgangp.data.download import file_hash
from wgangp.errors import InputError
from wgangp.metrics import classifier
from wgangp.metrics.images import check_images
from wgangp.metrics.inception import load_inception
from wgangp.metrics.inception_weights import COMPLETE, find_weights
from wgangp.metrics.scores import frechet_distance, inception_score, kid, precision_recall
from wgangp.metrics.statistics import Statistics
from wgangp.runtime.files import array_sha256, locked, replacing

Score = tuple[float, float | None]  # value, and standard deviation over splits or subsets where there are any

FRECHET = {"fid_768": "768", "fid_1280": "1280", "fid": "2048"}
KERNEL = {"kid_768": "768", "kid_1280": "1280", "kid": "2048"}
PRECISION_RECALL = {f"{name}_{size}": size for name in ("precision", "recall") for size in ("768", "1280", "2048")}
METRICS = (*FRECHET, *KERNEL, *PRECISION_RECALL, "inception_score", "classifier_score")

# Score of the real CIFAR-10 training images by the right network (pytorch-fid's weights: 11.2368, std 0.0951).
CALIBRATION, TOLERANCE = 11.24, 0.10
CIFAR10_TRAIN_SHA256 = "9d5c2eddadb0deff02c14c350c0385aab7b1d5ff1edfeb4997c8dc8644960111"


def calibrate(
    folder: Path | str, cifar10_train: np.ndarray, cache: Path | str | None = None, label: str | None = None
) -> dict:
    """Check the Inception weights: the real CIFAR-10 training images must have an Inception score of 11.24 +- 0.10.

    It is measured once for each weights file and then read from `cache`.

    Args:
        folder: the data folder, with the complete weights.
        cifar10_train: the 50,000 images in the publishers' order, uint8 [50000, 3, 32, 32].
        cache: folder of the record; `folder`/cache by default.
        label: of the progress that is shown; None shows none.

    Returns:
        The record: weights_sha256, mean, std, passed.

    Raises:
        InputError: the images are others, or the weights are missing or partial.
    """
    path = find_weights(folder)
    if (record := calibration(folder, cache)) is not None:
        return record
    network = load_inception(path)
    network.check(["probabilities"])
    check_images(cifar10_train, "cifar10_train")
    if array_sha256(cifar10_train) != CIFAR10_TRAIN_SHA256:
        raise InputError("calibration needs CIFAR-10's 50,000 training images in the publishers' order, unchanged.")
    batches = network.features(cifar10_train, ["probabilities"], label=label)
    mean, std = inception_score(np.concatenate([batch for (batch,) in batches]))
    record = {
        "weights_sha256": file_hash(path),
        "mean": mean,
        "std": std,
        "passed": abs(mean - CALIBRATION) <= TOLERANCE,
    }
    with replacing(_record_path(folder, cache, record["weights_sha256"])) as file:
        file.write(json.dumps(record, indent=1).encode())
    return record


def calibration(folder: Path | str, cache: Path | str | None = None) -> dict | None:
    """The record that `calibrate` made for the weights in a data folder; None if there is none.

    Args:
        folder, cache: as for `calibrate`.

    Raises:
        InputError: there are no weights.
    """
    sha256 = file_hash(find_weights(folder))
    try:
        record = json.loads(_record_path(folder, cache, sha256).read_text())
        return record if record["weights_sha256"] == sha256 and type(record["passed"]) is bool else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _record_path(folder, cache, sha256):
    return _cache(folder, cache) / f"calibration_{sha256[:16]}.json"


def _cache(folder, cache):
    return Path(folder) / "cache" if cache is None else Path(cache)


def metric_names(folder: Path | str, cache: Path | str | None = None) -> tuple[str, ...]:
    """The metrics that an experiment reports with the weights in a data folder.

    Args:
        folder, cache: as for `calibrate`.

    Returns:
        ("inception_score", "fid", "precision_2048", "recall_2048") with complete, calibrated weights; otherwise those
        of fid_768, fid_1280, precision_768, recall_768 and classifier_score whose weights exist, which may be none.
    """
    folder = Path(folder)
    if (folder / COMPLETE).exists() and (calibration(folder, cache) or {}).get("passed"):
        return ("inception_score", "fid", "precision_2048", "recall_2048")
    names = []
    try:
        find_weights(folder)
        names += ["fid_768", "fid_1280", "precision_768", "recall_768"]
    except InputError:
        pass
    if (folder / classifier.FILE).exists():
        names.append("classifier_score")
    return tuple(names)


def check_metrics(metrics: Sequence[str], known: Sequence[str]) -> None:
    """Refuse unknown metrics.

    Args:
        metrics: names.
        known: those that there are.

    Raises:
        InputError: one is not known.
    """
    for metric in metrics:
        if metric not in known:
            raise InputError(f"metric '{metric}' is unknown; use one of {', '.join(known)}.")


def score_images(
    images: np.ndarray,
    metrics: Sequence[str],
    folder: Path | str,
    real: np.ndarray | None = None,
    cache: Path | str | None = None,
    label: str | None = None,
) -> dict[str, Score]:
    """Score images; Fréchet and kernel distances are those from real images.

    Every metric depends on the number of images, so compare only scores of the same number. Peak memory is below 2 GB
    for 50,000 images of 32 x 32 pixels.

    Args:
        images: uint8 [n, 3, height, width], 0..255; at least 10 for the scores, 2 for Fréchet and 4 for
            kernel distances, precision and recall.
        metrics: of METRICS: Fréchet (fid) and kernel (kid) distances, precision and recall by the features of mixed_7
            (768), mixed_8 (1280) or pool3 (2048 or no number), inception_score, classifier_score (32 x 32 images).
            Kernel distances, precision and recall use 5,000 evenly spaced images of each side at most.
        folder: the data folder, with the weights.
        real: real images, uint8 [m, 3, height, width], for distances; their statistics are kept in `cache`
            under a digest of the images and weights.
        cache: folder; `folder`/cache by default.
        label: of the progress that is shown; None shows none.

    Returns:
        {metric: (value, standard deviation over splits or subsets, or None)}.

    Raises:
        InputError: a metric is unknown, the images are not images, weights are missing or partial, real images are
            missing for a distance, or the weights of an Inception score have not passed the calibration.
    """
    check_images(images)
    check_metrics(metrics, METRICS)
    scores = {}
    if "classifier_score" in metrics:
        network = classifier.CifarClassifier(Path(folder) / classifier.FILE)
        scores["classifier_score"] = inception_score(network.probabilities(images, label))

    to_real = FRECHET | KERNEL | PRECISION_RECALL
    distances = {metric: to_real[metric] for metric in metrics if metric in to_real}
    names = sorted(set(distances.values()), key=int)
    wants_score = "inception_score" in metrics
    if names or wants_score:
        path = find_weights(folder)
        network = load_inception(path)
        network.check(names + ["probabilities"] * wants_score)
    if wants_score and not (calibration(folder, cache) or {}).get("passed"):
        raise InputError(
            f"{path} is not calibrated, so its score may not be called inception_score: the real CIFAR-10 "
            f"training images must score {CALIBRATION} +- {TOLERANCE} first (wgangp.metrics.image_scores.calibrate)."
        )
    if names:
        if real is None:
            raise InputError(f"{', '.join(distances)} compare with real images; give some.")
        check_images(real, "real images")
        real_statistics = _real_statistics(network, names, real, path, _cache(folder, cache), label)
    if names or wants_score:
        statistics, probabilities = _statistics(network, names, wants_score, images, label)
    if wants_score:
        scores["inception_score"] = inception_score(probabilities)
    for metric, name in distances.items():
        ours, theirs = statistics[name], real_statistics[name]
        if metric in FRECHET:
            scores[metric] = frechet_distance(ours.gaussian(), theirs.gaussian()), None
        elif metric in KERNEL:
            scores[metric] = kid(ours.sample, theirs.sample)
    for name in {name for metric, name in distances.items() if metric in PRECISION_RECALL}:
        precision, recall = precision_recall(statistics[name].sample, real_statistics[name].sample)
        scores |= {f"precision_{name}": (precision, None), f"recall_{name}": (recall, None)}
    return {metric: scores[metric] for metric in metrics}


def _statistics(network, names, wants_score, images, label):
    """The statistics of each named feature, and the probabilities if a score is wanted, computed together."""
    statistics = {name: Statistics(len(images), int(name)) for name in names}
    probabilities = []
    for batch in network.features(images, names + ["probabilities"] * wants_score, label=label):
        if wants_score:
            probabilities.append(batch.pop())
        for name, features in zip(names, batch):
            statistics[name].update(features)
    return statistics, np.concatenate(probabilities) if wants_score else None


def _real_statistics(network, names, real, path, cache, label):
    """The statistics of real images, from the cache if they are in it."""
    key = hashlib.sha256(f"{array_sha256(real)} {list(real.shape)} {file_hash(path)}".encode()).hexdigest()
    files = {name: cache / f"real_{name}_{key[:32]}.npz" for name in names}
    statistics = {}
    with locked(cache / f"real_{key[:32]}.lock"):  # another process may be computing the same
        for name, file in files.items():
            try:
                statistics[name] = Statistics.read(file)
            except InputError:  # missing or damaged
                pass
        if missing := [name for name in names if name not in statistics]:
            computed, _ = _statistics(network, missing, False, real, label and f"{label}, real images")
            for name in missing:
                computed[name].write(files[name])
            statistics |= computed
    return statistics
