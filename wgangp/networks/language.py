"""The networks for text: one-dimensional convolutions over a line's characters."""

import paddle
import paddle.nn.functional as F
from paddle import nn

from wgangp.layers import Conv1D, uniform_linear


class ResidualBlock(nn.Layer):
    """Twice a ReLU and a convolution over five characters, times 0.3, plus the input.

    Args:
        dim: channels.

    Shapes: [n, dim, length] to the same.

    Source: ResBlock of gan_language.py.
    """

    def __init__(self, dim: int):
        super().__init__()
        self.conv1, self.conv2 = Conv1D(dim, dim, 5), Conv1D(dim, dim, 5)

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        return x + 0.3 * self.conv2(F.relu(self.conv1(F.relu(x))))


class LanguageGenerator(nn.Layer):
    """Generator of lines: a distribution over the characters at each position, which is what the critic gets.

    Args:
        vocabulary: number of characters.
        dim: channels.
        length: characters per line.
        latent_dim: length of the latent vectors.

    Shapes: [n, latent_dim] to [n, length, vocabulary], which sum to 1 at each position.

    Source: Generator of gan_language.py.
    """

    def __init__(self, vocabulary: int, dim: int = 512, length: int = 32, latent_dim: int = 128):
        super().__init__()
        self.latent_dim, self.shape = latent_dim, [dim, length]
        self.linear = uniform_linear(latent_dim, dim * length)
        self.blocks = nn.Sequential(*[ResidualBlock(dim) for _ in range(5)])
        self.conv = Conv1D(dim, vocabulary, 1)

    def forward(self, z: paddle.Tensor) -> paddle.Tensor:
        x = self.blocks(self.linear(z).reshape([z.shape[0], *self.shape]))
        return F.softmax(self.conv(x).transpose([0, 2, 1]))


class LanguageCritic(nn.Layer):
    """Critic of lines.

    Args:
        vocabulary: number of characters.
        dim: channels.
        length: characters per line.

    Shapes: [n, length, vocabulary] to [n].

    Source: Discriminator of gan_language.py.
    """

    def __init__(self, vocabulary: int, dim: int = 512, length: int = 32):
        super().__init__()
        self.conv = Conv1D(vocabulary, dim, 1)
        self.blocks = nn.Sequential(*[ResidualBlock(dim) for _ in range(5)])
        self.score = uniform_linear(dim * length, 1)

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        x = self.blocks(self.conv(x.transpose([0, 2, 1])))
        return self.score(x.reshape([x.shape[0], -1])).reshape([-1])
