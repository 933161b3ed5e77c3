"""Frozen networks."""

import numpy as np
import paddle
import pytest
from paddle import nn

from wgangp.network_state import frozen


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
