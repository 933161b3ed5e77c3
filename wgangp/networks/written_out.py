"""The gradients of WGAN-GP's critic loss written out, for the critics of Table 3 and Figure 3 on the `aten` device.

Such a critic is linear between the kinks of its ReLUs. So the gradient of the penalty by the parameters is that of the
critic's derivative along v = d penalty / d (gradient at x), with the ReLUs' masks as they are at x. One forward pass
and one chain of gradients through real, generated and mixed samples, one pass of v through the masked layers, and a
single gradient by each kernel then replace the second differentiation, with far fewer passes over memory.
"""

import math
from collections.abc import Callable

import paddle
import paddle.nn.functional as F
from paddle import _C_ops

from wgangp.layers import SLOPE, ConvMeanPool, leaky_relu, shifted_mean, upsample
from wgangp.losses import euclidean_norms, interpolate
from wgangp.runtime.kernels import (
    add_with_bias,
    conv,
    conv_dw,
    conv_dx,
    conv_relu,
    relu_backward_over,
    relu_backward_plus,
)


def loss_gradients(
    critic: paddle.nn.Layer,
    blocks: list,
    end: "MeanOverPixels | Flattened",
    heads: list[paddle.nn.Linear],
    real: paddle.Tensor,
    fake: paddle.Tensor,
    loss_of_heads: Callable,
    penalty_of: Callable,
) -> tuple[tuple, tuple, list[paddle.Tensor]]:
    """The critic's loss and its gradients by the critic's parameters; what `WGAN_GP` asks a critic for.

    Args:
        critic: an `ImageLayer` whose parameters are those of its blocks and heads, in this order.
        blocks: a `Layer` or `Block` for each of its parts.
        end: the part that follows them.
        heads: the linear layers of the scores and, where they are trained, of the class logits.
        real, fake, loss_of_heads, penalty_of: as of `WGAN_GP`.

    Returns:
        The value of `loss_of_heads`, that of `penalty_of`, and the gradients of the sum of their scalars, in the order
        of `critic.parameters()`.

    Source: Eq. 3, differentiated.
    """
    n, mixed = real.shape[0], interpolate(real, fake)
    with paddle.no_grad():
        x = critic.enter(paddle.concat([real, fake, mixed])).contiguous()
        for block in blocks:
            x = block.forward(x)
        features = end.forward(x)[: 2 * n]
        outputs = _variables(*(features.matmul(head.weight) + head.bias for head in heads))
        with paddle.enable_grad():
            scores, *logits = outputs
            halves = [half for output in (scores.reshape([-1]), *logits) for half in output.split(2)]
            loss = loss_of_heads(*halves)
        slopes = paddle.grad(loss[0], outputs)

        features_gradient = sum(
            slope.matmul(head.weight, transpose_y=True) for slope, head in zip(slopes, heads, strict=True)
        )
        mixed_gradient = heads[0].weight.t().expand([n, -1])
        d = end.backward(paddle.concat([features_gradient, mixed_gradient]))
        for block in blocks[::-1]:
            d = block.backward(d)
        (gradient,) = _variables(d)
        with paddle.enable_grad():
            penalty = penalty_of(euclidean_norms(gradient))
        (v,) = paddle.grad(penalty[0], gradient)

        for block in blocks:
            v = block.tangent(v)
        v = end.tangent(v)
        gradients = [gradient for block in blocks for gradient in block.gradients()]
        head_gradients = [[features.matmul(slope, transpose_x=True), slope.sum(0)] for slope in slopes]
        head_gradients[0][0] += v.sum(0).reshape([-1, 1])
        gradients += [gradient for pair in head_gradients for gradient in pair]
    return loss, penalty, gradients


def _variables(*tensors):
    """Tensors to differentiate by."""
    tensors = [tensor.detach() for tensor in tensors]
    for tensor in tensors:
        tensor.stop_gradient = False
    return tensors


