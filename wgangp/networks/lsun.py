"""The networks for LSUN bedrooms in [-1, 1]: the seven pairs of Figure 2 and the ResNets."""

import math
from collections.abc import Callable
from itertools import pairwise

import paddle
import paddle.nn.functional as F
from paddle import nn

from wgangp.errors import InputError
from wgangp.layers import (
    CRITIC_NORMS,
    BatchNorm,
    Conv2D,
    Deconv2D,
    Gate,
    ImageLayer,
    LayerNorm,
    SubpixelConv2D,
    UpsampleConv,
    uniform_linear,
)
from wgangp.networks.convolutional import ConvCritic, DeconvGenerator, widths_of
from wgangp.networks.resnet import ResidualBlock

NAMES = ("dcgan", "constant_filters", "mlp", "no_normalisation", "gated", "tanh", "resnet101")


def pair(name: str, normalise_critic: str | None = "layer", dim: int = 64, size: int = 64) -> tuple[nn.Layer, nn.Layer]:
    """One row of Figure 2: a generator and a critic.

    Args:
        name: "dcgan" (the baseline), "constant_filters" (no batch norm and a constant number of filters
            in the generator), "mlp" (4-layer 512-unit ReLU generator), "no_normalisation" (in neither),
            "gated" (multiplicative nonlinearities everywhere), "tanh" (everywhere) or "resnet101".
        normalise_critic: "layer" for the gradient penalty, "batch" for the other methods, or None.
        dim: base width.
        size: of the images, 64 in the paper; with a smaller power of two, the stages next to the 4x4 features are left
            out.

    Returns:
        Generator, [n, 128] to [n, 3, size, size], and critic, [n, 3, size, size] to [n].

    Raises:
        InputError: the name, the normalisation or the size is unknown.

    Source: Section 5.2; gan_64x64.py lines 38-71.
    """
    if name not in NAMES:
        raise InputError(f"architecture {name!r} is unknown; use one of {', '.join(NAMES)}.")
    if normalise_critic not in CRITIC_NORMS:
        raise InputError(f"normalise_critic is {normalise_critic!r}; use 'layer', 'batch' or None.")
    widths = widths_of(size, dim)
    norm = CRITIC_NORMS[normalise_critic]
    if name == "gated":
        return (
            DeconvGenerator(widths[::-1], batch_norm="channel", activation=Gate()),
            ConvCritic(widths, norm=norm, activation=Gate()),
        )
    if name == "tanh":
        return (
            DeconvGenerator(widths[::-1], batch_norm="channel", activation=F.tanh, std=0.02),
            ConvCritic(widths, norm=norm, activation=F.tanh, std=0.02),
        )
    if name == "no_normalisation":
        return DeconvGenerator(widths[::-1], std=0.02), ConvCritic(widths, std=0.02)
    if name == "resnet101":
        return BottleneckGenerator(dim, size), BottleneckCritic(dim, size, norm)
    generator = {
        "dcgan": lambda: DeconvGenerator(widths[::-1], batch_norm="channel", std=0.02),
        "constant_filters": lambda: DeconvGenerator([dim] * len(widths)),
        "mlp": lambda: MLPGenerator(size),
    }[name]()
    return generator, ConvCritic(widths, norm=norm, std=0.02)


class MLPGenerator(nn.Layer):
    """Four ReLU layers of `units`, He-uniform, and a linear layer to the pixels.

    Args:
        size: of the images.
        units: width of the hidden layers.

    Shapes: [n, 128] to [n, 3, size, size] in [-1, 1].

    Source: FCGenerator of gan_64x64.py.
    """

    latent_dim = 128

    def __init__(self, size: int = 64, units: int = 512):
        super().__init__()
        self.size = size
        sizes = [self.latent_dim, units, units, units, units]
        self.hidden = nn.LayerList([uniform_linear(a, b, math.sqrt(2 / a)) for a, b in pairwise(sizes)])
        self.output = uniform_linear(units, 3 * size**2)

    def forward(self, z: paddle.Tensor) -> paddle.Tensor:
        for linear in self.hidden:
            z = F.relu(linear(z))
        return F.tanh(self.output(z)).reshape([-1, 3, self.size, self.size])


