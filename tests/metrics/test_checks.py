"""Every measure refuses what is no real, finite number, and its like."""

import numpy as np
import paddle
import pytest

from wgangp.data.toy import Toy
from wgangp.errors import InputError
from wgangp.metrics import fields, ngram, scores, toy
from wgangp.metrics.checks import finite, real_numbers
from wgangp.metrics.images import check_images
from wgangp.metrics.pixels import frechet_pixels, pixel_features, precision_recall_pixels
from wgangp.networks.toy import MLP

RNG = np.random.default_rng(0)
POINTS, FEATURES = RNG.normal(size=(500, 2)), RNG.normal(size=(50, 4))
PROBABILITIES, FIELDS = RNG.dirichlet(np.ones(5), size=50), RNG.normal(size=(3, 1, 8, 8))
IMAGES = RNG.integers(0, 256, (20, 3, 16, 16)).astype("uint8")
CODES = RNG.integers(0, 9, (10, 6)).astype("uint8")
CENTERS, COVARIANCE = Toy("8gaussians").centers, np.cov(FEATURES, rowvar=False)
CRITIC = MLP([2, 5, 1])

MEASURES = {
    "exact_w1, first": (lambda x: toy.exact_w1(x, POINTS), POINTS),
    "exact_w1, second": (lambda x: toy.exact_w1(POINTS, x), POINTS),
    "optimal_critic": (lambda x: toy.optimal_critic(POINTS, x), POINTS),
    "explained_share, critic": (lambda x: toy.explained_share(x, POINTS[:, 0]), POINTS[:, 0]),
    "explained_share, optimal": (lambda x: toy.explained_share(POINTS[:, 0], x), POINTS[:, 0]),
    "optimal_surface, points": (lambda x: toy.optimal_surface(x, POINTS[:, 0], 1, 5), POINTS),
    "optimal_surface, values": (lambda x: toy.optimal_surface(POINTS, x, 1, 5), POINTS[:, 0]),
    "mode_coverage": (lambda x: toy.mode_coverage(x, CENTERS, 0.1), POINTS),
    "layer_gradient_norms, real": (lambda x: toy.layer_gradient_norms(CRITIC, x, POINTS), POINTS),
    "layer_gradient_norms, generated": (lambda x: toy.layer_gradient_norms(CRITIC, POINTS, x), POINTS),
    "share_at_bounds": (lambda x: toy.share_at_bounds(x, 0.1), POINTS),
    "inception_score": (scores.inception_score, PROBABILITIES),
    "gaussian": (scores.gaussian, FEATURES),
    "frechet_distance, mean": (lambda x: scores.frechet_distance((x, COVARIANCE), (x, COVARIANCE)), FEATURES[0]),
    "frechet_distance, covariance": (lambda x: scores.frechet_distance((FEATURES[0], x), (FEATURES[0], x)), COVARIANCE),
    "polynomial_mmd": (lambda x: scores.polynomial_mmd(x, FEATURES), FEATURES),
    "kid": (lambda x: scores.kid(FEATURES, x, subsets=2), FEATURES),
    "precision_recall": (lambda x: scores.precision_recall(x, FEATURES), FEATURES),
    "radial_spectrum": (fields.radial_spectrum, FIELDS),
    "two_point_correlation": (fields.two_point_correlation, FIELDS),
    "conductivities": (fields.conductivities, FIELDS),
    "effective_conductivity": (fields.effective_conductivity, np.exp(FIELDS[0, 0])),
    "compare_fields": (lambda x: fields.compare_fields(FIELDS, x), FIELDS),
    "spectrum_ratio": (lambda x: fields.spectrum_ratio(x, FIELDS), FIELDS),
    "NGrams": (lambda x: ngram.NGrams(x, 2), CODES),
    "unigram_samples": (lambda x: ngram.unigram_samples(x, 5, 0), CODES),
    "check_images": (check_images, IMAGES),
    "frechet_pixels": (lambda x: frechet_pixels(x, IMAGES), IMAGES),
    "pixel_features": (pixel_features, IMAGES),
    "precision_recall_pixels": (lambda x: precision_recall_pixels(IMAGES, x), IMAGES),
}


def with_value(array, value):
    array = array.astype("float64")
    array[(-1,) * array.ndim] = value
    return array


