import numpy as np
import pytest
from scipy.linalg import sqrtm

from wgangp.errors import InputError
from wgangp.metrics.scores import frechet_distance, gaussian, inception_score, kid, polynomial_mmd, precision_recall

RNG = np.random.default_rng


def test_inception_score_of_one_hot_and_of_constant_predictions():
    one_hot = np.eye(10)[np.tile(np.arange(10), 100)]
    assert inception_score(one_hot) == (pytest.approx(10), pytest.approx(0))
    assert inception_score(np.full((1000, 10), 0.1)) == (pytest.approx(1), pytest.approx(0))
    assert inception_score(one_hot[::2], splits=5) == (pytest.approx(5), pytest.approx(0))


def test_inception_score_uses_contiguous_splits_and_the_population_deviation():
    # First half: one class (score 1). Second half: two classes in turn (score 2).
    p = np.eye(2)[[0] * 10 + [0, 1] * 5]
    assert inception_score(p, splits=2) == (pytest.approx(1.5), pytest.approx(0.5))


def test_inception_score_against_the_definition():
    p = RNG(0).dirichlet(np.ones(7), size=103)
    scores = []
    for i in range(10):
        part = p[i * 103 // 10 : (i + 1) * 103 // 10]
        scores.append(np.exp(np.mean([sum(row * np.log(row / part.mean(0))) for row in part])))
    assert inception_score(p) == (pytest.approx(np.mean(scores)), pytest.approx(np.std(scores)))


@pytest.mark.parametrize("bad", [np.ones((5, 10)) / 10, np.ones((50, 10)), np.full((50, 10), np.nan), np.ones(50)])
def test_inception_score_refuses_what_is_not_probabilities(bad):
    with pytest.raises(InputError):
        inception_score(bad)


def random_gaussian(d, seed):
    a = RNG(seed).normal(size=(d, d))
    return RNG(seed + 1).normal(size=d), a @ a.T


def test_frechet_distance_closed_forms():
    mean, cov = random_gaussian(20, 0)
    assert frechet_distance((mean, cov), (mean, cov)) == pytest.approx(0, abs=1e-9)
    shift = RNG(5).normal(size=20)
    assert frechet_distance((mean, cov), (mean + shift, cov)) == pytest.approx(shift @ shift)
    # C2 = 9 C1: tr (C1 + 9 C1 - 2 * 3 C1) = 4 tr C1
    assert frechet_distance((mean, cov), (mean, 9 * cov)) == pytest.approx(4 * np.trace(cov))
    # One dimension: (m1 - m2)^2 + (s1 - s2)^2
    assert frechet_distance(([1.0], [[4.0]]), ([4.0], [[25.0]])) == pytest.approx(9 + 9)


def test_frechet_distance_against_sqrtm():
    (mean_a, cov_a), (mean_b, cov_b) = random_gaussian(30, 0), random_gaussian(30, 10)
    cross = np.trace(sqrtm(cov_a @ cov_b)).real
    expected = ((mean_a - mean_b) ** 2).sum() + np.trace(cov_a + cov_b) - 2 * cross
    assert frechet_distance((mean_a, cov_a), (mean_b, cov_b)) == pytest.approx(expected)
    assert frechet_distance((mean_b, cov_b), (mean_a, cov_a)) == pytest.approx(expected)


def test_frechet_distance_of_singular_covariances():
    # 40 samples in 100 dimensions: both covariances have rank 39.
    x = RNG(0).normal(size=(40, 100))
    assert frechet_distance(gaussian(x), gaussian(x)) == pytest.approx(0, abs=1e-9)
    assert frechet_distance(gaussian(x), gaussian(x + 1)) == pytest.approx(100)
    # Orthogonal supports: the product is zero.
    a, b = np.diag([1.0, 2, 0, 0]), np.diag([0, 0, 3.0, 4])
    assert frechet_distance((np.zeros(4), a), (np.zeros(4), b)) == pytest.approx(10)


def test_frechet_distance_of_samples_approaches_that_of_their_laws():
    a, b = random_gaussian(4, 0), random_gaussian(4, 10)
    x, y = (RNG(i).multivariate_normal(*law, size=100_000) for i, law in enumerate((a, b)))
    assert frechet_distance(gaussian(x), gaussian(y)) == pytest.approx(frechet_distance(a, b), rel=0.02)


def test_frechet_distance_refuses_other_sizes_and_nan():
    with pytest.raises(InputError, match="dimensions"):
        frechet_distance(random_gaussian(3, 0), random_gaussian(4, 0))
    with pytest.raises(InputError, match="finite"):
        frechet_distance(([0.0], [[np.nan]]), ([0.0], [[1.0]]))


def test_frechet_distance_of_features_themselves_is_refused():
    features = RNG(0).normal(size=(50, 4))
    with pytest.raises(InputError, match=r"such as gaussian\(features\)"):
        frechet_distance(features, features)


def test_polynomial_mmd_against_its_double_sum():
    x, y = RNG(0).normal(size=(5, 3)), RNG(1).normal(size=(4, 3)) + 1

    def k(a, b):
        return (a @ b / 3 + 1) ** 3

    within_x = np.mean([k(x[i], x[j]) for i in range(5) for j in range(5) if i != j])
    within_y = np.mean([k(y[i], y[j]) for i in range(4) for j in range(4) if i != j])
    between = np.mean([k(a, b) for a in x for b in y])
    assert polynomial_mmd(x, y) == pytest.approx(within_x + within_y - 2 * between)


def test_polynomial_mmd_is_unbiased():
    # d = 1, x ~ N(0, 1), y ~ N(m, 1): E (xy + 1)^3 = 1 + 3 E x E y + 3 E x^2 E y^2 + E x^3 E y^3.
    def kernel_mean(a, b):
        (a1, a2, a3), (b1, b2, b3) = ((m, m**2 + 1, m**3 + 3 * m) for m in (a, b))
        return 1 + 3 * a1 * b1 + 3 * a2 * b2 + a3 * b3

    m = 0.7
    expected = kernel_mean(0, 0) + kernel_mean(m, m) - 2 * kernel_mean(0, m)
    rng = RNG(0)
    for shift, exact in ((0, 0), (m, expected)):
        values = [polynomial_mmd(rng.normal(size=(5, 1)), rng.normal(size=(5, 1)) + shift) for _ in range(20_000)]
        assert np.mean(values) == pytest.approx(exact, abs=4 * np.std(values) / np.sqrt(len(values)))


def test_kid_grows_with_the_distance():
    rng = RNG(0)
    x, y = rng.normal(size=(600, 8)), rng.normal(size=(500, 8))
    values = [kid(x, y + shift, subsets=20)[0] for shift in (0, 0.5, 1)]
    assert abs(values[0]) < 0.05 and values[0] < values[1] < values[2]
    assert kid(x, y, subsets=5) == kid(x, y, subsets=5)
    with pytest.raises(InputError):
        kid(x, y[:, :4])


def test_the_fewest_samples_that_are_enough():
    x, y = RNG(0).normal(size=(4, 3)), RNG(1).normal(size=(4, 3))
    mean, covariance = gaussian(x[:2])
    assert covariance == pytest.approx(np.outer(x[0] - x[1], x[0] - x[1]) / 2) and mean == pytest.approx(x[:2].mean(0))
    assert np.isfinite(kid(x, y)).all()
    with pytest.raises(InputError, match=r"features are \[3, 3\] and \[4, 3\]; give .* n, m >= 4"):
        kid(x[:3], y)
    assert np.isfinite(polynomial_mmd(x[:2], y[:2]))
    with pytest.raises(InputError, match="n, m >= 2"):
        polynomial_mmd(x[:1], y)


def test_precision_and_recall_against_the_definition():
    generated, real = RNG(0).normal(size=(70, 3)), RNG(1).normal(size=(90, 3)) * 1.5

    def share(samples, manifold):  # by loops, from the equations
        inside = 0
        for sample in samples:
            for i, center in enumerate(manifold):
                radius = sorted(np.linalg.norm(np.delete(manifold, i, 0) - center, axis=1))[2]
                if np.linalg.norm(sample - center) <= radius:
                    inside += 1
                    break
        return inside / len(samples)

    assert precision_recall(generated, real) == (share(generated, real), share(real, generated))


@pytest.mark.parametrize("dimensions", [2, 8, 300])
def test_precision_and_recall_of_points_that_repeat_do_not_depend_on_their_order(dimensions):
    points = np.repeat(RNG(0).normal(size=(30, dimensions)), 5, axis=0)  # the radii are 0
    for order in (slice(None), slice(None, None, -1), RNG(1).permutation(len(points))):
        assert precision_recall(points, points[order]) == (1, 1)
        assert precision_recall(points, points[order] + 1) == (0, 0)
    assert precision_recall(np.full((10, dimensions), 0.1), np.full((12, dimensions), 0.1)) == (1, 1)


def test_precision_and_recall_do_not_depend_on_where_the_origin_is():
    generated, real = RNG(0).normal(size=(200, 5)), RNG(1).normal(size=(200, 5))
    at_origin = precision_recall(generated, real)
    assert at_origin[0] < 1
    assert precision_recall(1e4 + 1e-4 * generated, 1e4 + 1e-4 * real) == at_origin


@pytest.mark.parametrize("k", [0, -1, 1.5, "3"])
def test_numbers_of_neighbours_that_are_none_are_refused(k):
    with pytest.raises(InputError, match="k is"):
        precision_recall(np.zeros((50, 4)), np.zeros((50, 4)), k=k)


def test_precision_sees_quality_and_recall_diversity():
    real = RNG(0).normal(size=(500, 8))
    assert precision_recall(real, real) == (1, 1)
    narrow = precision_recall(RNG(1).normal(size=(500, 8)) * 0.1, real)
    wide = precision_recall(RNG(1).normal(size=(500, 8)) * 10, real)
    assert narrow[0] == 1 and narrow[1] < 0.1
    assert wide[0] < 0.1 < wide[1]
    assert precision_recall(real + 100, real) == (0, 0)


@pytest.mark.parametrize("bad", [np.zeros((3, 4)), np.zeros((50, 5)), np.full((50, 4), np.nan)])
def test_precision_and_recall_refuse(bad):
    with pytest.raises(InputError, match="features are"):
        precision_recall(bad, np.zeros((50, 4)))
