"""The authors' initial weights."""

import math

from paddle import nn


def uniform(std: float) -> nn.initializer.Uniform:
    """Uniform on [-sqrt(3) std, sqrt(3) std], which has the standard deviation std.

    Args:
        std: above 0.

    Source: tflib/ops/conv2d.py.
    """
    return nn.initializer.Uniform(-std * math.sqrt(3), std * math.sqrt(3))
