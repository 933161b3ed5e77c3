import numpy as np
import pytest

from wgangp.errors import InputError
from wgangp.metrics.pixels import PIXEL_METRICS, frechet_pixels, pixel_features, precision_recall_pixels, score_pixels


def test_pixel_distance_of_a_shift_is_its_squared_length():
    images = np.random.default_rng(0).integers(0, 200, size=(400, 3, 16, 16)).astype("uint8")
    assert frechet_pixels(images, images) == pytest.approx(0, abs=1e-6)
    assert frechet_pixels(images + np.uint8(5), images) == pytest.approx(192 * 25, rel=1e-6)


@pytest.mark.parametrize(
    "images", [np.zeros((4, 3, 12, 8), "uint8"), np.zeros((4, 3, 8, 12), "uint8"), np.zeros((3, 8, 8), "uint8")]
)
def test_images_of_other_shapes_are_refused(images):
    with pytest.raises(InputError, match="sides multiples of 8"):
        pixel_features(images)


def test_pixel_features_are_averages_of_blocks():
    images = np.random.default_rng(0).integers(0, 256, (2, 3, 8, 16)).astype("uint8")
    expected = (images[..., ::2].astype("float64") + images[..., 1::2]) / 2
    assert (pixel_features(images) == expected.reshape(2, -1)).all()


def test_pixel_recall_is_the_share_of_averages_within_the_others_neighbourhoods():
    rng = np.random.default_rng(0)
    images, real = (rng.integers(0, 256, size=(n, 3, 16, 24)).astype("uint8") for n in (40, 50))

    def averages(x):
        blocks = [x[:, :, 2 * i : 2 * i + 2, 3 * j : 3 * j + 3].mean(axis=(2, 3)) for i in range(8) for j in range(8)]
        return np.stack(blocks, axis=1).reshape(len(x), -1)

    def share(samples, manifold):
        between = np.linalg.norm(manifold[:, None] - manifold, axis=2)
        radii = np.sort(between, axis=1)[:, 3]  # the third nearest of the others; itself is at 0
        return (np.linalg.norm(samples[:, None] - manifold, axis=2) <= radii).any(axis=1).mean()

    ours, theirs = averages(images), averages(real)
    expected = share(ours, theirs), share(theirs, ours)
    assert precision_recall_pixels(images, real) == pytest.approx(expected, abs=1e-12)
    assert 0 < expected[1] < 1


def test_scores_are_of_the_metrics_that_are_asked_for_in_their_order():
    rng = np.random.default_rng(0)
    images, real = (rng.integers(0, 256, size=(20, 3, 16, 16)).astype("uint8") for _ in range(2))
    precision, recall = precision_recall_pixels(images, real)
    expected = {
        "recall_pixels": (recall, None),
        "frechet_pixels": (frechet_pixels(images, real), None),
        "precision_pixels": (precision, None),
    }
    for metrics in (list(expected), *([metric] for metric in PIXEL_METRICS)):
        scores = score_pixels(images, metrics, real)
        assert scores == {metric: expected[metric] for metric in metrics} and list(scores) == metrics
