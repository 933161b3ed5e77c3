import numpy as np
import paddle
import paddle.nn.functional as F
import pytest
from paddle import nn
from paddle.distributed.fleet.utils import recompute
from paddle.utils import flatten

from wgangp import DCGAN, LSGAN, WGAN, WGAN_GP, InputError, double_backward, layers, losses
from wgangp.networks.toy import toy_critic, toy_generator


def critic_with(*middle):
    return nn.Sequential(nn.Linear(2, 4), *middle, nn.Linear(4, 1))


@pytest.mark.parametrize(
    "layer, replacement",
    [
        (lambda: nn.LayerNorm(4), "wgangp.layers.LayerNorm"),
        (lambda: nn.Flatten(), "reshape"),
        (lambda: nn.GELU(), "SiLU"),
        (lambda: nn.PReLU(), "LeakyReLU"),
        (lambda: nn.Softmax(), "no softmax"),
    ],
)
def test_layer_without_second_derivative_is_named(layer, replacement):
    layer = layer()
    with pytest.raises(InputError) as error:
        WGAN_GP(toy_generator(8), critic_with(nn.ReLU(), layer))
    assert f"'2' ({type(layer).__name__})" in str(error.value)
    assert replacement in str(error.value)
    WGAN(toy_generator(8), critic_with(nn.ReLU(), layer))  # clipping does not need it


def test_operation_without_second_derivative_is_named():
    class Critic(nn.Layer):
        def __init__(self):
            super().__init__()
            self.first, self.last = nn.Linear(2, 4), nn.Linear(4, 1)

        def forward(self, x):
            return self.last(paddle.nn.functional.softmax(self.first(x)))

    with pytest.raises(InputError, match="softmax"):
        WGAN_GP(toy_generator(8), Critic())


@pytest.mark.parametrize("layer", [nn.ReLU, nn.LeakyReLU, nn.ELU, nn.Silu, nn.Softplus, nn.Tanh, nn.Sigmoid])
def test_differentiable_critics_are_accepted(layer):
    WGAN_GP(toy_generator(8), critic_with(layer()))


def test_our_layer_norm_is_accepted_and_normalises():
    WGAN_GP(toy_generator(8), critic_with(layers.LayerNorm(4), nn.ReLU()))
    y = layers.LayerNorm(3)(paddle.randn([2, 3, 5, 5]) * 4 + 2).numpy()
    assert abs(y.mean(axis=(1, 2, 3))).max() < 1e-5
    assert abs(y.std(axis=(1, 2, 3)) - 1).max() < 1e-3


def test_batch_norm_is_refused_unless_asked_for():
    critic = critic_with(nn.BatchNorm1D(4), nn.ReLU())
    with pytest.raises(InputError, match="batch normalisation"):
        WGAN_GP(toy_generator(8), critic)
    assert not WGAN_GP(toy_generator(8), critic, allow_batch_norm=True).scores_in_one_call


def test_prim_mode_is_refused():
    core = paddle.framework.core
    core.set_prim_eager_enabled(True)
    try:
        with pytest.raises(InputError, match="prim"):
            WGAN_GP(toy_generator(8), toy_critic(8))
    finally:
        core.set_prim_eager_enabled(False)


@pytest.mark.parametrize(
    "generator, critic, words",
    [
        (lambda: toy_generator(8), lambda: nn.Linear(3, 1), r"shape \[2, 2\], does not fit the critic"),
        (lambda: toy_generator(8), lambda: nn.Linear(2, 2), "one score per sample"),
        (lambda: nn.Linear(5, 2), lambda: nn.Linear(2, 1), "latent_dim is not given"),
    ],
)
def test_networks_that_do_not_fit(generator, critic, words):
    with pytest.raises(InputError, match=words):
        WGAN_GP(generator(), critic())


def test_generator_that_does_not_take_its_latent_vectors():
    with pytest.raises(InputError, match=r"latent vectors of shape \[2, 4\]"):
        WGAN_GP(nn.Linear(5, 2), nn.Linear(2, 1), latent_dim=4)


class Generator(nn.Layer):
    """A generator of samples of any shape."""

    latent_dim = 3

    def __init__(self, shape):
        super().__init__()
        self.shape, self.linear = shape, nn.Linear(3, int(np.prod(shape)))

    def forward(self, z):
        return self.linear(z).reshape([-1, *self.shape])


