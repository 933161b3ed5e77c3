"""The Inception network of 2015-12-05 once more, in numpy: one image, float64, straight from its definition."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

A, C = ("mixed", "mixed_1", "mixed_2"), ("mixed_4", "mixed_5", "mixed_6", "mixed_7")


def resize(image, size=299):
    """[channels, height, width] to [channels, size, size], as TensorFlow 1 does."""
    output = np.zeros((image.shape[0], size, size))
    height, width = image.shape[1:]
    x = np.arange(size) * width / size
    left = x.astype(int)
    right, dx = np.minimum(left + 1, width - 1), x - left
    for i in range(size):
        y = i * height / size
        top = int(y)
        bottom, dy = min(top + 1, height - 1), y - top
        upper = image[:, top, left] * (1 - dx) + image[:, top, right] * dx
        lower = image[:, bottom, left] * (1 - dx) + image[:, bottom, right] * dx
        output[:, i] = upper * (1 - dy) + lower * dy
    return output


def windows(x, kernel, stride):
    return sliding_window_view(x, kernel, axis=(1, 2))[:, ::stride, ::stride]


def pad(x, vertical, horizontal, value):
    return np.pad(x, ((0, 0), (vertical, vertical), (horizontal, horizontal)), constant_values=value)


def conv(weights, x, name, stride=1, valid=False):
    w, b = weights[f"{name}/weight"].astype("float64"), weights[f"{name}/bias"].astype("float64")
    kernel = w.shape[2:]
    if not valid:
        x = pad(x, kernel[0] // 2, kernel[1] // 2, 0)
    height, width = ((n - k) // stride + 1 for n, k in zip(x.shape[1:], kernel))
    y = 0
    for k in range(kernel[0]):
        for j in range(kernel[1]):
            shifted = x[:, k : k + stride * (height - 1) + 1 : stride, j : j + stride * (width - 1) + 1 : stride]
            y = y + (w[:, :, k, j] @ shifted.reshape(len(x), -1)).reshape(-1, height, width)
    return np.maximum(y + b[:, None, None], 0)


def max_pool(x, stride=2, padding=0):
    return windows(pad(x, padding, padding, -np.inf), (3, 3), stride).max(axis=(3, 4))


def average_pool(x):
    return np.nanmean(windows(pad(x, 1, 1, np.nan), (3, 3), 1), axis=(3, 4))


def forward(weights, x, until=10):
    """{layer: activation} of a normalised image [3, 299, 299], through mixed_<until>."""

    def f(x, *names, **options):
        for name in names:
            x = conv(weights, x, name, **(options if name == names[-1] else {}))
        return x

    x = f(x, "conv", stride=2, valid=True)
    x = f(x, "conv_1", valid=True)
    x = max_pool(f(x, "conv_2"))
    x = f(x, "conv_3")
    x = max_pool(f(x, "conv_4", valid=True))
    activations = {}
    for m in A:
        x = np.concatenate(
            [
                f(x, f"{m}_conv"),
                f(x, f"{m}_tower_conv", f"{m}_tower_conv_1"),
                f(x, f"{m}_tower_1_conv", f"{m}_tower_1_conv_1", f"{m}_tower_1_conv_2"),
                f(average_pool(x), f"{m}_tower_2_conv"),
            ]
        )
    x = np.concatenate(
        [
            f(x, "mixed_3_conv", stride=2, valid=True),
            f(x, "mixed_3_tower_conv", "mixed_3_tower_conv_1", "mixed_3_tower_conv_2", stride=2, valid=True),
            max_pool(x),
        ]
    )
    for m in C:
        x = np.concatenate(
            [
                f(x, f"{m}_conv"),
                f(x, f"{m}_tower_conv", f"{m}_tower_conv_1", f"{m}_tower_conv_2"),
                f(x, f"{m}_tower_1_conv", *(f"{m}_tower_1_conv_{i}" for i in (1, 2, 3, 4))),
                f(average_pool(x), f"{m}_tower_2_conv"),
            ]
        )
    activations["mixed_7"] = x
    x = np.concatenate(
        [
            f(x, "mixed_8_tower_conv", "mixed_8_tower_conv_1", stride=2, valid=True),
            f(x, "mixed_8_tower_1_conv", *(f"mixed_8_tower_1_conv_{i}" for i in (1, 2, 3)), stride=2, valid=True),
            max_pool(x),
        ]
    )
    activations["mixed_8"] = x
    for m in ("mixed_9", "mixed_10")[: until - 8]:
        pooled = average_pool(x) if m == "mixed_9" else max_pool(x, stride=1, padding=1)
        short, long = f(x, f"{m}_tower_conv"), f(x, f"{m}_tower_1_conv", f"{m}_tower_1_conv_1")
        x = np.concatenate(
            [
                f(x, f"{m}_conv"),
                f(short, f"{m}_tower_mixed_conv"),
                f(short, f"{m}_tower_mixed_conv_1"),
                f(long, f"{m}_tower_1_mixed_conv"),
                f(long, f"{m}_tower_1_mixed_conv_1"),
                f(pooled, f"{m}_tower_2_conv"),
            ]
        )
    activations["mixed_10"] = x
    return activations
