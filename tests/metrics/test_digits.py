import json

import numpy as np
import pytest

from wgangp.data import catalogue
from wgangp.data.images import embedded_digits, mnist
from wgangp.metrics import digits
from wgangp.metrics.scores import inception_score
from wgangp.runtime import environment
from wgangp.runtime.files import read_npz


def accuracy(data):
    """Share of a data set's digits that the classifier names rightly."""
    probabilities = digits.classify(digits.load_classifier(), data.images)[1]
    return (probabilities.argmax(axis=1) == data.labels).mean()


def real_digits(split):
    """MNIST's digits; without them the test is skipped."""
    part = "test" if split == "test" else "train"
    for name in (f"mnist_{part}_images", f"mnist_{part}_labels"):
        if catalogue.find(name) is None:
            pytest.skip(f"{catalogue.get_entry(name).file} is not in {environment.data_folder()} (WGANGP_DATA)")
    return mnist(split)


def test_accuracy_on_held_out_digits_is_the_one_that_the_weights_file_states():
    stated = json.loads(str(read_npz(digits.WEIGHTS)["about"]))["held_out_accuracy"]
    assert accuracy(real_digits("validation")) == pytest.approx(stated, abs=2e-4) and stated > 0.99


def test_accuracy_on_mnist_test_digits():
    assert accuracy(real_digits("test")) >= 0.985


def test_accuracy_on_embedded_digits():
    assert accuracy(embedded_digits()) > 0.85  # other people's digits, drawn at 8x8 pixels


def test_the_weights_file_is_small():
    assert digits.WEIGHTS.stat().st_size < 1e6


def test_features_are_those_that_the_probabilities_follow_from():
    classifier, images = digits.load_classifier(), embedded_digits().images[:7]
    features, probabilities = digits.classify(classifier, images, batch_size=3)
    assert features.shape == (7, 64) and probabilities.dtype == np.float32
    logits = features @ classifier.last.weight.numpy() + classifier.last.bias.numpy()
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    np.testing.assert_allclose(probabilities, exponentials / exponentials.sum(axis=1, keepdims=True), atol=1e-6)


def test_digits_score_above_noise():
    classifier = digits.load_classifier()
    real = embedded_digits().images[:500]
    noise = np.random.default_rng(0).integers(0, 256, size=real.shape).astype("uint8")
    scores = [inception_score(digits.classify(classifier, images)[1])[0] for images in (real, noise)]
    assert scores[0] > 2 * scores[1]
