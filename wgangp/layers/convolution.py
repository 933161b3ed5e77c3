"""Convolutions with TensorFlow's SAME padding and the authors' initial weights."""

import math

import paddle
import paddle.nn.functional as F
from paddle import nn

from wgangp.layers.initialization import uniform
from wgangp.layers.memory_layout import ImageLayer


class Conv1D(nn.Layer):
    """Convolution along sequences with TensorFlow's SAME padding and the authors' initial weights.

    Args:
        in_channels, out_channels: of the sequences.
        kernel_size: odd.

    Shapes: [n, in_channels, length] to [n, out_channels, length].

    Source: tflib/ops/conv1d.py (variance 4 / (fan_in + fan_out), zero bias).
    """

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int):
        super().__init__()
        std = math.sqrt(4 / ((in_channels + out_channels) * kernel_size))
        shape = [out_channels, in_channels, kernel_size]
        self.weight = self.create_parameter(shape, default_initializer=uniform(std))
        self.bias = self.create_parameter([out_channels], is_bias=True)
        self.padding = kernel_size // 2

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        return F.conv1d(x, self.weight, padding=self.padding) + self.bias.reshape([-1, 1])


class Conv2D(ImageLayer):
    """Convolution with TensorFlow's SAME padding and the authors' initial weights.

    If the padding is odd, SAME pads one pixel more after than before the image: 1 and 2 for a 5x5 kernel of stride 2 on
    an even size.

    Args:
        in_channels, out_channels: of the images.
        kernel_size: side of the kernel.
        stride: the size of the output is that of the input divided by it, rounded up.
        he_init: whether the initial weights have variance 4 / (fan_in + fan_out) rather than Glorot's
            2 / (fan_in + fan_out), where fan_out is divided by the square of the stride.
        bias: whether there is a bias, initially zero.
        gain: factor of the initial weights.
        std: standard deviation of the initial weights, in place of he_init's.

    Shapes: [n, in_channels, h, w] to [n, out_channels, h / stride, w / stride].

    Source: tflib/ops/conv2d.py lines 55-86.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        stride: int = 1,
        he_init: bool = True,
        bias: bool = True,
        gain: float = 1.0,
        std: float | None = None,
    ):
        super().__init__()
        self.kernel_size, self.stride = kernel_size, stride
        fans = in_channels * kernel_size**2 + out_channels * kernel_size**2 // stride**2
        std = gain * math.sqrt((4 if he_init else 2) / fans) if std is None else std
        shape = [out_channels, in_channels, kernel_size, kernel_size]
        self.weight = self.create_parameter(shape, default_initializer=uniform(std))
        self.bias = self.create_parameter([out_channels], is_bias=True) if bias else None

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        return self.add_bias(F.conv2d(x, self.weight, stride=self.stride, padding="SAME", data_format=self.data_format))


class Conv3D(nn.Conv3D):
    """Paddle's convolution of volumes, made differentiable twice after other layers as well.

    Its second derivative by its input is zero, for which Paddle returns nothing; the expansion before it accepts that.

    Args: as of `paddle.nn.Conv3D`.
    """

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        return super().forward(x.expand(x.shape))


class Deconv2D(ImageLayer):
    """Transposed convolution of stride 2 with TensorFlow's SAME alignment, for generators.

    Args:
        in_channels, out_channels: of the images.
        kernel_size: side of the kernel.
        std: standard deviation of the initial weights; when None, sqrt(4 / (fan_in / 4 + fan_out)).

    Shapes: [n, in_channels, h, w] to [n, out_channels, 2 h, 2 w].

    Source: tflib/ops/deconv2d.py lines 38-105.
    """

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int = 5, std: float | None = None):
        super().__init__()
        cut = kernel_size - 2  # pixels that a side of 2 h + kernel_size - 2 has too many; an odd one is cut behind
        self.padding = [cut // 2, cut - cut // 2] * 2
        fans = in_channels * kernel_size**2 // 4 + out_channels * kernel_size**2
        std = math.sqrt(4 / fans) if std is None else std
        shape = [in_channels, out_channels, kernel_size, kernel_size]
        self.weight = self.create_parameter(shape, default_initializer=uniform(std))
        self.bias = self.create_parameter([out_channels], is_bias=True)

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        # Paddle's own "SAME" is computed from the smaller image and is wrong if its size is odd.
        return self.add_bias(
            F.conv2d_transpose(x, self.weight, stride=2, padding=self.padding, data_format=self.data_format)
        )
