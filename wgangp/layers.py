"""Layers that Paddle lacks or cannot differentiate twice, and the authors' initial weights."""

import math

import paddle
import paddle.nn.functional as F
from paddle import nn

from paddle_aten import norm_of_parts
from wgangp.runtime import devices


def _uniform(std):
    return nn.initializer.Uniform(-std * math.sqrt(3), std * math.sqrt(3))


class ImageLayer(nn.Layer):
    """A layer or network of images that can keep the channels last inside, which is faster on GPUs.

    Its images are [n, channels, h, w] to begin with; `use_channels_last` makes them [n, h, w, channels].
    A whole network turns what it is given with `enter` and what it returns with `leave`, so that the
    layout does not show.
    """

    channels_last = False

    @property
    def data_format(self):
        return "NHWC" if self.channels_last else "NCHW"

    @property
    def plane(self):
        """The axes of height and width."""
        return [1, 2] if self.channels_last else [2, 3]

    def per_channel(self, values):
        """Values [channels] or [n, channels], shaped for images.

        Those of one dimension become [channels, 1, 1], which Paddle's CPU kernels add, and sum back, several times
        faster than [1, channels, 1, 1].
        """
        first = [] if values.ndim == 1 else values.shape[:1]
        return values.reshape([*first, 1, 1, -1] if self.channels_last else [*first, -1, 1, 1])

    def mean_over_plane(self, x):
        """Mean over height and width, [n, channels]."""
        if self.channels_last:
            return x.mean(self.plane)
        return x.reshape([*x.shape[:2], -1]).mean(-1)  # the gradient of mean([2, 3]) is ten times slower on the CPU

    def add_bias(self, images):
        """Images plus the layer's bias, where it has one."""
        return images if self.bias is None else images + self.per_channel(self.bias)

    def enter(self, x):
        """Turn [n, channels, h, w] into the layout inside."""
        return x.transpose([0, 2, 3, 1]) if self.channels_last else x

    def leave(self, x):
        """Turn the layout inside into [n, channels, h, w]."""
        return x.transpose([0, 3, 1, 2]) if self.channels_last else x


def use_channels_last(network):
    """Let a network of this package keep the channels last inside; others are left as they are.

    Args:
        network: changed in place.
    """
    if isinstance(network, ImageLayer):
        for layer in network.sublayers(include_self=True):
            layer.channels_last = True


class Linear(nn.Linear):
    """Linear layer of vectors whose bias is added by a matrix product.

    Paddle adds a row to a matrix, and sums the gradient back, ten times more slowly on the CPU.

    Args: as of `paddle.nn.Linear`.

    Shapes: [n, in_features] to [n, out_features].
    """

    def forward(self, x):
        ones = paddle.ones([x.shape[0], 1], dtype=x.dtype)
        return x.matmul(self.weight) + ones.matmul(self.bias.reshape([1, -1]))


def uniform_linear(fan_in, fan_out, std=None):
    """Linear layer with uniform weights of a given standard deviation and zero bias.

    Args:
        fan_in, fan_out: sizes of input and output.
        std: Glorot's, sqrt(2 / (fan_in + fan_out)), when None.

    Source: tflib/ops/linear.py lines 39-60.
    """
    std = math.sqrt(2 / (fan_in + fan_out)) if std is None else std
    return Linear(fan_in, fan_out, weight_attr=_uniform(std), bias_attr=nn.initializer.Constant(0.0))


