"""Images with the channels first or last in memory."""

import paddle
from paddle import nn


class ImageLayer(nn.Layer):
    """A layer or network of images that can keep the channels last inside, which is faster on GPUs.

    Its images are [n, channels, h, w] to begin with; `use_channels_last` makes them [n, h, w, channels].
    A whole network turns what it is given with `enter` and what it returns with `leave`, so that the
    layout does not show.
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
        """Values [channels] or [n, channels], shaped for images.

        Those of one dimension become [channels, 1, 1], which Paddle's CPU kernels add, and sum back, several times
        faster than [1, channels, 1, 1].
        """
        first = [] if values.ndim == 1 else values.shape[:1]
        return values.reshape([*first, 1, 1, -1] if self.channels_last else [*first, -1, 1, 1])

    def mean_over_space(self, x: paddle.Tensor) -> paddle.Tensor:
        """Mean over height and width, [n, channels]."""
        if self.channels_last:
            return x.mean(self.spatial_axes)
        return x.reshape([*x.shape[:2], -1]).mean(-1)  # the gradient of mean([2, 3]) is ten times slower on the CPU

    def add_bias(self, images: paddle.Tensor) -> paddle.Tensor:
        """Images plus the layer's bias, where it has one."""
        return images if self.bias is None else images + self.per_channel(self.bias)

    def enter(self, x: paddle.Tensor) -> paddle.Tensor:
        """Turn [n, channels, h, w] into the layout inside."""
        return x.transpose([0, 2, 3, 1]) if self.channels_last else x

    def leave(self, x: paddle.Tensor) -> paddle.Tensor:
        """Turn the layout inside into [n, channels, h, w]."""
        return x.transpose([0, 3, 1, 2]) if self.channels_last else x


def use_channels_last(network: nn.Layer) -> None:
    """Let a network of this package keep the channels last inside; others are left as they are.

    Args:
        network: changed in place.
    """
    if isinstance(network, ImageLayer):
        for layer in network.sublayers(include_self=True):
            layer.channels_last = True
