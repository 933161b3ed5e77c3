"""Images in batches through a network."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import paddle
import paddle.nn.functional as F

from wgangp.errors import InputError
from wgangp.runtime.devices import full_precision
from wgangp.runtime.progress import Progress


def check_images(images: Any, name: str = "images") -> None:
    """Check that something is a set of images.

    Args:
        images: should be uint8 [n, 3, height, width], range 0..255.
        name: what the message calls them.

    Raises:
        InputError: they are something else, or there are none.
    """
    masked, images = isinstance(images, np.ma.MaskedArray), np.asarray(images)
    if masked or images.dtype != np.uint8 or images.ndim != 4 or images.shape[1] != 3 or 0 in images.shape:
        last = images.ndim == 4 and images.shape[3] in (1, 3)
        hint = ": put the channels second, with transpose(0, 3, 1, 2)" if last else ", 0 to 255, without a mask"
        raise InputError(f"{name}: {images.dtype} {list(images.shape)}; give uint8 [n, 3, height, width]{hint}.")


def run_in_batches(
    network: Callable[[paddle.Tensor], Any], images: np.ndarray, batch_size: int, label: str | None = None
) -> Iterator[np.ndarray | list[np.ndarray]]:
    """Apply a network to batches of images, so that memory does not grow with their number.

    Args:
        network: maps float32 [n, 3, height, width] in 0..255 to a tensor or to a list of them.
        images: uint8 [n, 3, height, width].
        batch_size: images at a time.
        label: of the progress that is shown; None shows none.

    Yields:
        The output of the network for each batch, as numpy arrays.

    Raises:
        InputError: as of `check_images`.
    """
    check_images(images)
    starts = range(0, len(images), batch_size)
    with Progress(label, len(starts)) as progress:
        for start in starts:
            with paddle.no_grad(), full_precision():
                batch = paddle.to_tensor(np.ascontiguousarray(images[start : start + batch_size]))
                outputs = network(batch.astype("float32"))
            yield [output.numpy() for output in outputs] if isinstance(outputs, (list, tuple)) else outputs.numpy()
            progress.update()


def add_bias(x: paddle.Tensor, bias: paddle.Tensor) -> paddle.Tensor:
    """Add a bias to each channel by a batch norm of mean 0 and variance 1: Paddle's broadcasting is 15 times slower.

    Args:
        x: [n, channels, height, width].
        bias: [channels].
    """
    return F.batch_norm(x, paddle.zeros_like(bias), paddle.full_like(bias, 1 - 1e-5), None, bias, epsilon=1e-5)
