"""Batch and layer normalisation."""

from collections.abc import Iterator
from contextlib import contextmanager

import paddle
import paddle.nn.functional as F
from paddle import nn

from wgangp.layers.memory_layout import ImageLayer
from wgangp.runtime import devices, kernels


class BatchNorm(ImageLayer):
    """Batch normalisation over all axes but the second, always with the batch's own statistics.

    The authors never pass is_training, so that sampling uses the statistics of the batch as well; there are no running
    ones. Within `sub_batches` each part of the batch has its own statistics.

    Args:
        channels: size of axis 1; of a vector each unit is a channel.
        epsilon: added to the variance.

    Source: tflib/ops/batchnorm.py.
    """

    def __init__(self, channels: int, epsilon: float = 1e-5):
        super().__init__()
        self.epsilon, self.parts = epsilon, 1
        self.scale = self.create_parameter([channels], default_initializer=nn.initializer.Constant(1.0))
        self.offset = self.create_parameter([channels], default_initializer=nn.initializer.Constant(0.0))
        # Paddle's operator needs running statistics; momentum 1 leaves them unchanged.
        self.register_buffer("zeros", paddle.zeros([channels]), persistable=False)
        self.register_buffer("ones", paddle.ones([channels]), persistable=False)

    def normalise(
        self,
        x: paddle.Tensor,
        scale: paddle.Tensor | None = None,
        offset: paddle.Tensor | None = None,
        relu: bool = False,
    ) -> paddle.Tensor:
        """Normalise; then scale and shift, if these are given, [channels] each; then rectify, if wanted."""
        if self.parts > 1 and devices.on_aten() and not paddle.is_grad_enabled():
            scale, offset = self.ones if scale is None else scale, self.zeros if offset is None else offset
            last = self.channels_last and x.ndim == 4
            return kernels.norm_of_parts(x, scale, offset, self.parts, self.epsilon, relu, last)
        if self.parts > 1:
            y = paddle.concat([self._normalise(part, scale, offset) for part in x.split(self.parts)])
        else:
            y = self._normalise(x, scale, offset)
        return F.relu(y) if relu else y

    def _normalise(self, x, scale, offset):
        return F.batch_norm(
            x,
            self.zeros,
            self.ones,
            scale,
            offset,
            training=True,
            momentum=1.0,
            epsilon=self.epsilon,
            data_format=self.data_format if x.ndim == 4 else "NC",
        )

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        return self.normalise(x, self.scale, self.offset)


@contextmanager
def sub_batches(network: nn.Layer, count: int) -> Iterator[None]:
    """A context in which the `BatchNorm` layers of a network split their batch into several, each with its statistics.

    Args:
        network: a Paddle layer.
        count: number of sub-batches, of equal size.
    """
    norms = [layer for layer in network.sublayers(include_self=True) if isinstance(layer, BatchNorm)]
    for norm in norms:
        norm.parts = count
    try:
        yield
    finally:
        for norm in norms:
            norm.parts = 1


class ConditionalBatchNorm(BatchNorm):
    """Batch normalisation with a scale and an offset per class, statistics over all classes.

    Args:
        channels: size of axis 1.
        classes: number of labels.
        epsilon: added to the variance.

    Shapes: x [n, channels, h, w] and labels [n], integers from 0.

    Source: tflib/ops/cond_batchnorm.py.
    """

    def __init__(self, channels: int, classes: int = 10, epsilon: float = 1e-5):
        super().__init__(channels, epsilon)
        shape = [classes, channels]
        self.scale = self.create_parameter(shape, default_initializer=nn.initializer.Constant(1.0))
        self.offset = self.create_parameter(shape, default_initializer=nn.initializer.Constant(0.0))

    def forward(self, x: paddle.Tensor, labels: paddle.Tensor) -> paddle.Tensor:
        scale, offset = (self.per_channel(F.embedding(labels, table)) for table in (self.scale, self.offset))
        return self.normalise(x) * scale + offset


class LayerNorm(ImageLayer):
    """Layer normalisation over all axes but the first, scale and offset per channel.

    Written from mean and variance, because Paddle's own has no second derivative.

    Args:
        channels: size of axis 1.
        epsilon: added to the variance.

    Source: tflib/ops/layernorm.py.
    """

    def __init__(self, channels: int, epsilon: float = 1e-5):
        super().__init__()
        self.epsilon = epsilon
        self.scale = self.create_parameter([channels], default_initializer=nn.initializer.Constant(1.0))
        self.offset = self.create_parameter([channels], default_initializer=nn.initializer.Constant(0.0))

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        flat = x.reshape([x.shape[0], -1])  # Paddle's mean over several axes has a slow gradient
        centred = flat - flat.mean(1, keepdim=True)
        normal = (centred / (centred.square().mean(1, keepdim=True) + self.epsilon).sqrt()).reshape(x.shape)
        if x.ndim == 4:
            return normal * self.per_channel(self.scale) + self.per_channel(self.offset)
        shape = [-1] + [1] * (x.ndim - 2)
        return normal * self.scale.reshape(shape) + self.offset.reshape(shape)


CRITIC_NORMS = {"layer": LayerNorm, "batch": BatchNorm, None: None}