class BottleneckBlock(nn.Layer):
    """Residual block of three convolutions, 1x1, 3x3 and 1x1, whose branch is multiplied by 0.3.

    Args:
        in_channels, out_channels: of the images, even.
        resample: None, "up" or "down".
        norm: layer made from a number of channels, at the branch's end; None for no normalisation.

    Shapes: [n, in_channels, h, w] to [n, out_channels, h', w'], h' = h, 2 h or h / 2.

    Source: BottleneckResidualBlock of gan_64x64.py.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        resample: str | None = None,
        norm: Callable[[int], nn.Layer] | None = None,
    ):
        super().__init__()
        before, after = in_channels // 2, out_channels // 2
        self.reduce, self.shortcut = Conv2D(in_channels, before, 1), nn.Identity()
        if resample == "up":
            self.conv = Deconv2D(before, after, 3)
            self.shortcut = SubpixelConv2D(in_channels, out_channels, 1, he_init=False)
        elif resample == "down":
            self.conv = Conv2D(before, after, 3, stride=2)
            self.shortcut = Conv2D(in_channels, out_channels, 1, stride=2, he_init=False)
        else:
            self.conv = Conv2D(before, after, 3)
        self.expand = Conv2D(after, out_channels, 1, bias=False)
        self.norm = norm(out_channels) if norm else nn.Identity()

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        y = self.conv(F.relu(self.reduce(F.relu(x))))
        return self.shortcut(x) + 0.3 * self.norm(self.expand(F.relu(y)))


class BottleneckGenerator(ImageLayer):
    """The 101-layer generator: 33 bottleneck blocks, a linear layer before and a 1x1 convolution after.

    Args:
        dim: channels at half the size of the images; at their full size there are half as many.
        size: of the images.

    Shapes: [n, 128] to [n, 3, size, size] in [-1, 1].

    Source: ResnetGenerator of gan_64x64.py.
    """

    latent_dim = 128

    def __init__(self, dim: int = 64, size: int = 64):
        super().__init__()
        widths = [*reversed(widths_of(size, dim)), dim // 2]
        self.width = widths[0]
        self.linear = uniform_linear(self.latent_dim, 16 * widths[0])
        blocks = []
        for before, after in pairwise(widths):
            blocks += [BottleneckBlock(before, before, norm=BatchNorm) for _ in range(6)]
            blocks.append(BottleneckBlock(before, after, "up", BatchNorm))
        blocks += [BottleneckBlock(dim // 2, dim // 2, norm=BatchNorm) for _ in range(5)]
        self.blocks = nn.LayerList(blocks)
        self.output = Conv2D(dim // 2, 3, 1, he_init=False)

    def forward(self, z: paddle.Tensor) -> paddle.Tensor:
        x = self.enter(self.linear(z).reshape([z.shape[0], self.width, 4, 4]))
        for block in self.blocks:
            x = block(x)
        return self.leave(F.tanh(self.output(x) / 5))


class BottleneckCritic(ImageLayer):
    """The 101-layer critic, the generator's mirror image.

    Args:
        dim, size: as of `BottleneckGenerator`.
        norm: layer made from a number of channels; None for no normalisation.

    Shapes: [n, 3, size, size] to [n].

    Source: ResnetDiscriminator of gan_64x64.py.
    """

    def __init__(self, dim: int = 64, size: int = 64, norm: Callable[[int], nn.Layer] | None = LayerNorm):
        super().__init__()
        widths = [dim // 2, *widths_of(size, dim)]
        self.input = Conv2D(3, dim // 2, 1, he_init=False)
        blocks = [BottleneckBlock(dim // 2, dim // 2, norm=norm) for _ in range(5)]
        for before, after in pairwise(widths):
            blocks.append(BottleneckBlock(before, after, "down", norm))
            blocks += [BottleneckBlock(after, after, norm=norm) for _ in range(6)]
        self.blocks = nn.LayerList(blocks)
        self.linear = uniform_linear(16 * widths[-1], 1)

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        x = self.input(self.enter(x))
        for block in self.blocks:
            x = block(x)
        return self.linear(self.leave(x).reshape([x.shape[0], -1])).reshape([-1]) / 5


class DeepGenerator(ImageLayer):
    """Generator of Figure 4: upsampling residual blocks to half the size, then a 5x5 upsampling convolution.

    Args:
        dim: channels at 64x64; 2, 4, 8 and 8 times as many at 32, 16, 8 and 4.
        size: of the images, 128 in the paper, or 64 (without the block that makes 64x64 features).

    Attributes:
        sub_batches: number of sub-batches, each with its own batch statistics, in which training draws samples (8 of 8
            samples in the authors' script, one on each of their GPUs).

    Shapes: [n, 128] to [n, 3, size, size] in [-1, 1].

    Raises:
        InputError: the size is another.

    Source: experiments/wgan/wgan_imagenet128.py of igul222/nn, used with LSUN.
    """

    latent_dim, sub_batches = 128, 8

    def __init__(self, dim: int = 64, size: int = 128):
        super().__init__()
        _check_deep(size)
        widths = [8 * dim, 8 * dim, 4 * dim, 2 * dim, dim][: 5 if size == 128 else 4]
        self.width = widths[0]
        self.linear = uniform_linear(self.latent_dim, 16 * widths[0])
        self.blocks = nn.LayerList([ResidualBlock(a, b, "up", BatchNorm, gain=0.5) for a, b in pairwise(widths)])
        self.norm = BatchNorm(widths[-1])
        self.output = UpsampleConv(widths[-1], 3, 5, he_init=False, gain=0.5)

    def forward(self, z: paddle.Tensor) -> paddle.Tensor:
        x = self.enter(self.linear(z).reshape([z.shape[0], self.width, 4, 4]))
        for block in self.blocks:
            x = block(x)
        return self.leave(F.tanh(self.output(F.relu(self.norm(x)))))


class DeepCritic(ImageLayer):
    """Critic of Figure 4: a 5x5 convolution of stride 2, residual blocks with layer norm down to 8x8, and the mean.

    Args:
        dim: half the channels at 64x64; 4, 8 and 16 times as many as dim at 32, 16 and 8.
        size: of the images, 128 in the paper, or 64 (without the block that takes 64x64 features).

    Shapes: [n, 3, size, size] to [n].

    Raises:
        InputError: the size is another.

    Source: experiments/wgan/wgan_imagenet128.py of igul222/nn, used with LSUN.
    """

    def __init__(self, dim: int = 64, size: int = 128):
        super().__init__()
        _check_deep(size)
        widths = [2 * dim, 4 * dim, 8 * dim, 16 * dim][0 if size == 128 else 1 :]
        self.input = Conv2D(3, widths[0], 5, stride=2)
        blocks = [ResidualBlock(a, b, "down", LayerNorm, strided=True) for a, b in pairwise(widths)]
        blocks += [ResidualBlock(16 * dim, 16 * dim, norm=LayerNorm) for _ in range(2)]
        self.blocks = nn.LayerList(blocks)
        self.linear = uniform_linear(16 * dim, 1)

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        x = self.input(self.enter(x))
        for block in self.blocks:
            x = block(x)
        return self.linear(self.mean_over_space(x)).reshape([-1])


def _check_deep(size):
    if size not in (64, 128):
        raise InputError(f"size is {size}; the deep ResNet is for 64 or 128 pixels.")
