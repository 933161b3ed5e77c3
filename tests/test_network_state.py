"""Weights taken out, put in, compared, frozen."""

import numpy as np
import paddle
import pytest
from paddle import nn

from wgangp import InputError
from wgangp.network_state import arrays_of, first_not_finite, frozen, load


@pytest.mark.parametrize("layer", [nn.LSTM, nn.GRU, nn.SimpleRNN, None])
def test_frozen_critics_pass_the_gradient_on_and_take_none(layer):
    class Critic(nn.Layer):
        def __init__(self):
            super().__init__()
            self.inner = layer(2, 3, num_layers=2, direction="bidirect") if layer else nn.Linear(2, 6)
            self.linear = nn.Linear(6, 1)

        def forward(self, x):
            y = self.inner(x)
            return self.linear(y[0] if layer else y.tanh()).mean([1, 2])

    critic, generator = Critic(), nn.Linear(4, 2)
    z = paddle.randn([5, 3, 4])
    critic(generator(z)).sum().backward()
    expected = generator.weight.grad.numpy().copy()
    generator.clear_gradients(), critic.clear_gradients(False)
    with frozen(critic):
        loss = critic(generator(z)).sum()
    loss.backward()
    np.testing.assert_array_equal(generator.weight.grad, expected)
    assert np.abs(expected).max() > 0
    assert not any(p.grad is not None and p.grad.numpy().any() for p in critic.parameters())
    critic(z[:, :, :2]).sum().backward()  # it can be trained again
    assert all(p.grad is not None and not p.stop_gradient for p in critic.parameters())


def pair(width=3):
    return {"generator": nn.Sequential(nn.Linear(2, width), nn.BatchNorm1D(width)), "critic": nn.Linear(width, 1)}


def test_arrays_go_into_other_networks_and_buffers_with_them():
    first, second = pair(), pair()
    first["generator"](paddle.randn([8, 2]) + 3)  # moves the running statistics
    arrays = arrays_of(first)
    assert {"generator/0.weight", "generator/1._mean", "critic/bias"} <= set(arrays)
    load(second, arrays | {"g_optimizer/0/moment1_0": np.ones(3)}, "file.npz")
    assert all((arrays_of(second)[name] == array).all() for name, array in arrays.items())


@pytest.mark.parametrize(
    "change, words",
    [
        (lambda arrays: arrays.pop("critic/bias"), r"the critic: bias is nothing in the file and \[1\] in the network"),
        (lambda arrays: arrays.update({"critic/more": np.ones(2)}), r"more is \[2\] in the file and nothing in"),
        (lambda arrays: arrays.update({"critic/bias": np.ones(1)}), "bias is float64 in the file and float32 in"),
        (lambda arrays: arrays.update(arrays_of(pair(4))), r"the generator: 0.bias is \[4\] in the file and \[3\] in"),
    ],
)
def test_arrays_of_other_networks_change_nothing(change, words):
    networks = pair()
    before, arrays = arrays_of(networks), arrays_of(pair())
    before = {name: array.copy() for name, array in before.items()}
    change(arrays)
    with pytest.raises(InputError, match=f"file.npz does not fit.*{words}"):
        load(networks, arrays, "file.npz")
    assert all((arrays_of(networks)[name] == array).all() for name, array in before.items())


def test_the_first_parameter_that_is_not_finite_is_named():
    networks = pair()
    arrays = arrays_of(networks)
    assert first_not_finite(networks, arrays) is None
    arrays["critic/weight"] = np.full((3, 1), np.inf, "float32")
    assert first_not_finite(networks, arrays) == "critic/weight"
