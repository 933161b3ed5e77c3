"""The DCGAN shape against its layers applied one by one."""

import numpy as np
import paddle
import paddle.nn.functional as F
import pytest
from random_layers import double, normal

from wgangp.layers import BatchNorm, Gate, LayerNorm
from wgangp.networks.convolutional import ConvCritic, DeconvGenerator, leaky_relu


def test_leaky_relu_has_the_authors_slope():
    assert leaky_relu(paddle.to_tensor([-2.0, 0.0, 3.0])).numpy() == pytest.approx([-0.4, 0, 3])


@pytest.mark.parametrize("batch_norm", [None, "unit", "channel"])
@pytest.mark.parametrize("activation", [F.relu, Gate()])
def test_a_generator_is_its_layers_one_after_another(activation, batch_norm):
    times = 2 if isinstance(activation, Gate) else 1
    generator = double(DeconvGenerator([6, 4], 2, batch_norm, activation, latent_dim=5))
    z = paddle.to_tensor(normal([3, 5]))
    x = generator.linear(z)
    if batch_norm == "unit":
        x = generator.norms[0](x)
    x = x.reshape([3, 6 * times, 4, 4])
    if batch_norm == "channel":
        x = generator.norms[0](x)
    x = generator.deconvs[0](activation(x))
    if batch_norm:
        assert type(generator.norms[1]) is BatchNorm and generator.norms[1].scale.shape == [4 * times]
        x = generator.norms[1](x)
    expected = F.tanh(generator.last(activation(x)))
    assert expected.shape == [3, 2, 16, 16]
    np.testing.assert_allclose(generator(z).numpy(), expected.numpy(), atol=1e-13)


@pytest.mark.parametrize("norm", [None, LayerNorm, BatchNorm])
@pytest.mark.parametrize("activation", [leaky_relu, F.tanh, Gate()])
def test_a_critic_is_its_layers_one_after_another(activation, norm):
    critic, x = double(ConvCritic([4, 6], 2, norm, activation)), paddle.to_tensor(normal([3, 2, 16, 16]))
    y = activation(critic.convs[0](x))  # never normalised
    y = critic.convs[1](y)
    if norm:
        assert type(critic.norms[1]) is norm
        y = critic.norms[1](y)
    expected = critic.linear(activation(y).reshape([3, -1])).reshape([-1])
    np.testing.assert_allclose(critic(x).numpy(), expected.numpy(), atol=1e-12)


def test_initial_weights_have_the_standard_deviation_that_is_asked_for():
    for network in (DeconvGenerator([64, 32], std=0.02), ConvCritic([32, 64], std=0.02)):
        weights = [parameter.numpy() for parameter in network.parameters() if parameter.ndim > 1]
        assert len(weights) == 3 and all(weight.std() == pytest.approx(0.02, rel=0.05) for weight in weights)