class MeanOverPixels:
    """The part that follows the blocks of the ResNet: a ReLU and the mean over the pixels.

    Args:
        critic: a `ResNetCritic`.
        n: samples in each third of the batch.
    """

    def __init__(self, critic: paddle.nn.Layer, n: int):
        self.critic, self.n = critic, n

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        self.rectified = F.relu(x)
        return self.critic.mean_over_space(self.rectified)

    def backward(self, d: paddle.Tensor) -> paddle.Tensor:
        pixels = math.prod(self.rectified.shape[axis] for axis in self.critic.spatial_axes)
        d = self.critic.per_channel(d / pixels).expand(self.rectified.shape)
        return _C_ops.relu_grad(self.rectified, d)

    def tangent(self, v: paddle.Tensor) -> paddle.Tensor:
        return self.critic.mean_over_space(relu_backward_over(v, self.rectified[2 * self.n :]))


class Flattened:
    """The part that follows the convolutions of a `ConvCritic`: all features as one vector.

    Args:
        critic: a `ConvCritic`.
    """

    def __init__(self, critic: paddle.nn.Layer):
        self.critic = critic

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        x = self.critic.leave(x)
        self.shape = x.shape[1:]
        return x.reshape([x.shape[0], -1])

    def backward(self, d: paddle.Tensor) -> paddle.Tensor:
        return self.critic.enter(d.reshape([d.shape[0], *self.shape])).contiguous()

    def tangent(self, v: paddle.Tensor) -> paddle.Tensor:
        return self.critic.leave(v).reshape([v.shape[0], -1])


