"""Layers that Paddle lacks or cannot differentiate twice, and the authors' initial weights.

convolution       Conv1D, Conv2D, Conv3D, Deconv2D
resampling        ConvMeanPool, UpsampleConv, SubpixelConv2D, shifted_mean, upsample
normalization     BatchNorm, ConditionalBatchNorm, LayerNorm, CRITIC_NORMS, sub_batches
activation        Gate, leaky_relu, norm_relu
linear            Linear, uniform_linear
initialization    uniform
memory_layout     ImageLayer, use_channels_last
"""

from wgangp.layers.activation import SLOPE, Gate, leaky_relu, norm_relu
from wgangp.layers.convolution import Conv1D, Conv2D, Conv3D, Deconv2D
from wgangp.layers.initialization import uniform
from wgangp.layers.linear import Linear, uniform_linear
from wgangp.layers.memory_layout import ImageLayer, use_channels_last
from wgangp.layers.normalization import CRITIC_NORMS, BatchNorm, ConditionalBatchNorm, LayerNorm, sub_batches
from wgangp.layers.resampling import ConvMeanPool, SubpixelConv2D, UpsampleConv, shifted_mean, upsample

__all__ = [
    "CRITIC_NORMS",
    "SLOPE",
    "BatchNorm",
    "ConditionalBatchNorm",
    "Conv1D",
    "Conv2D",
    "Conv3D",
    "ConvMeanPool",
    "Deconv2D",
    "Gate",
    "ImageLayer",
    "LayerNorm",
    "Linear",
    "SubpixelConv2D",
    "UpsampleConv",
    "leaky_relu",
    "norm_relu",
    "shifted_mean",
    "sub_batches",
    "uniform",
    "uniform_linear",
    "upsample",
    "use_channels_last",
]
