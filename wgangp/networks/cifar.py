"""The networks for CIFAR-10, 32x32 in [-1, 1]: the DCGAN of Figure 3 and the ResNet of Table 3."""

from collections.abc import Callable

import paddle
import paddle.nn.functional as F
from paddle import nn

from wgangp.layers import (
    BatchNorm,
    ConditionalBatchNorm,
    Conv2D,
    ConvMeanPool,
    ImageLayer,
    norm_relu,
    uniform_linear,
)
from wgangp.networks import written_out
from wgangp.networks.convolutional import ConvCritic, DeconvGenerator
from wgangp.networks.resnet import ResidualBlock
from wgangp.runtime import devices


def dcgan_generator(dim: int = 128) -> DeconvGenerator:
    """Generator of Figure 3, latent vectors [n, 128] to [n, 3, 32, 32] in [-1, 1].

    Args:
        dim: width of the last hidden layer.

    Source: gan_cifar.py lines 47-68.
    """
    return DeconvGenerator([4 * dim, 2 * dim, dim], batch_norm="unit")


def dcgan_critic(dim: int = 128, batch_norm: bool = False) -> ConvCritic:
    """Critic of Figure 3, [n, 3, 32, 32] to [n].

    Args:
        dim: width of the first convolution.
        batch_norm: whether there is batch norm, as in all the authors' modes except for the gradient penalty.

    Source: gan_cifar.py lines 70-89.
    """
    return ConvCritic([dim, 2 * dim, 4 * dim], norm=BatchNorm if batch_norm else None)


class ResNetGenerator(ImageLayer):
    """Generator of Table 3: a linear layer and three upsampling residual blocks.

    Args:
        dim: channels of all layers.
        classes: number of labels for conditional batch norm; None for the unsupervised model.

    Attributes:
        sub_batches: in how many, each with its own batch statistics, training draws samples (2 in the authors' code:
            32 + 32 in critic steps, 64 + 64 in generator steps).

    Shapes: [n, 128] and, conditional, labels [n], to [n, 3, 32, 32] in [-1, 1].

    Source: Appendix F; gan_cifar_resnet.py lines 151-163 and 189-192.
    """

    latent_dim, sub_batches = 128, 2

    def __init__(self, dim: int = 128, classes: int | None = None):
        super().__init__()
        self.dim = dim

        def norm(channels):
            return ConditionalBatchNorm(channels, classes) if classes else BatchNorm(channels)

        self.linear = uniform_linear(self.latent_dim, 16 * dim)
        self.blocks = nn.LayerList([ResidualBlock(dim, dim, "up", norm) for _ in range(3)])
        self.norm = BatchNorm(dim)  # without labels in the conditional model too
        self.conv = Conv2D(dim, 3, 3, he_init=False)

    def forward(self, z: paddle.Tensor, *labels: paddle.Tensor) -> paddle.Tensor:
        x = self.enter(self.linear(z).reshape([z.shape[0], self.dim, 4, 4]))
        for block in self.blocks:
            x = block(x, *labels)
        return self.leave(F.tanh(self.conv(norm_relu(self.norm, x))))


class FirstBlock(nn.Layer):
    """First residual block of the critic: no ReLU before it, and the shortcut pools before it convolves.

    Args:
        dim: channels of the output.

    Shapes: [n, 3, h, w] to [n, dim, h / 2, w / 2].

    Source: OptimizedResBlockDisc1 of gan_cifar_resnet.py.
    """

    def __init__(self, dim: int):
        super().__init__()
        self.conv1, self.conv2 = Conv2D(3, dim, 3), ConvMeanPool(dim, dim, 3)
        self.shortcut = ConvMeanPool(3, dim, 1, he_init=False)

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        return self.shortcut(x) + self.conv2(F.relu(self.conv1(x)))


class ResNetCritic(ImageLayer):
    """Critic of Table 3: four residual blocks without normalisation, mean over the pixels, a linear unit.

    Args:
        dim: channels of all layers.
        classes: number of labels of the AC-GAN head; None for the unsupervised model.

    Shapes: [n, 3, 32, 32] to [n]; `heads` gives [n] and logits [n, classes].

    Source: Appendix F; gan_cifar_resnet.py lines 165-179.
    """

    def __init__(self, dim: int = 128, classes: int | None = None):
        super().__init__()
        self.blocks = nn.LayerList([FirstBlock(dim), ResidualBlock(dim, dim, "down")])
        self.blocks.extend([ResidualBlock(dim, dim) for _ in range(2)])
        self.score = uniform_linear(dim, 1)
        self.classifier = uniform_linear(dim, classes) if classes else None

    def features(self, x: paddle.Tensor) -> paddle.Tensor:
        """The input of both heads, [n, dim]."""
        x = self.enter(x)
        for block in self.blocks:
            x = block(x)
        return self.mean_over_space(F.relu(x))

    def heads(self, x: paddle.Tensor) -> tuple[paddle.Tensor, paddle.Tensor]:
        """The scores [n] and the class logits [n, classes]."""
        features = self.features(x)
        return self.score(features).reshape([-1]), self.classifier(features)

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        return self.score(self.features(x)).reshape([-1])

    def loss_gradients(
        self, real: paddle.Tensor, fake: paddle.Tensor, loss_of_heads: Callable, penalty_of: Callable, labelled: bool
    ) -> tuple[tuple, tuple, list[paddle.Tensor]] | None:
        """The gradients of WGAN-GP's loss, as `WGAN_GP` asks for them; None on other devices than `aten`."""
        if type(self) is not ResNetCritic or (self.classifier is not None) != labelled or not devices.on_aten():
            return None
        n, heads = real.shape[0], [self.score, self.classifier] if labelled else [self.score]
        blocks = [written_out.Block(block, n, first=i == 0) for i, block in enumerate(self.blocks)]
        end = written_out.MeanOverPixels(self, n)
        return written_out.loss_gradients(self, blocks, end, heads, real, fake, loss_of_heads, penalty_of)
