"""The perceptrons for points in the plane: the authors' initial weights, and their equations in numpy."""

import math

import numpy as np
import paddle
import pytest
from random_layers import double, normal, parameter_count

from wgangp.networks.toy import MLP, toy_critic, toy_generator


def test_activations_are_the_perceptrons_equations():
    network, x = double(MLP([3, 5, 4, 2])), normal([6, 3])
    activations = network.activations(paddle.to_tensor(x))
    for i, linear in enumerate(network.linears):
        x = x @ linear.weight.numpy() + linear.bias.numpy()
        x = np.maximum(x, 0) if i < 2 else x
        np.testing.assert_allclose(activations[i].numpy(), x, atol=1e-14)
    np.testing.assert_array_equal(network(paddle.to_tensor(normal([6, 3]))).numpy(), activations[-1].numpy())


def test_hidden_weights_are_he_uniform_and_output_weights_glorot_uniform():
    critic = toy_critic(512, 2)
    deviations = [math.sqrt(2 / 2), math.sqrt(2 / 512), math.sqrt(2 / 513)]
    for linear, deviation in zip(critic.linears, deviations, strict=True):
        weight = linear.weight.numpy()
        assert weight.std() == pytest.approx(deviation, rel=0.06)
        assert np.abs(weight).max() == pytest.approx(math.sqrt(3) * deviation, rel=0.01)
        assert not linear.bias.numpy().any()


def test_parameter_counts_are_the_authors():
    hidden = 2 * (512 * 512 + 512)
    assert parameter_count(toy_generator()) == 3 * 512 + hidden + 513 * 2
    assert parameter_count(toy_critic()) == 3 * 512 + hidden + 513
    assert parameter_count(toy_critic(16, 12)) == 3 * 16 + 11 * 17 * 16 + 17
    assert toy_generator(latent_dim=7).latent_dim == 7
