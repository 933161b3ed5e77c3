"""Nonlinearities."""

import paddle
import paddle.nn.functional as F
from paddle import nn

from wgangp.layers.memory_layout import ImageLayer
from wgangp.layers.normalization import BatchNorm


class Gate(ImageLayer):
    """Gated nonlinearity: sigmoid of the even channels times tanh of the odd ones.

    Shapes: [n, 2 c, h, w] to [n, c, h, w].

    Source: pixcnn_gated_nonlinearity of gan_64x64.py.
    """

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        axis = 3 if self.channels_last else 1
        shape = x.shape[:axis] + [x.shape[axis] // 2] + x.shape[axis + 1 :]
        even, odd = x.reshape([*shape[: axis + 1], 2, *shape[axis + 1 :]]).split(2, axis + 1)
        return (F.sigmoid(even) * F.tanh(odd)).reshape(shape)


SLOPE = 0.2  # of the LeakyReLU, gan_cifar.py lines 36-37


def leaky_relu(x: paddle.Tensor) -> paddle.Tensor:
    """LeakyReLU with the authors' slope.

    Args:
        x: any shape.

    Source: gan_cifar.py lines 36-37.
    """
    return F.leaky_relu(x, SLOPE)


def norm_relu(norm: nn.Layer, x: paddle.Tensor, *labels: paddle.Tensor) -> paddle.Tensor:
    """Normalise and rectify, relu(norm(x, *labels)), in one operation where possible.

    Args:
        norm: a normalisation layer.
        x, labels: its arguments.
    """
    if type(norm) is BatchNorm:
        return norm.normalise(x, norm.scale, norm.offset, relu=True)
    return F.relu(norm(x, *labels))
