import hashlib
import json

import numpy as np
import pytest
from data_files import FOLDER, cifar10_test_images, needed
from test_classifier import random_arrays
from test_inception import narrow_weights, photograph

from wgangp.errors import InputError
from wgangp.metrics import image_scores
from wgangp.metrics.classifier import FILE
from wgangp.metrics.image_scores import calibrate, calibration, metric_names, score_images
from wgangp.metrics.inception import Inception
from wgangp.metrics.inception_weights import COMPLETE, PARTIAL
from wgangp.metrics.scores import frechet_distance, gaussian, inception_score, kid
from wgangp.metrics.statistics import Statistics

PARTIAL_METRICS = ("fid_768", "fid_1280", "precision_768", "recall_768")


class Calls:
    """A stand-in for Inception with small features, which counts the images it sees."""

    def __init__(self, complete):
        self.complete, self.seen = complete, 0

    check = Inception.check

    def features(self, images, names, label=None):
        self.check(names)
        for start in range(0, len(images), 7):
            batch = images[start : start + 7].reshape(-1, 3072) / 255.0
            self.seen += len(batch)
            outputs = {name: batch[:, : int(name)] for name in names if name.isdigit()}
            values = np.exp(4 * batch[:, :12])
            outputs["probabilities"] = values / values.sum(axis=1, keepdims=True)
            yield [outputs[name] for name in names]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A data folder whose weights are read as the stand-in; `folder.network` after use."""
    (tmp_path / PARTIAL).write_bytes(b"partial")
    networks = {PARTIAL: Calls(False), COMPLETE: Calls(True)}
    monkeypatch.setattr(image_scores, "load_inception", lambda path: networks[path.name])
    return tmp_path, networks


def images(n, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (n, 3, 32, 32)).astype("uint8")


def features(x, name):
    (batch,) = zip(*Calls(True).features(x, [name]))
    return np.concatenate(batch)


def test_distances_are_those_of_the_features(folder):
    folder, _ = folder
    x, y = images(30), images(40, 1) // 2
    scores = score_images(x, ["kid_768", "fid_768"], folder, real=y)
    assert list(scores) == ["kid_768", "fid_768"]
    fx, fy = features(x, "768"), features(y, "768")
    assert scores["fid_768"] == (pytest.approx(frechet_distance(gaussian(fx), gaussian(fy))), None)
    assert scores["kid_768"] == pytest.approx(kid(fx.astype("float32"), fy.astype("float32")))
    assert score_images(x, ["fid_768"], folder, real=x)["fid_768"][0] == pytest.approx(0, abs=1e-9)


def test_real_statistics_are_kept_by_content(folder):
    folder, networks = folder
    network = networks[PARTIAL]
    x, y = images(12), images(20, 1)
    first = score_images(x, ["fid_768"], folder, real=y)
    assert network.seen == 32
    assert score_images(x, ["fid_768"], folder, real=y.copy()) == first and network.seen == 44
    # Other images, other weights, a damaged file: computed afresh.
    score_images(x, ["fid_768"], folder, real=images(20, 2))
    assert network.seen == 44 + 32
    (folder / PARTIAL).write_bytes(b"other")
    score_images(x, ["fid_768"], folder, real=y)
    assert network.seen == 44 + 64
    for path in (folder / "cache").glob("real_*.npz"):
        path.write_bytes(path.read_bytes()[:1000])
    assert score_images(x, ["fid_768"], folder, real=y) == first
    assert network.seen == 44 + 96 and not list((folder / "cache").glob("*.part"))


def test_the_inception_score_needs_calibration(folder, monkeypatch):
    folder, networks = folder
    x = images(50)
    monkeypatch.setattr(image_scores, "CIFAR10_TRAIN_SHA256", hashlib.sha256(x.tobytes()).hexdigest())
    for metric in ("inception_score", "fid", "kid"):
        with pytest.raises(InputError, match="complete network"):
            score_images(x, [metric], folder, real=x)
    with pytest.raises(InputError, match="complete network"):
        calibrate(folder, x)

    (folder / COMPLETE).write_bytes(b"complete")
    with pytest.raises(InputError, match="not calibrated"):
        score_images(x, ["inception_score"], folder)
    with pytest.raises(InputError, match="calibration needs"):
        calibrate(folder, images(50, 1))
    assert networks[COMPLETE].seen == 0 and metric_names(folder) == PARTIAL_METRICS

    # A network that does not give 11.24 fails, and the record says so.
    expected = inception_score(features(x, "probabilities"))
    record = calibrate(folder, x)
    assert not record["passed"] and (record["mean"], record["std"]) == pytest.approx(expected)
    with pytest.raises(InputError, match="not calibrated"):
        score_images(x, ["inception_score"], folder)
    assert metric_names(folder) == PARTIAL_METRICS

    # One that does passes; it is measured once.
    monkeypatch.setattr(image_scores, "CALIBRATION", expected[0] + 0.05)
    next((folder / "cache").glob("calibration_*.json")).write_text("{")
    assert calibration(folder) is None
    assert calibrate(folder, x)["passed"]
    seen = networks[COMPLETE].seen
    assert calibrate(folder, x) == calibration(folder) and networks[COMPLETE].seen == seen
    assert metric_names(folder) == ("inception_score", "fid", "precision_2048", "recall_2048")
    scores = score_images(x, ["inception_score", "kid"], folder, real=x)
    assert scores["inception_score"] == pytest.approx(expected) and list(scores) == ["inception_score", "kid"]

    # Other weights need their own.
    (folder / COMPLETE).write_bytes(b"other")
    assert calibration(folder) is None and metric_names(folder) == PARTIAL_METRICS


def test_calibration_of_a_record_for_other_weights_is_not_taken(folder):
    folder, _ = folder
    sha256 = hashlib.sha256(b"partial").hexdigest()
    (folder / "cache").mkdir()
    path = folder / "cache" / f"calibration_{sha256[:16]}.json"
    path.write_text(json.dumps({"weights_sha256": "0", "passed": True}))
    assert calibration(folder) is None


def test_refusals(folder):
    folder, _ = folder
    x = images(12)
    with pytest.raises(InputError, match="metric 'FID' is unknown"):
        score_images(x, ["FID"], folder, real=x)
    with pytest.raises(InputError, match="fid_768 compare with real images"):
        score_images(x, ["fid_768"], folder)
    with pytest.raises(InputError, match="real images: float64"):
        score_images(x, ["fid_768"], folder, real=x / 255)
    with pytest.raises(InputError, match="has neither"):
        score_images(x, ["fid_768"], folder / "none", real=x)
    assert metric_names(folder / "none") == ()


def test_classifier_score(folder):
    folder, _ = folder
    np.savez(folder / FILE, **random_arrays())
    assert metric_names(folder) == (*PARTIAL_METRICS, "classifier_score")
    mean, std = score_images(images(20), ["classifier_score"], folder)["classifier_score"]
    assert 1 <= mean <= 2 and std >= 0  # 2 images in a split


class NarrowStatistics(Statistics):
    def __init__(self, total, size):
        super().__init__(total, size // 16)


def test_narrow_network_in_full(tmp_path, monkeypatch):
    # The true network's code with few channels: real against real is nearer than noise against real.
    (tmp_path / PARTIAL).write_bytes(b"narrow")
    monkeypatch.setattr(image_scores, "load_inception", lambda _: Inception(narrow_weights()))
    monkeypatch.setattr(image_scores, "Statistics", NarrowStatistics)
    real, other = (np.stack([photograph((32, 32), seed + i) for i in range(12)]) for seed in (0, 100))
    cache = tmp_path / "elsewhere"
    near, far = (score_images(x, ["fid_768"], tmp_path, real, cache)["fid_768"][0] for x in (other, images(12)))
    assert 0 < near < far and list(cache.iterdir()) and not (tmp_path / "cache").exists()


def test_real_images_against_noise(tmp_path):
    needed(PARTIAL), needed(FILE)
    rng = np.random.default_rng(0)
    real, _ = cifar10_test_images()
    noise = rng.integers(0, 256, (10, 3, 32, 32)).astype("uint8")
    # Too few images for values that mean anything; enough to tell them apart.
    near, far = (score_images(x, ["fid_768"], FOLDER, real[:10], tmp_path)["fid_768"][0] for x in (real[10:20], noise))
    assert near < far / 2
    score = score_images(real[:200], ["classifier_score"], FOLDER)["classifier_score"]
    assert score_images(np.repeat(noise, 20, axis=0), ["classifier_score"], FOLDER)["classifier_score"] < score
