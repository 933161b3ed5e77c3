"""Convolutions that halve or double the size of images."""

import paddle
import paddle.nn.functional as F

from wgangp.layers.convolution import Conv2D


def shifted_mean(kernel: paddle.Tensor) -> paddle.Tensor:
    """The mean of the four shifts of a kernel by 0 or 1 pixel in each direction.

    Args:
        kernel: [out, in, k, k].

    Returns:
        [out, in, k + 1, k + 1].
    """
    return F.avg_pool2d(kernel, 2, stride=1, padding=1, exclusive=False)


class ConvMeanPool(Conv2D):
    """Convolution followed by a 2x2 mean pool, computed as one convolution of stride 2.

    The kernel of that one is larger, the mean of the four shifts of this layer's, but takes less than half the
    arithmetic. A 1x1 convolution commutes with the pool, so that this layer is the authors' MeanPoolConv, too.

    Args: as of `Conv2D`, kernel_size odd, stride 1.

    Shapes: [n, in_channels, h, w] to [n, out_channels, h / 2, w / 2], h and w even.

    Source: ConvMeanPool and MeanPoolConv of gan_cifar_resnet.py.
    """

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        if self.kernel_size == 1:
            return super().forward(F.avg_pool2d(x, 2, data_format=self.data_format))
        kernel, padding = shifted_mean(self.weight), self.kernel_size // 2
        return self.add_bias(F.conv2d(x, kernel, stride=2, padding=padding, data_format=self.data_format))


def upsample(x: paddle.Tensor, channels_last: bool = False) -> paddle.Tensor:
    """Repeat every pixel 2x2 times.

    Args:
        x: [n, c, h, w], or [n, h, w, c] with channels_last.
        channels_last: the layout of x.

    Returns:
        [n, c, 2 h, 2 w] or [n, 2 h, 2 w, c].
    """
    n, *shape = x.shape
    h, w = shape[:2] if channels_last else shape[1:]
    before, after = ([n], shape[2:]) if channels_last else ([n, shape[0]], [])
    x = x.reshape([*before, h, 1, w, 1, *after]).expand([*before, h, 2, w, 2, *after])
    return x.reshape([*before, 2 * h, 2 * w, *after])


class UpsampleConv(Conv2D):
    """2x upsampling followed by a convolution, computed as one transposed convolution of stride 2.

    Paddle can differentiate it only once: it is for generators.

    Args: as of `Conv2D`, kernel_size odd, stride 1.

    Shapes: [n, in_channels, h, w] to [n, out_channels, 2 h, 2 w].

    Source: UpsampleConv of gan_cifar_resnet.py.
    """

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        if self.kernel_size == 1:
            return upsample(super().forward(x), self.channels_last)
        kernel, padding = 4 * shifted_mean(self.weight.flip([2, 3]).transpose([1, 0, 2, 3])), self.kernel_size // 2
        return self.add_bias(F.conv2d_transpose(x, kernel, stride=2, padding=padding, data_format=self.data_format))


class SubpixelConv2D(Conv2D):
    """Convolution to four times the channels, which become the pixels of an image twice as large.

    Args: as of `Conv2D`, out_channels being those of the larger image.

    Shapes: [n, in_channels, h, w] to [n, out_channels, 2 h, 2 w].

    Source: SubpixelConv2D of gan_64x64.py (TensorFlow's depth_to_space: pixel first, then channel).
    """

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int, he_init: bool = True):
        super().__init__(in_channels, 4 * out_channels, kernel_size, he_init=he_init)

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        x = super().forward(x)
        if self.channels_last:
            n, h, w, _ = x.shape
            return x.reshape([n, h, w, 2, 2, -1]).transpose([0, 1, 3, 2, 4, 5]).reshape([n, 2 * h, 2 * w, -1])
        n, _, h, w = x.shape
        return x.reshape([n, 2, 2, -1, h, w]).transpose([0, 3, 4, 1, 5, 2]).reshape([n, -1, 2 * h, 2 * w])
