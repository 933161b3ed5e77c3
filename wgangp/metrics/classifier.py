"""A CIFAR-10 classifier, ResNet-56, whose probabilities are used in place of those of Inception."""

from pathlib import Path

import numpy as np
import paddle
import paddle.nn.functional as F

from wgangp.errors import InputError
from wgangp.metrics.images import add_bias, check_images, run_in_batches
from wgangp.runtime.files import check_floats, largest_size, read_npz

FILE = "cifar10_resnet56.npz"
MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
BATCH_SIZE = 100
BATCH_NORM_EPSILON = 1e-5


class CifarClassifier:
    """ResNet-56 for CIFAR-10 with parameter-free (option A) shortcuts, batch norm folded in.

    Args:
        path: cifar10_resnet56.npz.

    Raises:
        InputError: the file is missing, truncated or of another network.

    Source: He et al. 2015, Section 4.2; weights of akamaster/pytorch_resnet_cifar10.
    """

    def __init__(self, path: Path | str):
        arrays = read_weights(path)
        self.convs = {
            name[: -len(".weight")]: _folded(arrays, name) for name, array in arrays.items() if array.ndim == 4
        }
        self.linear = [paddle.to_tensor(arrays[f"linear.{part}"].astype("float32")) for part in ("weight", "bias")]

    def conv(self, x: paddle.Tensor, name: str, stride: int = 1) -> paddle.Tensor:
        """Apply a 3x3 convolution with its batch norm.

        Args:
            x: [n, channels, h, w].
            name: of the convolution in the weights file.
            stride: of the convolution.
        """
        weight, bias = self.convs[name]
        return add_bias(F.conv2d(x, weight, stride=stride, padding=1), bias)

    def logits(self, x: paddle.Tensor) -> paddle.Tensor:
        """The logits of ten classes.

        Args:
            x: float32 [n, 3, 32, 32], 0..255.

        Returns:
            [n, 10].
        """
        mean, std = (paddle.to_tensor(c, dtype="float32").reshape([1, 3, 1, 1]) for c in (MEAN, STD))
        x = F.relu(self.conv((x / 255 - mean) / std, "conv1"))
        for stage in (1, 2, 3):
            for block in range(9):
                halve = stage > 1 and block == 0
                y = F.relu(self.conv(x, f"layer{stage}.{block}.conv1", stride=2 if halve else 1))
                if halve:
                    zeros = paddle.zeros_like(x[:, ::2, ::2, ::2])
                    x = paddle.concat([zeros, x[:, :, ::2, ::2], zeros], axis=1)
                x = F.relu(x + self.conv(y, f"layer{stage}.{block}.conv2"))
        weight, bias = self.linear
        return x.mean([2, 3]) @ weight.T + bias

    def probabilities(self, images: np.ndarray, label: str | None = None) -> np.ndarray:
        """The probabilities of ten classes.

        Args:
            images: uint8 [n, 3, 32, 32].
            label: of the progress that is shown; None shows none.

        Returns:
            float32 [n, 10].

        Raises:
            InputError: they are not such images.
        """
        check_images(images)
        if images.shape[2:] != (32, 32):
            raise InputError(f"the CIFAR-10 classifier needs images of 32 x 32 pixels, not {list(images.shape)}.")
        network = lambda x: F.softmax(self.logits(x))  # noqa: E731
        return np.concatenate(list(run_in_batches(network, images, BATCH_SIZE, label)))


def _shapes():
    """The shape of every array in the weights file."""
    convs, channels = {"conv1": (16, 3)}, 16
    for stage, width in ((1, 16), (2, 32), (3, 64)):
        for block in range(9):
            convs[f"layer{stage}.{block}.conv1"], channels = (width, channels), width
            convs[f"layer{stage}.{block}.conv2"] = width, width
    shapes = {"linear.weight": (10, 64), "linear.bias": (10,)}
    for name, shape in convs.items():
        shapes[f"{name}.weight"] = (*shape, 3, 3)
        norm = name.replace("conv", "bn")
        shapes |= {f"{norm}.{part}": shape[:1] for part in ("weight", "bias", "running_mean", "running_var")}
    return shapes


SHAPES = _shapes()


def read_weights(path: Path | str) -> dict[str, np.ndarray]:
    """Read the weights file.

    Args:
        path: cifar10_resnet56.npz.

    Returns:
        {name: array}.

    Raises:
        InputError: the file is missing, damaged or of another network.
    """
    return check_floats(
        read_npz(path, largest_size(SHAPES)), SHAPES, f"{path} is not the CIFAR-10 ResNet-56", "get it again"
    )


def _folded(arrays, name):
    """The weight and bias of the convolution `name` with its batch norm folded in."""
    norm = name.replace("conv", "bn")[: -len(".weight")]
    scale = arrays[f"{norm}.weight"] / np.sqrt(arrays[f"{norm}.running_var"] + BATCH_NORM_EPSILON)
    bias = arrays[f"{norm}.bias"] - arrays[f"{norm}.running_mean"] * scale
    weight = arrays[name] * scale[:, None, None, None]
    return [paddle.to_tensor(a.astype("float32")) for a in (weight, bias)]