class Conv2D(ImageLayer):
    """Convolution with TensorFlow's SAME padding and the authors' initial weights.

    SAME pads one more after than before where the padding is odd: 1 and 2 for a 5x5 kernel of stride 2
    on an even size.

    Args:
        in_channels, out_channels: of the images.
        kernel_size: side of the kernel.
        stride: the output's size is the input's over it, rounded up.
        he_init: variance 4 / (fan_in + fan_out) rather than Glorot's 2 / (fan_in + fan_out), where
            fan_out is divided by the stride's square.
        bias: whether there is one, initially zero.
        gain: factor of the initial weights.
        std: of the initial weights, in place of he_init's.

    Shapes: [n, in_channels, h, w] to [n, out_channels, h / stride, w / stride].

    Source: tflib/ops/conv2d.py lines 55-86.
    """

    def __init__(self, in_channels, out_channels, kernel_size, stride=1, he_init=True, bias=True, gain=1.0, std=None):
        super().__init__()
        self.kernel_size, self.stride = kernel_size, stride
        fans = in_channels * kernel_size**2 + out_channels * kernel_size**2 // stride**2
        std = gain * math.sqrt((4 if he_init else 2) / fans) if std is None else std
        shape = [out_channels, in_channels, kernel_size, kernel_size]
        self.weight = self.create_parameter(shape, default_initializer=_uniform(std))
        self.bias = self.create_parameter([out_channels], is_bias=True) if bias else None

    def forward(self, x):
        return self.add_bias(F.conv2d(x, self.weight, stride=self.stride, padding="SAME", data_format=self.data_format))


class Conv1D(nn.Layer):
    """Convolution along sequences with TensorFlow's SAME padding and the authors' initial weights.

    Args:
        in_channels, out_channels: of the sequences.
        kernel_size: odd.

    Shapes: [n, in_channels, length] to [n, out_channels, length].

    Source: tflib/ops/conv1d.py (variance 4 / (fan_in + fan_out), zero bias).
    """

    def __init__(self, in_channels, out_channels, kernel_size):
        super().__init__()
        std = math.sqrt(4 / ((in_channels + out_channels) * kernel_size))
        shape = [out_channels, in_channels, kernel_size]
        self.weight = self.create_parameter(shape, default_initializer=_uniform(std))
        self.bias = self.create_parameter([out_channels], is_bias=True)
        self.padding = kernel_size // 2

    def forward(self, x):
        return F.conv1d(x, self.weight, padding=self.padding) + self.bias.reshape([-1, 1])


class Conv3D(nn.Conv3D):
    """Paddle's convolution of volumes, made differentiable twice after other layers as well.

    In the second derivative Paddle gives its input no gradient, as it is zero; an expansion before it knows that.

    Args: as of `paddle.nn.Conv3D`.
    """

    def forward(self, x):
        return super().forward(x.expand(x.shape))


def shifted_mean(kernel):
    """The mean of a kernel's four shifts by 0 or 1 pixel in each direction, one pixel larger."""
    return F.avg_pool2d(kernel, 2, stride=1, padding=1, exclusive=False)


class ConvMeanPool(Conv2D):
    """Convolution followed by a 2x2 mean pool, computed as one convolution of stride 2.

    The larger kernel is the mean of the four shifts of this one; less than half the arithmetic. A 1x1
    convolution commutes with the pool, so that it is the authors' MeanPoolConv too.

    Args: as of `Conv2D`, kernel_size odd, stride 1.

    Shapes: [n, in_channels, h, w] to [n, out_channels, h / 2, w / 2], h and w even.

    Source: ConvMeanPool and MeanPoolConv of gan_cifar_resnet.py.
    """

    def forward(self, x):
        if self.kernel_size == 1:
            return super().forward(F.avg_pool2d(x, 2, data_format=self.data_format))
        kernel, padding = shifted_mean(self.weight), self.kernel_size // 2
        return self.add_bias(F.conv2d(x, kernel, stride=2, padding=padding, data_format=self.data_format))


def upsample(x, channels_last=False):
    """Repeat every pixel 2x2 times.

    Args:
        x: [n, c, h, w], or [n, h, w, c] with channels_last.

    Returns:
        [n, c, 2 h, 2 w] or [n, 2 h, 2 w, c].
    """
    n, *shape = x.shape
    h, w = shape[:2] if channels_last else shape[1:]
    before, after = ([n], shape[2:]) if channels_last else ([n, shape[0]], [])
    x = x.reshape([*before, h, 1, w, 1, *after]).expand([*before, h, 2, w, 2, *after])
    return x.reshape([*before, 2 * h, 2 * w, *after])