class Critic(nn.Layer):
    """A critic of samples of any shape with something in its middle.

    Args:
        shape: of a sample.
        middle: a layer of samples.
        call: function of the layer and samples; the layer's own call when None.
    """

    def __init__(self, shape, middle, call=None):
        super().__init__()
        self.weight = self.create_parameter(shape, default_initializer=nn.initializer.Uniform(0.5, 1.5))
        self.middle, self.call = middle, call or (lambda middle, x: middle(x))

    def forward(self, x):
        y = flatten(self.call(self.middle, x * self.weight))[0]
        return (y - 0.3).square().reshape([x.shape[0], -1]).sum(1)


class Function(nn.Layer):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, *x):
        return self.function(*x)


def loop(cell, x):
    state = None
    for step in range(x.shape[1]):
        output, state = cell(x[:, step], state)
    return output


def attention(_, x):
    weights = x.matmul(x, transpose_y=True).exp()
    return (weights / weights.sum(-1, keepdim=True)).matmul(x)


def recomputed_and_more(linear, x):
    return linear(recompute(linear, x))


def conv3d_and_more(relu, x):
    return relu(F.conv3d(F.elu(x), paddle.ones([3, 2, 2, 2, 2])))


def train(method, critic):
    shape = critic.weight.shape
    gan = method(Generator(shape), critic, critic_iters=2)
    before = [p.numpy().copy() for network in (gan.generator, critic) for p in network.parameters()]
    data = np.random.default_rng(0).normal(size=(16, *shape)).astype("float32")
    history = gan.train(data, batch_size=4, iterations=3, g_learning_rate=1e-3, d_learning_rate=1e-3, progress=None)
    assert np.isfinite(history[["critic_loss"]]).all(axis=None)
    after = [p.numpy() for network in (gan.generator, critic) for p in network.parameters()]
    assert sum((a != b).any() for a, b in zip(before, after, strict=True)) >= 3


class Recomputed(nn.Layer):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(8, 8)

    def forward(self, x):
        return recompute(self.linear, x)


FLAT = Function(lambda x: x.reshape([x.shape[0], -1]))
CONV3D = r"layer '2' \(Conv3D\).*use wgangp.layers.Conv3D"
ROW, STEPS, SIGNAL, IMAGE, VOLUME = [8], [6, 4], [4, 8], [4, 8, 8], [2, 4, 4, 4]
REFUSED = [
    (ROW, nn.LayerNorm, 8),
    (IMAGE, nn.GroupNorm, 2, 4),
    (IMAGE, nn.LocalResponseNorm, 3),
    (IMAGE, nn.Flatten),
    (SIGNAL, nn.MaxPool1D, 2),
    (IMAGE, nn.MaxPool2D, 2),
    (VOLUME, nn.MaxPool3D, 2),
    (SIGNAL, nn.AdaptiveMaxPool1D, 2),
    (IMAGE, nn.AdaptiveMaxPool2D, 2),
    (VOLUME, nn.AdaptiveMaxPool3D, 2),
    (VOLUME, nn.AvgPool3D, 2),
    (VOLUME, nn.AdaptiveAvgPool3D, 1),
    *[(ROW, layer) for layer in (nn.GELU, nn.Mish, nn.Swish, nn.Hardswish, nn.SELU, nn.PReLU, nn.RReLU, nn.Hardtanh)],
    *[(ROW, layer) for layer in (nn.ReLU6, nn.Hardsigmoid, nn.Hardshrink, nn.Softshrink, nn.Tanhshrink, nn.Softsign)],
    *[(ROW, layer) for layer in (nn.LogSigmoid, nn.ThresholdedReLU, nn.Softmax, nn.LogSoftmax, nn.Dropout)],
    (IMAGE, nn.Maxout, 2),
    (IMAGE, nn.Unfold, 3),
    (IMAGE, nn.Upsample, None, 2),
    (IMAGE, nn.UpsamplingNearest2D, None, 2),
    (IMAGE, nn.UpsamplingBilinear2D, None, 2),
    (IMAGE, nn.PixelShuffle, 2),
    (IMAGE, nn.PixelUnshuffle, 2),
    (IMAGE, nn.ChannelShuffle, 2),
    (SIGNAL, nn.Conv1DTranspose, 4, 4, 3),
    (IMAGE, nn.Conv2DTranspose, 4, 4, 3),
    (VOLUME, nn.Conv3DTranspose, 2, 2, 3),
    (STEPS, nn.LSTM, 4, 5, 2, "bidirect"),
    (STEPS, nn.GRU, 4, 5),
    (STEPS, nn.SimpleRNN, 4, 5),
]


