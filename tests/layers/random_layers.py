"""Layers and inputs with random numbers in float64."""

import numpy as np
import paddle


def double(layer):
    """The layer in float64 with every parameter random, biases and scales too."""
    layer.to(dtype="float64")
    for parameter in layer.parameters():
        parameter.set_value(parameter + 0.3 * paddle.randn(parameter.shape, "float64"))
    return layer


def normal(shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


def parameter_count(network):
    return sum(int(np.prod(parameter.shape)) for parameter in network.parameters())