class UpsampleConv(Conv2D):
    """2x upsampling followed by a convolution, computed as one transposed convolution of stride 2.

    Paddle differentiates it once only: for generators.

    Args: as of `Conv2D`, kernel_size odd, stride 1.

    Shapes: [n, in_channels, h, w] to [n, out_channels, 2 h, 2 w].

    Source: UpsampleConv of gan_cifar_resnet.py.
    """

    def forward(self, x):
        if self.kernel_size == 1:
            return upsample(super().forward(x), self.channels_last)
        kernel, padding = 4 * shifted_mean(self.weight.flip([2, 3]).transpose([1, 0, 2, 3])), self.kernel_size // 2
        return self.add_bias(F.conv2d_transpose(x, kernel, stride=2, padding=padding, data_format=self.data_format))


class Deconv2D(ImageLayer):
    """Transposed convolution of stride 2 with TensorFlow's SAME alignment, for generators.

    Args:
        in_channels, out_channels: of the images.
        kernel_size: side of the kernel.
        std: of the initial weights; sqrt(4 / (fan_in + fan_out)), with fan_in over 4, when None.

    Shapes: [n, in_channels, h, w] to [n, out_channels, 2 h, 2 w].

    Source: tflib/ops/deconv2d.py lines 38-105.
    """

    def __init__(self, in_channels, out_channels, kernel_size=5, std=None):
        super().__init__()
        cut = kernel_size - 2  # from a side of 2 h + kernel_size - 2, the odd pixel behind
        self.padding = [cut // 2, cut - cut // 2] * 2
        fans = in_channels * kernel_size**2 // 4 + out_channels * kernel_size**2
        std = math.sqrt(4 / fans) if std is None else std
        shape = [in_channels, out_channels, kernel_size, kernel_size]
        self.weight = self.create_parameter(shape, default_initializer=_uniform(std))
        self.bias = self.create_parameter([out_channels], is_bias=True)

    def forward(self, x):
        # Paddle's own "SAME" reckons from the smaller image and is wrong where that is odd.
        return self.add_bias(
            F.conv2d_transpose(x, self.weight, stride=2, padding=self.padding, data_format=self.data_format)
        )


class SubpixelConv2D(Conv2D):
    """Convolution to four times the channels, which become the pixels of an image twice as large.

    Args: as of `Conv2D`, out_channels being those of the larger image.

    Shapes: [n, in_channels, h, w] to [n, out_channels, 2 h, 2 w].

    Source: SubpixelConv2D of gan_64x64.py (TensorFlow's depth_to_space: pixel first, then channel).
    """

    def __init__(self, in_channels, out_channels, kernel_size, he_init=True):
        super().__init__(in_channels, 4 * out_channels, kernel_size, he_init=he_init)

    def forward(self, x):
        x = super().forward(x)
        if self.channels_last:
            n, h, w, _ = x.shape
            return x.reshape([n, h, w, 2, 2, -1]).transpose([0, 1, 3, 2, 4, 5]).reshape([n, 2 * h, 2 * w, -1])
        n, _, h, w = x.shape
        return x.reshape([n, 2, 2, -1, h, w]).transpose([0, 3, 4, 1, 5, 2]).reshape([n, -1, 2 * h, 2 * w])


class Gate(ImageLayer):
    """Gated nonlinearity: sigmoid of the even channels times tanh of the odd ones.

    Shapes: [n, 2 c, h, w] to [n, c, h, w].

    Source: pixcnn_gated_nonlinearity of gan_64x64.py.
    """

    def forward(self, x):
        axis = 3 if self.channels_last else 1
        shape = x.shape[:axis] + [x.shape[axis] // 2] + x.shape[axis + 1 :]
        even, odd = x.reshape([*shape[: axis + 1], 2, *shape[axis + 1 :]]).split(2, axis + 1)
        return (F.sigmoid(even) * F.tanh(odd)).reshape(shape)


class BatchNorm(ImageLayer):
    """Batch normalisation over all axes but the second, always with the batch's own statistics.

    The authors never pass is_training, so that sampling uses the batch's statistics as well; there are
    no running ones. Within `sub_batches` each part of the batch has its own statistics.

    Args:
        channels: size of axis 1; of a vector each unit is a channel.
        epsilon: added to the variance.

    Source: tflib/ops/batchnorm.py.
    """

    parts = 1

    def __init__(self, channels, epsilon=1e-5):
        super().__init__()
        self.epsilon = epsilon
        self.scale = self.create_parameter([channels], default_initializer=nn.initializer.Constant(1.0))
        self.offset = self.create_parameter([channels], default_initializer=nn.initializer.Constant(0.0))
        # Paddle's operator asks for running statistics; momentum 1 leaves them as they are.
        self.register_buffer("zeros", paddle.zeros([channels]), persistable=False)
        self.register_buffer("ones", paddle.ones([channels]), persistable=False)

    def normalise(self, x, scale=None, offset=None, relu=False):
        """Normalise, then scale and shift where given, [channels] each, and rectify where asked for."""
        if self.parts > 1 and devices.on_aten() and not paddle.is_grad_enabled():
            scale, offset = self.ones if scale is None else scale, self.zeros if offset is None else offset
            return norm_of_parts(x, scale, offset, self.parts, self.epsilon, relu, self.channels_last and x.ndim == 4)
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

    def forward(self, x):
        return self.normalise(x, self.scale, self.offset)


def rectified(norm, x, *labels):
    """relu(norm(x, *labels)), in one pass over memory where that can be.

    Args:
        norm: a layer.
        x, labels: what it takes.
    """
    if type(norm) is BatchNorm:
        return norm.normalise(x, norm.scale, norm.offset, relu=True)
    return F.relu(norm(x, *labels))


class sub_batches:
    """A context in which every `BatchNorm` takes its batch as several, one after the other.

    Args:
        count: how many, of equal size.
    """

    def __init__(self, count):
        self.count = count

    def __enter__(self):
        BatchNorm.parts = self.count

    def __exit__(self, *_):
        BatchNorm.parts = 1


class ConditionalBatchNorm(BatchNorm):
    """Batch normalisation with a scale and an offset per class, statistics over all classes.

    Args:
        channels: size of axis 1.
        classes: number of labels.
        epsilon: added to the variance.

    Shapes: x [n, channels, h, w] and labels [n], integers from 0.

    Source: tflib/ops/cond_batchnorm.py.
    """

    def __init__(self, channels, classes=10, epsilon=1e-5):
        super().__init__(channels, epsilon)
        shape = [classes, channels]
        self.scale = self.create_parameter(shape, default_initializer=nn.initializer.Constant(1.0))
        self.offset = self.create_parameter(shape, default_initializer=nn.initializer.Constant(0.0))

    def forward(self, x, labels):
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

    def __init__(self, channels, epsilon=1e-5):
        super().__init__()
        self.epsilon = epsilon
        self.scale = self.create_parameter([channels], default_initializer=nn.initializer.Constant(1.0))
        self.offset = self.create_parameter([channels], default_initializer=nn.initializer.Constant(0.0))

    def forward(self, x):
        flat = x.reshape([x.shape[0], -1])  # Paddle's mean over several axes has a slow gradient
        centred = flat - flat.mean(1, keepdim=True)
        normal = (centred / (centred.square().mean(1, keepdim=True) + self.epsilon).sqrt()).reshape(x.shape)
        if x.ndim == 4:
            return normal * self.per_channel(self.scale) + self.per_channel(self.offset)
        shape = [-1] + [1] * (x.ndim - 2)
        return normal * self.scale.reshape(shape) + self.offset.reshape(shape)


CRITIC_NORMS = {"layer": LayerNorm, "batch": BatchNorm, None: None}
