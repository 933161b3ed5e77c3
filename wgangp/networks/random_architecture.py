"""The set of architectures of Table 1, draws from it, and the networks built from a draw, for 32x32 images."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import paddle
import paddle.nn.functional as F
from paddle import nn

from wgangp.errors import InputError
from wgangp.layers import CRITIC_NORMS, BatchNorm, Conv2D, Deconv2D, ImageLayer, leaky_relu, uniform_linear


def softplus(x: paddle.Tensor) -> paddle.Tensor:
    """softplus(2x + 2) / 2 - 1, which is near ELU and has a second derivative everywhere.

    Args:
        x: any shape.

    Source: Table 1 and Appendix D.
    """
    return F.softplus(2 * x + 2) / 2 - 1


NONLINEARITIES = {"ReLU": F.relu, "LeakyReLU": leaky_relu, "softplus": softplus, "tanh": F.tanh}
DEPTHS = (4, 8, 12, 20)
FILTERS = (32, 64, 128)

CHOICES = {
    "generator_nonlinearity": tuple(NONLINEARITIES),
    "critic_nonlinearity": tuple(NONLINEARITIES),
    "generator_depth": DEPTHS,
    "critic_depth": DEPTHS,
    "generator_normalised": (True, False),
    "critic_normalised": (True, False),
    "generator_filters": FILTERS,
    "critic_filters": FILTERS,
}
SIZE = math.prod(map(len, CHOICES.values()))  # 9,216


@dataclass(frozen=True)
class Architecture:
    """One architecture of the set: a choice for each line of Table 1.

    Attributes:
        generator_nonlinearity, critic_nonlinearity: of NONLINEARITIES.
        generator_depth, critic_depth: layers with weights, of DEPTHS.
        generator_normalised: batch norm in the generator.
        critic_normalised: batch norm in the critic, or layer norm for WGAN-GP.
        generator_filters, critic_filters: channels next to the images, of FILTERS.

    Source: Table 1.
    """

    generator_nonlinearity: str
    critic_nonlinearity: str
    generator_depth: int
    critic_depth: int
    generator_normalised: bool
    critic_normalised: bool
    generator_filters: int
    critic_filters: int

    def __str__(self):
        def half(name):
            normalised = "normalised" if getattr(self, f"{name}_normalised") else "plain"
            parts = (getattr(self, f"{name}_{part}") for part in ("nonlinearity", "depth", "filters"))
            return " ".join(map(str, [name, *parts, normalised]))

        return f"{half('generator')}; {half('critic')}"


def architecture(index: int) -> Architecture:
    """The architecture with a given number; the choice in the last line of `CHOICES` changes fastest.

    Args:
        index: 0 to 9,215.

    Raises:
        InputError: there is no architecture with this number.
    """
    if not 0 <= index < SIZE:
        raise InputError(f"architecture {index} is not one of 0 to {SIZE - 1}.")
    positions = np.unravel_index(index, [len(options) for options in CHOICES.values()])
    return Architecture(*(options[i] for options, i in zip(CHOICES.values(), positions, strict=True)))


def draw(count: int, seed: int = 0) -> np.ndarray:
    """Draw different architectures, each equally likely; a smaller draw with the same seed begins a larger one.

    Args:
        count: how many, at most 9,216.
        seed: of the draw.

    Returns:
        Their numbers, integers [count].
    """
    return np.random.default_rng(seed).permutation(SIZE)[:count]


def build(chosen: Architecture, critic_norm: str, divisor: int = 1) -> tuple[nn.Layer, nn.Layer]:
    """Build the two networks of an architecture.

    Args:
        chosen: the architecture.
        critic_norm: "layer" or "batch", the norm that a normalised critic has.
        divisor: of the numbers of filters.

    Returns:
        Generator, [n, 128] to [n, 3, 32, 32] in [-1, 1], and critic, [n, 3, 32, 32] to [n].

    Source: Table 1; the weights and shapes are those of wgan_imagenet32_stab.py in igul222/nn.
    """
    generator = RandomGenerator(
        chosen.generator_filters // divisor,
        chosen.generator_depth,
        NONLINEARITIES[chosen.generator_nonlinearity],
        BatchNorm if chosen.generator_normalised else None,
    )
    critic = RandomCritic(
        chosen.critic_filters // divisor,
        chosen.critic_depth,
        NONLINEARITIES[chosen.critic_nonlinearity],
        CRITIC_NORMS[critic_norm] if chosen.critic_normalised else None,
    )
    return generator, critic


def _norms(norm, widths):
    return nn.LayerList([norm(width) if norm else nn.Identity() for width in widths])


class RandomGenerator(ImageLayer):
    """DCGAN generator with 3x3 convolutions of stride 1 at 8x8 pixels that make up its depth.

    Args:
        dim: channels of the last hidden layer.
        depth: layers with weights, at least 4 (the linear layer and three transposed convolutions).
        nonlinearity: of the hidden layers.
        norm: layer made from a number of channels, after every layer but the last; None for no normalisation.

    Shapes: [n, 128] to [n, 3, 32, 32] in [-1, 1].

    Source: DCGANGenerator and EXTRA_DEPTH_G of wgan_imagenet32_stab.py in igul222/nn.
    """

    latent_dim = 128

    def __init__(
        self,
        dim: int,
        depth: int,
        nonlinearity: Callable[[paddle.Tensor], paddle.Tensor],
        norm: Callable[[int], nn.Layer] | None,
    ):
        super().__init__()
        self.nonlinearity = nonlinearity
        self.linear = uniform_linear(self.latent_dim, 16 * 4 * dim)
        extra = [Conv2D(2 * dim, 2 * dim, 3) for _ in range(depth - 4)]
        self.convs = nn.LayerList([Deconv2D(4 * dim, 2 * dim), *extra, Deconv2D(2 * dim, dim)])
        self.norms = _norms(norm, [4 * dim, *[2 * dim] * (depth - 3), dim])
        self.last = Deconv2D(dim, 3)

    def forward(self, z: paddle.Tensor) -> paddle.Tensor:
        x = self.enter(self.linear(z).reshape([z.shape[0], -1, 4, 4]))
        x = self.nonlinearity(self.norms[0](x))
        for conv, norm in zip(self.convs, self.norms[1:], strict=True):
            x = self.nonlinearity(norm(conv(x)))
        return self.leave(F.tanh(self.last(x)))


class RandomCritic(ImageLayer):
    """DCGAN critic with 3x3 convolutions of stride 1 at 8x8 pixels that make up its depth.

    Args:
        dim: channels of the first convolution.
        depth: layers with weights, at least 4 (three convolutions of stride 2 and the linear unit).
        nonlinearity: after each convolution.
        norm: layer made from a number of channels, after all convolutions but the first; None for no normalisation.

    Shapes: [n, 3, 32, 32] to [n].

    Source: DCGANDiscriminator and EXTRA_DEPTH_D of wgan_imagenet32_stab.py in igul222/nn.
    """

    def __init__(
        self,
        dim: int,
        depth: int,
        nonlinearity: Callable[[paddle.Tensor], paddle.Tensor],
        norm: Callable[[int], nn.Layer] | None,
    ):
        super().__init__()
        self.nonlinearity = nonlinearity
        self.first = Conv2D(3, dim, 5, stride=2)
        extra = [Conv2D(2 * dim, 2 * dim, 3) for _ in range(depth - 4)]
        before, after = Conv2D(dim, 2 * dim, 5, stride=2), Conv2D(2 * dim, 4 * dim, 5, stride=2)
        self.convs = nn.LayerList([before, *extra, after])
        self.norms = _norms(norm, [*[2 * dim] * (depth - 3), 4 * dim])
        self.linear = uniform_linear(16 * 4 * dim, 1)

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        x = self.nonlinearity(self.first(self.enter(x)))
        for conv, norm in zip(self.convs, self.norms, strict=True):
            x = self.nonlinearity(norm(conv(x)))
        x = self.leave(x)
        return self.linear(x.reshape([x.shape[0], -1])).reshape([-1])