@pytest.mark.parametrize("shape, layer, arguments", [(s, layer, a) for s, layer, *a in REFUSED])
def test_layers_that_cannot_be_differentiated_twice(shape, layer, arguments, capfd):
    name = layer.__name__
    with pytest.raises(InputError, match=rf"layer 'middle' \({name}\) cannot be differentiated twice") as error:
        WGAN_GP(Generator(shape), Critic(shape, layer(*arguments)))
    use = [use for kinds, use in double_backward.REPLACEMENTS.items() if name in kinds.split()]
    assert str(error.value).endswith(f"use {(use or [double_backward.ELEMENTARY])[0]}.")
    assert "\n" not in str(error.value) and "/paddle/" not in str(error.value) and "Hint" not in str(error.value)
    assert capfd.readouterr().err == ""  # where Paddle tells of a file of C++


@pytest.mark.parametrize(
    "shape, critic, name",
    [
        (STEPS, lambda: Critic(STEPS, nn.MultiHeadAttention(4, 2)), r"'middle' \(MultiHeadAttention"),
        (STEPS, lambda: Critic(STEPS, nn.TransformerEncoderLayer(4, 2, 8)), r"'middle.self_attn' \(MultiHeadAttention"),
        (STEPS, lambda: Critic(STEPS, nn.Embedding(4, 3), lambda e, x: e(x.argmax(-1))), r"'middle' \(Embedding"),
        (ROW, lambda: Critic(ROW, nn.Bilinear(8, 8, 5), lambda b, x: b(x, x)), r"'middle' \(Bilinear"),
        (IMAGE, lambda: Critic(IMAGE, nn.Conv2D(4, 4, 3, groups=4)), r"'middle' \(Conv2D\).*depthwise"),
        (ROW, lambda: Critic(ROW, nn.LayerNorm(8), lambda norm, x: norm(input=x)), r"'middle' \(LayerNorm"),
        (ROW, lambda: Critic(ROW, Function(lambda xs: F.softmax(xs[1])), lambda f, x: f([x, x])), "'middle'.*softmax"),
        (
            ROW,
            lambda: Critic(ROW, nn.LayerList([nn.Linear(8, 8), nn.GELU()]), lambda both, x: both[1](x)),
            "'middle.1'",
        ),
        (ROW, lambda: Critic(ROW, nn.Identity(), lambda _, x: x.detach()), "no gradient with respect to its samples"),
        (ROW, lambda: Critic(ROW, nn.Identity(), lambda _, x: x[:, ::2]), "forward method.*strided_slice"),
        (ROW, lambda: Critic(ROW, nn.Identity(), lambda _, x: x.flatten(1)), r"flatten\).*use x.reshape"),
        (ROW, lambda: Critic(ROW, nn.Linear(8, 8), recompute), r"forward method.*\(the operation is recompute\)"),
        (
            ROW,
            lambda: Critic(ROW, nn.Linear(8, 8), recomputed_and_more),
            r"forward method.*use recompute\(..., use_ree",
        ),
        (VOLUME, lambda: Critic(VOLUME, nn.ReLU(), conv3d_and_more), r"forward method.*use wgangp.layers.Conv3D"),
        (VOLUME, lambda: nn.Sequential(nn.Conv3D(2, 2, 1), nn.ELU(), nn.Conv3D(2, 1, 4), FLAT), CONV3D),
        (VOLUME, lambda: nn.Sequential(nn.Conv3D(2, 2, 1), nn.ReLU(), nn.Conv3D(2, 1, 4), FLAT), CONV3D),
    ],
)
def test_layers_that_are_called_in_other_ways_or_lie_deeper_are_named(shape, critic, name):
    with pytest.raises(InputError, match=name):
        WGAN_GP(Generator(shape), critic())


