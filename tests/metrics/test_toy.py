import numpy as np
import paddle
import pytest
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

from wgangp.data.toy import Toy
from wgangp.metrics.toy import (
    exact_w1,
    explained_share,
    layer_gradient_norms,
    mode_coverage,
    optimal_critic,
    optimal_surface,
    share_at_bounds,
    value_surface,
)
from wgangp.networks.toy import MLP, toy_critic


def test_exact_w1_against_the_assignment_problem():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(150, 2)), rng.normal(size=(150, 2)) * 2 + 1
    cost = cdist(x, y)
    assert exact_w1(x, y) == pytest.approx(cost[linear_sum_assignment(cost)].mean(), rel=1e-9)


def test_exact_w1_of_a_shift_is_its_length():
    x = np.random.default_rng(0).normal(size=(100, 2))
    assert exact_w1(x, x + [3, 4]) == pytest.approx(5)
    assert exact_w1(x, x) == pytest.approx(0, abs=1e-12)


def test_optimal_critic_attains_the_distance_within_its_constraints():
    rng = np.random.default_rng(0)
    real, fake = rng.normal(size=(90, 2)), rng.normal(size=(120, 2)) * 2 + 1
    distance, of_real, of_fake = optimal_critic(real, fake)
    assert of_real.mean() - of_fake.mean() == pytest.approx(distance, rel=1e-9)  # Eq. 2 at its maximum
    assert (of_real[:, None] - of_fake <= cdist(real, fake) + 1e-9).all()


def test_optimal_surface_is_lipschitz_and_as_good():
    rng = np.random.default_rng(1)
    fake = rng.uniform(-1, 1, (60, 2))
    real = np.stack(np.meshgrid(*[np.linspace(-1, 1, 21)] * 2), axis=-1).reshape(-1, 2)  # the window's own grid
    distance, _, of_fake = optimal_critic(real, fake)
    surface = optimal_surface(fake, of_fake, 1, 21)
    steps = np.abs(np.concatenate([np.diff(surface, axis=i).ravel() for i in (0, 1)]))
    assert steps.max() <= 0.1 + 1e-6
    at_fake = (cdist(fake, fake) + of_fake).min(axis=1)
    assert surface.mean() - at_fake.mean() == pytest.approx(distance, abs=1e-5)


def test_explained_share_is_r_squared_of_the_affine_fit():
    rng = np.random.default_rng(0)
    optimal = rng.normal(size=500)
    critic = 3 * optimal + rng.normal(size=500)
    slope, intercept = np.polyfit(critic, optimal, 1)
    residual = optimal - (slope * critic + intercept)
    assert explained_share(critic, optimal) == pytest.approx(1 - residual.var() / optimal.var())
    assert explained_share(7 * optimal - 2, optimal) == pytest.approx(1)
    assert explained_share(-optimal, optimal) == explained_share(np.ones(500), optimal) == 0


def test_modes_of_real_and_of_collapsed_samples():
    data = Toy("8gaussians")
    real = data.sample(4000, np.random.default_rng(0))
    assert mode_coverage(real, data.centers, data.std) == (8, pytest.approx(1, abs=2e-3))  # P(4 sigma) = 0.99966
    two = real[np.linalg.norm(real[:, None] - data.centers, axis=2).argmin(axis=1) < 2]
    assert mode_coverage(two, data.centers, data.std)[0] == 2
    far = real + 1.0
    assert mode_coverage(far, data.centers, data.std) == (0, 0)
    # A mode that gets less than a tenth of its share is not found.
    few = np.concatenate([np.repeat(data.centers[:7], 1000, axis=0), np.repeat(data.centers[7:], 50, axis=0)])
    assert mode_coverage(few, data.centers, data.std)[0] == 7


def test_few_samples_find_the_modes_that_they_are_near():
    centers = Toy("8gaussians").centers
    assert mode_coverage(centers, centers, 0.01) == (8, 1)
    assert mode_coverage(np.concatenate([centers[:3], centers[:3] + 0.3]), centers, 0.01) == (3, 0.5)


def test_layer_gradient_norms_against_central_differences():
    paddle.seed(1)
    critic = MLP([2, 5, 4, 1])
    rng = np.random.default_rng(0)
    real, fake = rng.normal(size=(2, 6, 2))
    measured = layer_gradient_norms(critic, real, fake)
    weights = [(layer.weight.numpy().astype("float64"), layer.bias.numpy()) for layer in critic.linears]

    def loss_from(layer, activation):  # the rest of the network, in numpy
        for i, (w, b) in enumerate(weights[layer:], layer):
            activation = activation @ w + b
            if i < 2:
                activation = np.maximum(activation, 0)
        return activation[6:].mean() - activation[:6].mean()

    activation = np.concatenate([real, fake])
    for layer in range(1, 4):
        w, b = weights[layer - 1]
        activation = activation @ w + b
        if layer < 3:
            activation = np.maximum(activation, 0)
        gradient = np.zeros_like(activation)
        for i in np.ndindex(*activation.shape):
            for sign in (1, -1):
                moved = activation.copy()
                moved[i] += sign * 1e-6
                gradient[i] += sign * loss_from(layer, moved) / 2e-6
        assert measured[layer - 1] == pytest.approx(np.linalg.norm(gradient, axis=1).mean(), rel=1e-5)
    assert measured[-1] == pytest.approx(1 / 6)


def test_tiny_norms_do_not_underflow():
    critic = toy_critic(16, 12)
    for linear in critic.linears:
        linear.weight.set_value(np.full(linear.weight.shape, 1e-5, "float32"))
    norms = layer_gradient_norms(critic, np.ones((4, 2)), np.ones((4, 2)))
    assert np.isfinite(np.log10(norms)).all() and norms[0] < 1e-45


def test_value_surface_of_a_known_critic():
    values, norms = value_surface(lambda x: 3 * x[:, :1] - 4 * x[:, 1:], half_width=2.0, size=5)
    assert values.shape == norms.shape == (5, 5)
    assert values[0, 0] == pytest.approx(3 * -2 - 4 * -2) and values[0, 4] == pytest.approx(3 * 2 - 4 * -2)
    assert norms == pytest.approx(np.full((5, 5), 5.0))


def test_share_at_bounds():
    assert share_at_bounds(np.array([0.01, -0.00995, 0.0098, 0.0, 0.02]), 0.01) == pytest.approx(0.4)
