"""Images with the channels first or last in memory."""

import paddle
from paddle import nn


class ImageLayer(nn.Layer):
    """A layer or network of images that can keep the channels last inside, which is faster on GPUs.

    Its images are [n, channels, h, w] by default; `use_channels_last` makes them [n, h, w, channels]. A whole network
    transposes its input with `enter` and its output with `leave`, so that the layout does not show outside.
    """

    channels_last = False

    @property
    def data_format(self) -> str:
        return "NHWC" if self.channels_last else "NCHW"

    @property
    def spatial_axes(self) -> list[int]:
        """The axes of height and width."""
        return [1, 2] if self.channels_last else [2, 3]

    def per_channel(self, values: paddle.Tensor) -> paddle.Tensor:
        """Reshape values [channels] or [n, channels] so that they can be added to images.

        Values [channels] become [channels, 1, 1]: on the CPU, Paddle adds these, and sums their gradient, several times
        faster than [1, channels, 1, 1].
        """
        first = [] if values.ndim == 1 else values.shape[:1]
        return values.reshape([*first, 1, 1, -1] if self.channels_last else [*first, -1, 1, 1])

    def mean_over_space(self, x: paddle.Tensor) -> paddle.Tensor:
        """The mean over height and width, [n, channels]."""
        if self.channels_last:
            return x.mean(self.spatial_axes)
        return x.reshape([*x.shape[:2], -1]).mean(-1)  # the gradient of mean([2, 3]) is ten times slower on the CPU

    def add_bias(self, images: paddle.Tensor) -> paddle.Tensor:
        """Add the bias of the layer, if it has one, to images."""
        return images if self.bias is None else images + self.per_channel(self.bias)

    def enter(self, x: paddle.Tensor) -> paddle.Tensor:
        """Turn images [n, channels, h, w] into the layout inside the network."""
        return x.transpose([0, 2, 3, 1]) if self.channels_last else x

    def leave(self, x: paddle.Tensor) -> paddle.Tensor:
        """Turn images in the layout inside the network into [n, channels, h, w]."""
        return x.transpose([0, 3, 1, 2]) if self.channels_last else x


def use_channels_last(network: nn.Layer) -> None:
    """Let a network of this package keep the channels last inside; other networks are not changed.

    Args:
        network: changed in place.
    """
    if isinstance(network, ImageLayer):
        for layer in network.sublayers(include_self=True):
            layer.channels_last = True