ACCEPTED = [
    *[(ROW, layer, None) for layer in (nn.Identity, nn.CELU, nn.GLU, nn.AlphaDropout)],
    (ROW, lambda: nn.utils.spectral_norm(nn.Linear(8, 3)), None),
    (ROW, lambda: nn.utils.weight_norm(nn.Linear(8, 3)), None),
    (ROW, lambda: nn.Linear(8, 3), lambda linear, x: linear(input=x).clip(-0.3, 0.3)),
    (ROW, lambda: Function(sum), lambda add, x: add([x, x.square()])),
    (ROW, lambda: nn.Linear(8, 8), lambda shared, x: shared(shared(x).tanh())),
    (
        ROW,
        lambda: nn.LayerList([nn.Linear(8, 4), nn.Linear(4, 3)]),
        lambda both, x: both[1](both[0](x).tanh()),
    ),
    (ROW, lambda: nn.ParameterList([nn.Linear(8, 3).weight]), lambda parameters, x: x @ parameters[0]),
    (ROW, lambda: nn.Linear(8, 8), lambda linear, x: recompute(linear, x, use_reentrant=False).tanh()),
    (ROW, nn.Identity, lambda _, x: paddle.concat([x, paddle.ones_like(x), x.square()], 1)),
    (ROW, nn.Identity, lambda _, x: paddle.gather(x, paddle.to_tensor([1, 1, 5]), axis=1).flip([1])),
    (STEPS, lambda: nn.Embedding(6, 4), lambda positions, x: (x + positions(paddle.arange(6))).square()),
    (STEPS, nn.Identity, attention),
    (STEPS, lambda: nn.LSTMCell(4, 5), loop),
    (STEPS, lambda: nn.GRUCell(4, 5), loop),
    (STEPS, lambda: nn.SimpleRNNCell(4, 5), loop),
    (STEPS, lambda: nn.RNN(nn.LSTMCell(4, 5)), None),
    (SIGNAL, lambda: nn.Conv1D(4, 3, 3), None),
    (SIGNAL, lambda: nn.AvgPool1D(2), None),
    (IMAGE, lambda: nn.Conv2D(4, 3, 3, dilation=2, padding=1, padding_mode="reflect"), None),
    (IMAGE, lambda: nn.InstanceNorm2D(4), None),
    (IMAGE, lambda: nn.AvgPool2D(2), None),
    (IMAGE, lambda: nn.AdaptiveAvgPool2D(3), None),
    (IMAGE, nn.Identity, lambda _, x: layers.upsample(x)),
    (VOLUME, lambda: nn.Sequential(layers.Conv3D(2, 3, 3), nn.ELU(), layers.Conv3D(3, 2, 2)), None),
    (VOLUME, lambda: nn.Sequential(layers.Conv3D(2, 3, 3), nn.Tanh(), nn.Conv3D(3, 2, 2)), None),
    (VOLUME, nn.Identity, lambda _, x: x.reshape([-1, 2, 2, 2, 2, 2, 2, 2]).mean([3, 5, 7])),
]


@pytest.mark.parametrize("shape, layer, call", ACCEPTED)
def test_other_layers_train(shape, layer, call):
    train(WGAN_GP, Critic(shape, layer(), call))


@pytest.mark.parametrize("shape, layer, call", ACCEPTED)
def test_other_layers_have_the_second_derivatives_of_central_differences(float64, shape, layer, call):
    critic = Critic(shape, layer(), call)
    critic.eval()  # spectral norm as it is
    rng = np.random.default_rng(0)
    real, fake = (paddle.to_tensor(x) for x in rng.normal(size=(2, 3, *shape)))
    double_backward.check(critic, real)
    parameters = [p for p in critic.parameters() if not p.stop_gradient]
    values, direction = [p.numpy() for p in parameters], [rng.normal(size=p.shape) for p in parameters]

    def penalty(step):
        for parameter, value, along in zip(parameters, values, direction, strict=True):
            parameter.set_value(value + step * along)
        paddle.seed(1)
        return losses.gradient_penalty(critic, real, fake)

    numeric = float(penalty(1e-6) - penalty(-1e-6)) / 2e-6
    penalty(0.0).backward()
    slopes = [(p.grad.numpy() * d).sum() for p, d in zip(parameters, direction, strict=True) if p.grad is not None]
    assert sum(slopes) == pytest.approx(numeric, rel=1e-5, abs=1e-7) and abs(numeric) > 1e-4