class Layer:
    """A convolution of any stride and a LeakyReLU.

    Args:
        layer: a `Conv2D`.
        n: samples in each third of the batch; the last third is the mixed ones.
        first: whether its input is the images, whose gradient is needed for the mixed samples alone.
    """

    def __init__(self, layer: paddle.nn.Layer, n: int, first: bool):
        self.layer, self.n, self.first = layer, n, first
        self.conv = _Convolution(layer, padding=0)  # `pad` adds what SAME pads

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        self.x = self.pad(x)
        self.y = leaky_relu(self.layer.add_bias(self.conv(self.x)))
        return self.y

    def pad(self, x: paddle.Tensor) -> paddle.Tensor:
        """Pad as SAME does, once for all that use it."""
        self.size, sides = [x.shape[axis] for axis in self.layer.spatial_axes], []
        for size in self.size:
            cut = max(0, (-(-size // self.layer.stride) - 1) * self.layer.stride + self.layer.kernel_size - size)
            sides = [cut // 2, cut - cut // 2, *sides]  # the last axis first
        self.begin = [sides[2], sides[0]]
        return F.pad(x, sides, data_format=self.layer.data_format)

    def backward(self, dy: paddle.Tensor) -> paddle.Tensor:
        self.dz = _C_ops.leaky_relu_grad(self.y, dy, SLOPE)
        mixed = slice(2 * self.n if self.first else 0, None)
        dx = self.conv.dx(self.dz[mixed], self.x[mixed])
        ends = [begin + size for begin, size in zip(self.begin, self.size, strict=True)]
        return dx.slice(self.layer.spatial_axes, self.begin, ends)

    def tangent(self, v: paddle.Tensor) -> paddle.Tensor:
        """Move the mixed samples' input along v, in place of the values that `gradients` needs of them."""
        mixed = slice(2 * self.n, None)
        moved = paddle.assign(self.pad(v), output=self.x[mixed])
        return _C_ops.leaky_relu_grad(self.y[mixed], self.conv(moved), SLOPE)

    def gradients(self) -> list[paddle.Tensor]:
        """The gradients by kernel and bias; that by the bias does not depend on v."""
        return [self.conv.dw(self.dz, self.x), self.dz[: 2 * self.n].sum([0, *self.layer.spatial_axes])]


class _Convolution:
    """A convolution of the critic: its values without the bias, and its two gradients separately.

    Args:
        layer: a `Conv2D` or a `ConvMeanPool`.
        padding: the same on all sides; half of the kernel, as of an odd one with stride 1, when None.
    """

    def __init__(self, layer, padding=None):
        self.layer, self.last = layer, layer.channels_last
        self.pools = isinstance(layer, ConvMeanPool) and layer.kernel_size > 1
        kernel = shifted_mean(layer.weight) if self.pools else layer.weight
        self.kernel = layer.enter(kernel).contiguous()  # here once, not in every call
        padding = layer.kernel_size // 2 if padding is None else padding
        self.geometry = 2 if self.pools else layer.stride, padding, self.last

    def __call__(self, x):
        return conv(x, self.kernel, *self.geometry)

    def rectified(self, x):
        return conv_relu(x, self.kernel, self.layer.bias, *self.geometry)

    def dx(self, dy, x):
        return conv_dx(dy, x, self.kernel, *self.geometry)

    def dw(self, dy, x):
        dw = self.layer.leave(conv_dw(dy, x, self.kernel, *self.geometry))
        return F.avg_pool2d(dw, 2, stride=1) if self.pools else dw  # the adjoint of shifted_mean


class Block:
    """A residual block, x + conv2(relu(conv1(relu(x)))), and its pools; the first block has no ReLU before conv1.

    Args:
        block: of the critic.
        n: samples in each third of the batch; the last third is the mixed ones.
        first: whether its input is the images, whose gradient is needed for the mixed samples alone.
    """

    def __init__(self, block: paddle.nn.Layer, n: int, first: bool):
        self.n, self.first = n, first
        self.conv1, self.conv2 = _Convolution(block.conv1), _Convolution(block.conv2)
        self.shortcut = _Convolution(block.shortcut) if isinstance(block.shortcut, ConvMeanPool) else None

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        self.a = x if self.first else F.relu(x)
        self.b = self.conv1.rectified(self.a)
        bias, residual = self.conv2.layer.bias, self.conv2(self.b)
        if self.shortcut:
            self.pooled = self.pool(x)
            x, bias = self.shortcut(self.pooled), bias + self.shortcut.layer.bias
        return add_with_bias(residual, x, bias, self.conv1.last)

    def pool(self, x: paddle.Tensor) -> paddle.Tensor:
        return F.avg_pool2d(x, 2, data_format=self.conv1.layer.data_format)

    def backward(self, dy: paddle.Tensor) -> paddle.Tensor:
        """The gradient by the input; for the first block, that of the mixed samples alone."""
        self.dy, self.dz = dy, _C_ops.relu_grad(self.b, self.conv2.dx(dy, self.b))
        if self.first:
            mixed = slice(2 * self.n, None)
            dx = self.conv1.dx(self.dz[mixed], self.a[mixed])
            return dx + upsample(self.shortcut.dx(dy[mixed], self.pooled[mixed]) / 4, self.conv1.last)
        other = self.shortcut.dx(dy, self.pooled) / 4 if self.shortcut else dy
        return relu_backward_plus(self.a, self.conv1.dx(self.dz, self.a), other, self.conv1.last)

    def tangent(self, v: paddle.Tensor) -> paddle.Tensor:
        """Move the mixed samples' input along v, in place of the values that `gradients` needs of them."""
        mixed = slice(2 * self.n, None)
        if self.first:
            moved = paddle.assign(v, output=self.a[mixed])
        else:
            moved = relu_backward_over(v, self.a[mixed])
        moved = relu_backward_over(self.conv1(moved), self.b[mixed])
        if self.shortcut:
            v = self.shortcut(paddle.assign(self.pool(v), output=self.pooled[mixed]))
        return self.conv2(moved) + v

    def gradients(self) -> list[paddle.Tensor]:
        """The gradients by kernel and bias of each convolution; those by the biases do not depend on v."""
        bias_gradient = self.sum_bias_gradient(self.dy)
        conv_gradients = [
            self.conv1.dw(self.dz, self.a),
            self.sum_bias_gradient(self.dz),
            self.conv2.dw(self.dy, self.b),
            bias_gradient,
        ]
        return conv_gradients + ([self.shortcut.dw(self.dy, self.pooled), bias_gradient] if self.shortcut else [])

    def sum_bias_gradient(self, dy: paddle.Tensor) -> paddle.Tensor:
        return dy[: 2 * self.n].sum([0, *self.conv1.layer.spatial_axes])
