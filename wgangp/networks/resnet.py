"""The residual block that the CIFAR-10 and the LSUN ResNets share."""

from collections.abc import Callable

import paddle
from paddle import nn

from wgangp.layers import Conv2D, ConvMeanPool, UpsampleConv, norm_relu


class ResidualBlock(nn.Layer):
    """Pre-activation residual block: twice normalisation, ReLU and a 3x3 convolution, plus a shortcut.

    "up" upsamples before the first convolution, "down" mean-pools after the second.

    Args:
        in_channels, out_channels: of the images, equal when resample is None.
        resample: None, "up" or "down".
        norm: layer made from a number of channels; None for no normalisation.
        strided: whether "down" gives the second convolution a stride of 2 instead of the pool.
        gain: factor of the initial weights of the upsampling convolutions.

    Shapes: [n, in_channels, h, w] and, with a conditional norm, labels [n], to [n, out_channels, h', w'],
        h' = h, 2 h or h / 2.

    Source: Appendix F; ResidualBlock of gan_cifar_resnet.py and gan_64x64.py.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        resample: str | None = None,
        norm: Callable[[int], nn.Layer] | None = None,
        strided: bool = False,
        gain: float = 1.0,
    ):
        super().__init__()
        if resample == "up":
            self.conv1 = UpsampleConv(in_channels, out_channels, 3, gain=gain)
            self.conv2 = Conv2D(out_channels, out_channels, 3)
            self.shortcut = UpsampleConv(in_channels, out_channels, 1, he_init=False, gain=gain)
        elif resample == "down":
            self.conv1 = Conv2D(in_channels, in_channels, 3)
            if strided:
                self.conv2 = Conv2D(in_channels, out_channels, 3, stride=2)
            else:
                self.conv2 = ConvMeanPool(in_channels, out_channels, 3)
            self.shortcut = ConvMeanPool(in_channels, out_channels, 1, he_init=False)
        else:
            self.conv1 = Conv2D(in_channels, in_channels, 3)
            self.conv2 = Conv2D(in_channels, in_channels, 3)
            self.shortcut = nn.Identity()
        middle = out_channels if resample == "up" else in_channels
        self.norm1, self.norm2 = (norm(width) if norm else nn.Identity() for width in (in_channels, middle))

    def forward(self, x: paddle.Tensor, *labels: paddle.Tensor) -> paddle.Tensor:
        y = self.conv1(norm_relu(self.norm1, x, *labels))
        return self.shortcut(x) + self.conv2(norm_relu(self.norm2, y, *labels))
