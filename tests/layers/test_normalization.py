"""Normalisation against explicit means and variances in numpy."""

import numpy as np
import paddle
import pytest
from random_layers import double, normal

from wgangp import layers


@pytest.mark.parametrize("shape", [[8, 5], [4, 5, 3, 3]])
def test_batch_norm_uses_the_batch_s_statistics_in_training_and_in_sampling(shape):
    layer, x = double(layers.BatchNorm(5)), 3 + 2 * normal(shape)
    axes = (0,) if len(shape) == 2 else (0, 2, 3)
    wide = [1, 5] + [1] * (len(shape) - 2)
    expected = (x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True) + 1e-5)
    expected = expected * layer.scale.numpy().reshape(wide) + layer.offset.numpy().reshape(wide)
    for mode in (layer.train, layer.eval):
        mode()
        np.testing.assert_allclose(layer(paddle.to_tensor(x)).numpy(), expected, atol=1e-12)
    assert set(layer.state_dict()) == {"scale", "offset"}
    assert not layer.zeros.numpy().any() and (layer.ones.numpy() == 1).all()


def test_conditional_batch_norm_has_a_scale_and_an_offset_per_class():
    layer, x = double(layers.ConditionalBatchNorm(5, 3)), normal([4, 5, 3, 3])
    labels = np.array([2, 0, 2, 1])
    expected = (x - x.mean((0, 2, 3), keepdims=True)) / np.sqrt(x.var((0, 2, 3), keepdims=True) + 1e-5)
    expected = expected * layer.scale.numpy()[labels][:, :, None, None] + layer.offset.numpy()[labels][:, :, None, None]
    y = layer(paddle.to_tensor(x), paddle.to_tensor(labels))
    np.testing.assert_allclose(y.numpy(), expected, atol=1e-12)
    assert {name: value.shape for name, value in layer.state_dict().items()} == {"scale": [3, 5], "offset": [3, 5]}


def test_layer_norm():
    layer, x = double(layers.LayerNorm(5)), 3 + 2 * normal([4, 5, 3, 3])
    expected = (x - x.mean((1, 2, 3), keepdims=True)) / np.sqrt(x.var((1, 2, 3), keepdims=True) + 1e-5)
    expected = expected * layer.scale.numpy()[:, None, None] + layer.offset.numpy()[:, None, None]
    np.testing.assert_allclose(layer(paddle.to_tensor(x)).numpy(), expected, atol=1e-12)


def test_sub_batches_have_statistics_of_their_own_in_the_given_network_alone():
    network, other = (paddle.nn.Sequential(double(layers.BatchNorm(5))) for _ in range(2))
    x = paddle.to_tensor(normal([6, 5, 3, 3]))
    whole, of_other = network(x).numpy(), other(x).numpy()
    parts = np.concatenate([network(part).numpy() for part in x.split(3)])
    assert np.abs(parts - whole).max() > 0.1
    with pytest.raises(ZeroDivisionError), layers.sub_batches(network, 3):
        np.testing.assert_array_equal(network(x).numpy(), parts)
        np.testing.assert_array_equal(other(x).numpy(), of_other)
        raise ZeroDivisionError
    np.testing.assert_array_equal(network(x).numpy(), whole)
