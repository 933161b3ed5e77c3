"""Multilayer perceptrons for two-dimensional data, with the authors' initial weights."""

import math
from itertools import pairwise

import paddle
from paddle import nn

from wgangp.layers import uniform_linear


class MLP(nn.Layer):
    """ReLU perceptron; hidden weights He-uniform, output weights Glorot-uniform.

    Args:
        sizes: widths from input to output, e.g. [2, 512, 512, 512, 1].

    Source: gan_toy.py lines 40-76; tflib/ops/linear.py lines 48-75.
    """

    def __init__(self, sizes: list[int]):
        super().__init__()
        hidden = [uniform_linear(a, b, math.sqrt(2 / a)) for a, b in pairwise(sizes[:-1])]
        output = uniform_linear(sizes[-2], sizes[-1])
        self.linears = nn.LayerList([*hidden, output])
        self.latent_dim = sizes[0]

    def activations(self, x: paddle.Tensor) -> list[paddle.Tensor]:
        """The activations of every layer: after each ReLU, and the output last.

        Args:
            x: [n, sizes[0]].

        Returns:
            A list of [n, size] for sizes[1:].
        """
        outputs = []
        for linear in self.linears[:-1]:
            x = nn.functional.relu(linear(x))
            outputs.append(x)
        return [*outputs, self.linears[-1](x)]

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        return self.activations(x)[-1]


def toy_generator(width: int = 512, depth: int = 3, latent_dim: int = 2) -> MLP:
    """Generator from N(0, I) to the plane: `depth` hidden layers of `width` units.

    Source: gan_toy.py lines 59-67.
    """
    return MLP([latent_dim] + [width] * depth + [2])


def toy_critic(width: int = 512, depth: int = 3) -> MLP:
    """Critic of points in the plane: `depth` hidden layers of `width` units.

    Source: gan_toy.py lines 69-76; Figure 1b: depth 12 (Section 3.2).
    """
    return MLP([2] + [width] * depth + [1])
