"""The networks for MNIST digits, 28x28 in [0, 1]."""

import paddle.nn.functional as F

from wgangp.layers import BatchNorm
from wgangp.networks.convolutional import ConvCritic, DeconvGenerator


def mnist_generator(dim: int = 64, batch_norm: bool = False) -> DeconvGenerator:
    """Generator of digits, latent vectors [n, 128] to [n, 1, 28, 28] in [0, 1].

    Args:
        dim: width of the last hidden layer.
        batch_norm: whether there is batch norm, as in the authors' clipping mode.

    Source: gan_mnist.py lines 55-80.
    """
    widths = [4 * dim, 2 * dim, dim]
    return DeconvGenerator(widths, 1, "unit" if batch_norm else None, output=F.sigmoid, crop=7)


def mnist_critic(dim: int = 64, batch_norm: bool = False) -> ConvCritic:
    """Critic of digits, [n, 1, 28, 28] to [n].

    Args:
        dim: width of the first convolution.
        batch_norm: whether there is batch norm, as in the authors' clipping mode.

    Source: gan_mnist.py lines 82-101.
    """
    return ConvCritic([dim, 2 * dim, 4 * dim], 1, BatchNorm if batch_norm else None)