def test_our_conv3d_is_paddles():
    ours, theirs = layers.Conv3D(2, 3, 2, stride=2), nn.Conv3D(2, 3, 2, stride=2)
    theirs.set_state_dict(ours.state_dict())
    x = paddle.randn([2, *VOLUME])
    np.testing.assert_array_equal(ours(x), theirs(x))


@pytest.mark.parametrize("method", [WGAN, DCGAN, LSGAN])
@pytest.mark.parametrize("layer", [nn.LSTM, nn.GRU, nn.SimpleRNN])
def test_recurrent_critics_train_without_the_penalty(method, layer):
    train(method, Critic(STEPS, layer(4, 5, num_layers=2, direction="bidirect")))


@pytest.mark.parametrize(
    "layer", [nn.Dropout, nn.AlphaDropout, Recomputed, lambda: nn.utils.spectral_norm(nn.Linear(8, 8))]
)
def test_the_check_leaves_everything_as_it_was(layer):
    critic, generator = Critic(ROW, layer()), Generator(ROW)
    gradient = np.random.default_rng(0).normal(size=8).astype("float32")
    critic.weight.grad = paddle.to_tensor(gradient)
    state = critic.state_dict()
    before = {name: tensor.numpy().copy() for name, tensor in state.items()}
    paddle.seed(3)
    expected = paddle.rand([4]).numpy()
    paddle.seed(3)
    try:
        WGAN_GP(generator, critic)
    except InputError as error:
        assert "Dropout" in str(error) or "Recomputed" in str(error)
    np.testing.assert_array_equal(paddle.rand([4]), expected)
    for name, value in before.items():
        np.testing.assert_array_equal(state[name], value)
    np.testing.assert_array_equal(critic.weight.grad, gradient)
    assert all(parameter.grad is None for parameter in critic.middle.parameters())


def test_running_statistics_are_left_as_they_were():
    norm = nn.BatchNorm1D(8)
    WGAN(Generator(ROW), Critic(ROW, norm))
    assert (norm._mean.numpy() == 0).all() and (norm._variance.numpy() == 1).all()


@pytest.mark.parametrize(
    "generator, critic, words",
    [
        (lambda: Generator, lambda: toy_critic(8), "the generator is Generator; give a network"),
        (lambda: toy_generator(8), lambda: lambda x: x.sum(1), "the discriminator is function; give a network"),
        (lambda: toy_generator(8), lambda: Function(lambda x: x.sum(1)), "no parameters to train"),
        (lambda: toy_generator(8), lambda: frozen(toy_critic(8)), "no parameters to train"),
        (lambda: toy_generator(8), lambda: scored(lambda y: y.mean()), r"critic gives shape \[\] for 2 samples"),
        (lambda: toy_generator(8), lambda: scored(lambda y: (y, y)), "critic gives a tuple for 2 samples"),
        (lambda: toy_generator(8), lambda: scored(lambda y: {"score": y}), "critic gives a dict for 2 samples"),
        (
            lambda: toy_generator(8),
            lambda: scored(lambda y: y.astype("int64")),
            "the critic's scores are int64; they must be float32",
        ),
    ],
)
def test_what_is_no_network_or_gives_no_scores(generator, critic, words):
    with pytest.raises(InputError, match=words) as error:
        WGAN_GP(generator(), critic(), latent_dim=2)
    assert "(at " not in str(error.value) and "Hint" not in str(error.value) and "\n" not in str(error.value)


def frozen(network):
    for parameter in network.parameters():
        parameter.stop_gradient = True
    return network


def scored(function):
    return nn.Sequential(nn.Linear(2, 1), Function(function))


def test_a_gan_can_be_built_without_gradients():
    with paddle.no_grad():
        gan = WGAN_GP(toy_generator(8), toy_critic(8))
    assert gan.discriminator.parameters()[0].grad is None


def test_batch_norm_is_recognised_in_a_critic():
    for layer, has in (
        (layers.BatchNorm(3), True),
        (layers.ConditionalBatchNorm(3), True),
        (layers.LayerNorm(3), False),
    ):
        assert double_backward.has_batch_norm(nn.Sequential(layers.Conv2D(3, 3, 3), layer)) is has
