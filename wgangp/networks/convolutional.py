"""The DCGAN shape: 5x5 convolutions of stride 2 between an image and 4x4 features."""

from collections.abc import Callable
from itertools import pairwise

import paddle
import paddle.nn.functional as F
from paddle import nn

from wgangp.errors import InputError, check_number
from wgangp.layers import BatchNorm, Conv2D, Deconv2D, Gate, ImageLayer, leaky_relu, uniform_linear
from wgangp.networks import written_out
from wgangp.runtime import devices


def widths_of(size: int, dim: int) -> list[int]:
    """Numbers of channels that double with each halving of an image's size, from half of it down to 4.

    Args:
        size: of the image, a power of two of at least 8.
        dim: the first.

    Raises:
        InputError: the size is no such number.
    """
    size = check_number("size", size, at_least=8, whole=True)
    if size & (size - 1):
        raise InputError(f"size is {size}; use a power of two of at least 8.")
    return [dim * 2**i for i in range(size.bit_length() - 3)]


class DeconvGenerator(ImageLayer):
    """Generator of 4x4 features from a linear layer, then transposed convolutions, each twice as large.

    Args:
        widths: channels of the 4x4 features and after each transposed convolution but the last.
        channels: of the images.
        batch_norm: None, "unit" (the linear layer's outputs each with their own statistics) or
            "channel" (as everywhere else, over the 4x4 pixels too).
        activation: of the hidden layers; a `layers.Gate` doubles their channels.
        output: activation of the images.
        std: standard deviation of the initial weights; the authors' default when None.
        crop: size to which the 8x8 features are cropped; None leaves them as they are.
        latent_dim: length of the latent vectors.

    Shapes: [n, latent_dim] to [n, channels, size, size], size = 4 * 2^len(widths) unless cropped.

    Source: Generator of gan_mnist.py and gan_cifar.py, DCGANGenerator of gan_64x64.py.
    """

    def __init__(
        self,
        widths: list[int],
        channels: int = 3,
        batch_norm: str | None = None,
        activation: Callable[[paddle.Tensor], paddle.Tensor] = F.relu,
        output: Callable[[paddle.Tensor], paddle.Tensor] = F.tanh,
        std: float | None = None,
        crop: int | None = None,
        latent_dim: int = 128,
    ):
        super().__init__()
        self.latent_dim, self.batch_norm, self.crop = latent_dim, batch_norm, crop
        self.activation, self.output = activation, output
        times = 2 if isinstance(activation, Gate) else 1
        self.linear = uniform_linear(latent_dim, 16 * times * widths[0], std)
        self.deconvs = nn.LayerList([Deconv2D(a, times * b, std=std) for a, b in pairwise(widths)])
        self.last = Deconv2D(widths[-1], channels, std=std)
        self.norms = nn.LayerList([nn.Identity() for _ in widths])
        if batch_norm:
            first = 16 if batch_norm == "unit" else 1
            self.norms = nn.LayerList(
                [BatchNorm(first * times * widths[0]), *(BatchNorm(times * width) for width in widths[1:])]
            )

    def forward(self, z: paddle.Tensor) -> paddle.Tensor:
        x = self.linear(z)
        if self.batch_norm == "unit":
            x = self.norms[0](x)
        x = self.enter(x.reshape([x.shape[0], -1, 4, 4]))
        x = self.activation(x if self.batch_norm == "unit" else self.norms[0](x))
        for deconv, norm in zip(self.deconvs, self.norms[1:], strict=True):
            x = self.activation(norm(deconv(x)))
            if self.crop and x.shape[self.spatial_axes[0]] == 8:
                x = x.slice(self.spatial_axes, [0, 0], [self.crop, self.crop])
        return self.leave(self.output(self.last(x)))


class ConvCritic(ImageLayer):
    """Critic of convolutions, each half as large, down to 4x4, and a linear unit.

    Args:
        widths: channels after each convolution.
        channels: of the images.
        norm: layer made from a number of channels, such as `layers.LayerNorm`, after all convolutions
            but the first; None for no normalisation.
        activation: after each convolution; a `layers.Gate` doubles their channels.
        std: standard deviation of the initial weights; the authors' default when None.

    Shapes: [n, channels, size, size] to [n], size at most 4 * 2^len(widths) and more than half of it.

    Source: Discriminator of gan_mnist.py and gan_cifar.py, DCGANDiscriminator of gan_64x64.py.
    """

    def __init__(
        self,
        widths: list[int],
        channels: int = 3,
        norm: Callable[[int], nn.Layer] | None = None,
        activation: Callable[[paddle.Tensor], paddle.Tensor] = leaky_relu,
        std: float | None = None,
    ):
        super().__init__()
        self.activation = activation
        times = 2 if isinstance(activation, Gate) else 1
        pairs = pairwise([channels, *widths])
        self.convs = nn.LayerList([Conv2D(a, times * b, 5, stride=2, std=std) for a, b in pairs])
        norms = [norm(times * width) if norm else nn.Identity() for width in widths[1:]]
        self.norms = nn.LayerList([nn.Identity(), *norms])
        self.linear = uniform_linear(16 * widths[-1], 1, std)

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        x = self.enter(x)
        for conv, norm in zip(self.convs, self.norms, strict=True):
            x = self.activation(norm(conv(x)))
        x = self.leave(x)
        return self.linear(x.reshape([x.shape[0], -1])).reshape([-1])

    def loss_gradients(
        self, real: paddle.Tensor, fake: paddle.Tensor, loss_of_heads: Callable, penalty_of: Callable, labelled: bool
    ) -> tuple[tuple, tuple, list[paddle.Tensor]] | None:
        """The gradients of WGAN-GP's loss, as `WGAN_GP` asks for them; None on other devices than `aten` on a GPU.

        On a CPU, autograd is a fifth faster. They are written out only for LeakyReLU without normalisation.
        """
        plain = self.activation is leaky_relu and all(type(norm) is nn.Identity for norm in self.norms)
        if type(self) is not ConvCritic or labelled or not plain or not (devices.on_aten() and devices.on_gpu()):
            return None
        blocks = [written_out.Layer(conv, real.shape[0], first=i == 0) for i, conv in enumerate(self.convs)]
        end = written_out.Flattened(self)
        return written_out.loss_gradients(self, blocks, end, [self.linear], real, fake, loss_of_heads, penalty_of)
