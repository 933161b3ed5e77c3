"""Linear layers of vectors."""

import math

import paddle
from paddle import nn

from wgangp.layers.initialization import uniform


class Linear(nn.Linear):
    """Linear layer of vectors whose bias is added by a matrix product.

    On the CPU, Paddle's own addition of a bias and its gradient are ten times slower.

    Args: as of `paddle.nn.Linear`.

    Shapes: [n, in_features] to [n, out_features].
    """

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        if self.bias is None:
            return x.matmul(self.weight)
        ones = paddle.ones([x.shape[0], 1], dtype=x.dtype)
        return x.matmul(self.weight) + ones.matmul(self.bias.reshape([1, -1]))


def uniform_linear(fan_in: int, fan_out: int, std: float | None = None) -> Linear:
    """Linear layer with uniform weights of a given standard deviation and zero bias.

    Args:
        fan_in, fan_out: sizes of input and output.
        std: standard deviation of the weights; when None, Glorot's, sqrt(2 / (fan_in + fan_out)).

    Source: tflib/ops/linear.py lines 39-60.
    """
    std = math.sqrt(2 / (fan_in + fan_out)) if std is None else std
    return Linear(fan_in, fan_out, weight_attr=uniform(std), bias_attr=nn.initializer.Constant(0.0))
