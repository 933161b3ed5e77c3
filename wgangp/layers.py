"""Layers that Paddle lacks or cannot differentiate twice."""

from paddle import nn


class LayerNorm(nn.Layer):
    """Layer normalisation over all axes but the first, scale and offset per channel.

    Written from mean and variance, because Paddle's own has no second derivative.

    Args:
        channels: size of axis 1.
        epsilon: added to the variance.

    Source: tflib/ops/layernorm.py.
    """

    def __init__(self, channels, epsilon=1e-5):
        super().__init__()
        self.epsilon = epsilon
        self.scale = self.create_parameter([channels], default_initializer=nn.initializer.Constant(1.0))
        self.offset = self.create_parameter([channels], default_initializer=nn.initializer.Constant(0.0))

    def forward(self, x):
        axes = list(range(1, x.ndim))
        centred = x - x.mean(axes, keepdim=True)
        normal = centred / (centred.square().mean(axes, keepdim=True) + self.epsilon).sqrt()
        shape = [1, -1] + [1] * (x.ndim - 2)
        return normal * self.scale.reshape(shape) + self.offset.reshape(shape)
