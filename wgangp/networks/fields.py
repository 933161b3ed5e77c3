"""The networks for random fields: unbounded values on a square grid."""

from paddle import nn

from wgangp.layers import BatchNorm
from wgangp.networks.convolutional import ConvCritic, DeconvGenerator, widths_of


def field_generator(size: int = 32, dim: int = 64, channels: int = 1, latent_dim: int = 128) -> DeconvGenerator:
    """Generator of fields, latent vectors [n, latent_dim] to [n, channels, size, size].

    Args:
        size: points per side, a power of two of at least 8.
        dim: width of the last hidden layer; each before it is twice as wide.
        channels: quantities per point.
        latent_dim: length of the latent vectors.

    Raises:
        InputError: the size is no such number.

    Source: Generator of gan_cifar.py, without its tanh.
    """
    return DeconvGenerator(widths_of(size, dim)[::-1], channels, "channel", output=nn.Identity(), latent_dim=latent_dim)


def field_critic(size: int = 32, dim: int = 64, channels: int = 1, batch_norm: bool = False) -> ConvCritic:
    """Critic of fields, [n, channels, size, size] to [n].

    Args:
        size, channels: as for `field_generator`.
        dim: width of the first convolution; each after it is twice as wide.
        batch_norm: whether there is batch norm, as in all the authors' modes except for the gradient penalty.

    Raises:
        InputError: the size is no such number.

    Source: Discriminator of gan_cifar.py.
    """
    return ConvCritic(widths_of(size, dim), channels, norm=BatchNorm if batch_norm else None)
