import numpy as np
import paddle
import pytest
from paddle import nn

from wgangp import InputError, losses
from wgangp.losses import gradient_penalty

SHAPES = [(3, 4), (3, 2, 5), (3, 2, 4, 4)]


class SmoothCritic(nn.Layer):
    """Smooth, so that central differences converge, and different at every input."""

    def __init__(self, shape):
        super().__init__()
        size = int(np.prod(shape))
        self.first, self.second = nn.Linear(size, 6), nn.Linear(6, 1)

    def forward(self, x):
        return self.second(paddle.tanh(self.first(x.reshape([x.shape[0], -1])))) * 3


def numeric_norms(critic, x, step=1e-5):
    """Norm of the critic's gradient at each example, by central differences."""
    gradient = np.zeros_like(x)
    for i in np.ndindex(*x.shape[1:]):
        for sign in (1, -1):
            moved = x.copy()
            moved[(slice(None), *i)] += sign * step
            gradient[(slice(None), *i)] += sign * critic(paddle.to_tensor(moved)).numpy()[:, 0] / (2 * step)
    return np.sqrt((gradient.reshape(len(x), -1) ** 2).sum(axis=1))


@pytest.mark.parametrize("one_sided", [False, True])
@pytest.mark.parametrize("shape", SHAPES)
def test_penalty_value_against_central_differences(float64, shape, one_sided):
    rng = np.random.default_rng(0)
    real, fake = rng.normal(size=(2, *shape))
    alpha = rng.uniform(size=(shape[0],) + (1,) * (len(shape) - 1))
    critic = SmoothCritic(shape[1:])
    norms = numeric_norms(critic, real + alpha * (fake - real))
    target = np.median(norms)  # some examples on either side
    excess = np.maximum(norms - target, 0) if one_sided else norms - target
    expected = (excess**2).mean()
    tensors = [paddle.to_tensor(a) for a in (real, fake, alpha)]
    measured = gradient_penalty(critic, *tensors, target=target, one_sided=one_sided)
    assert float(measured) == pytest.approx(expected, rel=1e-6)
    assert expected > 0


@pytest.mark.parametrize("one_sided", [False, True])
@pytest.mark.parametrize("shape", SHAPES)
def test_penalty_parameter_gradient_against_central_differences(float64, shape, one_sided):
    rng = np.random.default_rng(1)
    critic = SmoothCritic(shape[1:])
    tensors = [paddle.to_tensor(a) for a in rng.normal(size=(2, *shape))]
    alpha = paddle.to_tensor(rng.uniform(size=(shape[0],) + (1,) * (len(shape) - 1)))

    def penalty():
        return gradient_penalty(critic, *tensors, alpha, target=0.4, one_sided=one_sided)

    penalty().backward()
    largest = 0.0
    for parameter in critic.parameters():
        if parameter.grad is None:
            continue  # the output bias does not enter
        analytic, values = parameter.grad.numpy(), parameter.numpy()
        for i in np.ndindex(*values.shape):
            numeric = 0.0
            for sign in (1, -1):
                moved = values.copy()
                moved[i] += sign * 1e-6
                parameter.set_value(moved)
                numeric += sign * float(penalty()) / 2e-6
            parameter.set_value(values)
            assert analytic[i] == pytest.approx(numeric, rel=1e-4, abs=1e-8)
            largest = max(largest, abs(numeric))
    assert largest > 1e-3


def test_linear_critic_has_a_known_penalty(float64):
    critic = nn.Linear(3, 1)
    critic.weight.set_value(np.array([[2.0], [1.0], [2.0]]))
    real, fake = paddle.randn([5, 3]), paddle.randn([5, 3])
    assert float(gradient_penalty(critic, real, fake)) == pytest.approx((3 - 1) ** 2)
    assert float(gradient_penalty(critic, real, fake, target=4.0)) == pytest.approx(1)
    assert float(gradient_penalty(critic, real, fake, target=4.0, one_sided=True)) == 0


def test_constant_critic_has_finite_gradients(float64):
    critic = nn.Linear(3, 1)
    critic.weight.set_value(np.zeros((3, 1)))
    penalty = gradient_penalty(critic, paddle.randn([4, 3]), paddle.randn([4, 3]))
    penalty.backward()
    assert float(penalty) == pytest.approx(1, abs=1e-5)
    assert np.isfinite(critic.weight.grad.numpy()).all()


def test_norm_is_over_all_axes_but_the_first(float64):
    # D(x) = sum(x): the gradient is one everywhere, its norm the root of the number of entries.
    norms = losses.gradient_norms(lambda x: x.sum(axis=[1, 2, 3]), paddle.randn([2, 3, 4, 5]))
    assert norms.numpy() == pytest.approx([60**0.5] * 2)


def test_interpolates_use_one_position_per_example():
    real, fake = paddle.zeros([200, 3, 2]), paddle.ones([200, 3, 2])
    x = losses.interpolate(real, fake).numpy()
    assert (x == x[:, :1, :1]).all()
    assert 0 <= x.min() < 0.1 and 0.9 < x.max() <= 1
    assert abs(x[:, 0, 0].mean() - 0.5) < 0.1
    assert (losses.interpolate(real, fake, paddle.zeros([200, 1, 1])).numpy() == 0).all()


