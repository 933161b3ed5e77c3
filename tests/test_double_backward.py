import paddle
import pytest
from paddle import nn

from wgangp import WGAN, WGAN_GP, InputError, layers
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
    assert not WGAN_GP(toy_generator(8), critic, allow_batch_norm=True).one_pass


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
