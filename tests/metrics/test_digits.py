import numpy as np
import pytest

from wgangp.data import catalogue
from wgangp.data.images import embedded_digits, mnist
from wgangp.metrics import digits
from wgangp.metrics.scores import inception_score
from wgangp.runtime import checkpoint


def test_weights_file_names_its_accuracy_and_is_small():
    about = checkpoint.read(digits.WEIGHTS)[1]
    assert about["held_out_accuracy"] >= 0.99
    assert digits.WEIGHTS.stat().st_size < 1e6


def test_accuracy_on_mnist_test_digits():
    for name in ("mnist_test_images", "mnist_test_labels"):
        if catalogue.find(name) is None:
            pytest.skip(f"{catalogue.entry(name).file} is not in {catalogue.root()} (WGANGP_DATA)")
    data = mnist("test")
    probabilities = digits.judge(digits.load_classifier(), data.images)[1]
    assert (probabilities.argmax(axis=1) == data.labels).mean() >= 0.985


def test_digits_score_above_noise():
    classifier = digits.load_classifier()
    real = embedded_digits().images[:500]
    noise = np.random.default_rng(0).integers(0, 256, size=real.shape).astype("uint8")
    features, probabilities = digits.judge(classifier, real)
    assert features.shape == (500, 64) and probabilities.sum(axis=1) == pytest.approx(np.ones(500), abs=1e-5)
    assert inception_score(probabilities)[0] > 2 * inception_score(digits.judge(classifier, noise)[1])[0]