BAD = {
    "NaN": lambda x: with_value(x, np.nan),
    "infinite": lambda x: with_value(x, -np.inf),
    "too large to square": lambda x: with_value(x, 1e200),
    "complex": lambda x: x + 0j,
    "objects": lambda x: x.astype(object),
    "strings": lambda x: x.astype(str),
    "empty": lambda x: x[:0],
    "another shape": lambda x: x[None, ..., None],
}
ANY_SHAPE = ("explained_share, critic", "explained_share, optimal", "share_at_bounds")
CASES = [(measure, bad) for measure in MEASURES for bad in BAD if bad != "another shape" or measure not in ANY_SHAPE]


@pytest.mark.parametrize("measure, bad", CASES)
def test_what_cannot_be_measured_is_refused_in_one_sentence(measure, bad):
    function, good = MEASURES[measure]
    with pytest.raises(InputError) as caught:
        function(BAD[bad](good))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("measure", MEASURES)
def test_what_can_be_measured_is(measure):
    function, good = MEASURES[measure]
    function(good)


def test_the_shift_that_one_nan_hid():
    moved = POINTS + 5
    assert toy.exact_w1(moved, POINTS) == pytest.approx(np.hypot(5, 5))
    moved[123, 1] = np.nan
    with pytest.raises(InputError, match=r"points are not finite: .* in 1 of 1000 places, the first at \[123, 1\]"):
        toy.exact_w1(moved, POINTS)


def test_transport_that_did_not_converge_is_no_distance(monkeypatch):
    monkeypatch.setattr(toy, "MOST_STEPS", 3)
    with pytest.raises(InputError, match="the exact transport of 500 to 500 points was not found .*numItermax"):
        toy.exact_w1(POINTS, POINTS + 1)


def test_too_many_points_for_the_memory_are_refused():
    many = np.zeros((20_000, 2))
    with pytest.raises(InputError, match="too many for exact transport"):
        toy.exact_w1(many, many)


def test_points_of_other_dimensions_are_refused():
    with pytest.raises(InputError, match=r"points are float64 \[500, 3\]; give \[m, 2\]"):
        toy.exact_w1(POINTS, np.ones((500, 3)))


def test_masked_ragged_and_short_floats():
    masked = np.ma.masked_greater(POINTS, 1)
    for bad, words in ((masked, "are a masked array"), ([[1, 2], [3]], "are not an array"), ([[True]], "are bool")):
        with pytest.raises(InputError, match=f"points {words}"):
            finite(bad, "points")
    short = paddle.to_tensor([[0.5, -2.0]]).astype("bfloat16")
    assert finite(short, "points").tolist() == [[0.5, -2.0]]
    assert real_numbers([[1, 2]], "points", "[n, 2]").dtype == np.int64


def test_most_likely_characters_of_nan_are_refused():
    good = RNG.dirichlet(np.ones(7), size=(4, 3))
    assert (ngram.most_likely(good) == good.argmax(axis=2)).all()
    for bad in (with_value(good, np.nan), good[0], np.zeros((2, 3, 300))):
        with pytest.raises(InputError, match="probabilities of characters"):
            ngram.most_likely(bad)


def test_ngrams_of_other_lengths_are_not_compared():
    with pytest.raises(InputError, match="2-grams cannot be compared with 3-grams"):
        ngram.js_divergence(ngram.NGrams(CODES, 2), ngram.NGrams(CODES, 3))
    for n in (0, 7, 9):
        with pytest.raises(InputError, match="cannot be counted"):
            ngram.NGrams(CODES, n)


@pytest.mark.parametrize("splits", [0, -1, 2.5, 51])
def test_splits_out_of_range_are_refused(splits):
    with pytest.raises(InputError, match="50 samples cannot be scored|splits is"):
        scores.inception_score(PROBABILITIES, splits)


def test_one_sample_has_no_covariance():
    with pytest.raises(InputError, match="at least 2"):
        scores.gaussian(FEATURES[:1])


def test_images_with_their_channels_last_are_reported():
    with pytest.raises(InputError, match=r"\[20, 16, 16, 3\]; give uint8 \[n, 3, height, width\]: put the channels"):
        check_images(IMAGES.transpose(0, 2, 3, 1))