def test_losses_against_closed_forms(float64):
    real, fake = np.array([[2.0], [-1.0]]), np.array([[0.5], [3.0]])
    r, f = paddle.to_tensor(real), paddle.to_tensor(fake)
    log_sigmoid = lambda x: -np.log1p(np.exp(-x))  # noqa: E731
    cases = [
        (losses.wasserstein_critic_loss(r, f), 1.75 - 0.5),
        (losses.wasserstein_generator_loss(f), -1.75),
        (losses.gan_critic_loss(r, f), -(log_sigmoid(real).mean() + log_sigmoid(-fake).mean()) / 2),
        (losses.gan_generator_loss(f), -log_sigmoid(fake).mean()),
        (losses.least_squares_critic_loss(r, f), ((1 + 4) / 2 + (0.25 + 9) / 2) / 2),
        (losses.least_squares_generator_loss(f), (0.25 + 4) / 2),
    ]
    for measured, expected in cases:
        assert float(measured) == pytest.approx(expected)


ROWS, SCORES = np.ones((4, 2), "float32"), np.ones((4, 1), "float32")


@pytest.mark.parametrize(
    "changes, words",
    [
        ({"fake": np.ones((4, 3), "float32")}, r"float32 \[4, 2\] and fake is a tensor of float32 \[4, 3\]"),
        ({"fake": ROWS[:1]}, r"fake is a tensor of float32 \[1, 2\]"),  # would be broadcast
        ({"real": SCORES[:, 0], "fake": SCORES}, r"real is a tensor of float32 \[4\] and fake is"),  # to [4, 4]
        ({"fake": ROWS.astype("float64")}, "fake is a tensor of float64"),
        (
            {"real": ROWS.astype("int64"), "fake": ROWS.astype("int64")},
            r"real is a tensor of int64 \[4, 2\]; give samples",
        ),
        ({"real": ROWS[:0], "fake": ROWS[:0]}, r"real is a tensor of float32 \[0, 2\]; give samples"),
        ({"real": None}, "real is a NoneType; give samples"),
        (
            {"alpha": np.full(4, 0.5, "float32")},
            r"alpha is a tensor of float32 \[4\] .* give one position for each sample, \[4, 1\]",
        ),
        ({"alpha": np.full((4, 2), 0.5, "float32")}, r"alpha is a tensor of float32 \[4, 2\]"),
        ({"critic": nn.Linear(3, 1)}, r"the critic cannot take samples of shape \[4, 2\]: "),
        ({"critic": nn.Linear(2, 3)}, r"the critic's output is a tensor of float32 \[4, 3\]; it must be one score"),
        ({"critic": lambda x: x.sum()}, r"the critic's output is a tensor of float32 \[\]"),
        ({"critic": lambda x: (x, x)}, "the critic's output is a tuple"),
        ({"critic": lambda x: x.detach().sum(1)}, "no gradient with respect to its samples"),
        ({"critic": lambda x: nn.Linear(2, 1)(x.detach())}, "no gradient with respect to its samples"),
        ({"target": float("nan")}, "target is nan; use a finite number of at least 0"),
        ({"target": float("inf")}, "target is inf"),
        ({"target": -1.0}, "target is -1.0"),
        ({"target": "1"}, "target is '1'"),
    ],
)
def test_unusable_arguments_of_the_penalty(changes, words):
    arguments = {"critic": nn.Linear(2, 1), "real": ROWS, "fake": ROWS} | changes
    tensors = {name: paddle.to_tensor(v) if isinstance(v, np.ndarray) else v for name, v in arguments.items()}
    with pytest.raises(InputError, match=words) as error:
        gradient_penalty(**tensors)
    assert "\n" not in str(error.value) and "(at " not in str(error.value) and error.value.__cause__ is None


def test_samples_that_are_arrays_are_refused():
    with pytest.raises(InputError, match="real is a ndarray; give samples as a floating-point tensor"):
        gradient_penalty(nn.Linear(2, 1), ROWS, ROWS)
    with pytest.raises(InputError, match="the points are a ndarray"):
        losses.gradient_norms(nn.Linear(2, 1), ROWS)
    with pytest.raises(InputError, match=r"norms is a tensor of float32 \[4, 1\]; give one per sample"):
        losses.penalty_from_norms(paddle.ones([4, 1]))


def test_gradients_of_single_numbers_have_a_norm_for_each(float64):
    x = paddle.to_tensor([1.0, -2.0, 3.0])
    assert losses.gradient_norms(lambda x: x.square(), x).numpy() == pytest.approx([2, 4, 6])
    assert float(gradient_penalty(lambda x: x.square(), x, x)) == pytest.approx((1 + 9 + 25) / 3)


@pytest.mark.parametrize("scores", [paddle.ones([4, 2]), paddle.ones([]), paddle.ones([0, 1]), SCORES, None])
def test_losses_of_what_is_no_scores(scores):
    good = paddle.ones([4, 1])
    for loss in (losses.wasserstein_critic_loss, losses.gan_critic_loss, losses.least_squares_critic_loss):
        with pytest.raises(InputError, match="real_scores is .*; it must be one score per sample"):
            loss(scores, good)
        with pytest.raises(InputError, match="fake_scores is .*; it must be one score per sample"):
            loss(good, scores)
        assert np.isfinite(float(loss(good, paddle.ones([3]))))  # another number of samples is no mistake
    for loss in (losses.wasserstein_generator_loss, losses.gan_generator_loss, losses.least_squares_generator_loss):
        with pytest.raises(InputError, match="fake_scores is .*; it must be one score per sample"):
            loss(scores)
