"""A Paddle device whose kernels are ATen's: every GPU that PyTorch supports computes for Paddle.

load()               before the first import of paddle; then paddle.set_device("aten")
Captured(step)       a step as one captured CUDA graph
adam(...)            TensorFlow's Adam over many tensors at once
conv, conv_dx, conv_dw, conv_relu    convolutions and parts of them, for gradients written by hand
norm_of_parts    batch norm of several batches at once
add_with_bias, relu_backward_plus, relu_backward_over    several pointwise operations in one pass
set_tf32, set_deterministic, device_name, is_cuda
"""

from __future__ import annotations  # Paddle is imported late

import ctypes
import functools
import os
import re
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from paddle import Tensor

NAME = "libpaddle_aten.so"
FOLDER = Path(__file__).resolve().parent


class Unavailable(RuntimeError):
    """The device cannot be had here; the message says why and what to do."""


def library() -> Path | None:
    """Path of the built library: in $CUSTOM_DEVICE_ROOT, else beside this file; None where there is none."""
    folders = [os.environ.get("CUSTOM_DEVICE_ROOT"), FOLDER / "lib"]
    paths = (Path(folder) / NAME for folder in folders if folder)
    return next((path for path in paths if path.is_file()), None)


def built_for(path: Path) -> dict[str, str]:
    """Versions that a library was built for, {"paddle": ..., "torch": ...}, read from the file's bytes."""
    found = re.search(rb"paddle_aten built for paddle ([0-9.]+) torch ([0-9.]+);", path.read_bytes())
    return dict(zip(("paddle", "torch"), (part.decode() for part in found.groups()))) if found else {}


def installed() -> dict[str, str | None]:
    """Versions of Paddle and PyTorch that are installed, None for what is not."""
    found = {}
    for name, packages in {"paddle": ("paddlepaddle", "paddlepaddle-gpu"), "torch": ("torch",)}.items():
        found[name] = next(filter(None, map(_version, packages)), None)
    return found


def _version(package):
    try:
        return version(package).split("+")[0]
    except PackageNotFoundError:
        return None


def check() -> Path:
    """Find out whether the device can be loaded.

    Returns:
        The library's path.

    Raises:
        Unavailable: PyTorch or the library is missing, or the library was built for other versions.
    """
    here, build = installed(), f"bash {FOLDER / 'build.sh'}"
    if here["torch"] is None:
        raise Unavailable(f"PyTorch is not installed; install it and run {build}.")
    path = library()
    if path is None:
        raise Unavailable(f"{NAME} is not built; run {build}, or set CUSTOM_DEVICE_ROOT to its folder.")
    built = built_for(path)
    if built != here:
        pair = "paddle {paddle} and torch {torch}"
        raise Unavailable(
            f"{path} was built for {pair.format(**built) if built else 'unknown versions'}, but {pair.format(**here)} "
            f"are installed; run {build} again."
        )
    return path


def available() -> bool:
    """Whether `load` can succeed."""
    try:
        check()
    except Unavailable:
        return False
    return True


def load() -> None:
    """Load the device; call it before paddle is imported.

    A missing kernel is then an error that names it; with FLAGS_enable_api_kernel_fallback=1 in the
    environment it runs on the CPU instead.

    Raises:
        Unavailable: as `check`, or paddle was imported without the device before.
    """
    if "paddle" in sys.modules:
        import paddle

        if "aten" in paddle.device.get_all_custom_device_type():
            return
        raise Unavailable("paddle is already imported without the device; call paddle_aten.load() before that.")
    path = check()
    os.environ["CUSTOM_DEVICE_ROOT"] = str(path.parent)
    os.environ.setdefault("FLAGS_enable_api_kernel_fallback", "0")
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # what deterministic matrix products need
    import torch  # noqa: F401, I001  (its libraries must be there before Paddle opens the device's)
    import paddle  # noqa: F401

    from paddle.utils.cpp_extension.extension_utils import load_op_meta_info_and_register_op

    load_op_meta_info_and_register_op(str(path))


@functools.cache
def _functions():
    return ctypes.CDLL(str(library()))


def is_cuda() -> bool:
    """Whether the device is a CUDA GPU; without one, or with PADDLE_ATEN_DEVICE=cpu, ATen computes on the CPU."""
    import torch

    return torch.cuda.is_available() and os.environ.get("PADDLE_ATEN_DEVICE") != "cpu"


def device_name() -> str:
    """Name of what computes, e.g. "NVIDIA H200"."""
    import torch

    return torch.cuda.get_device_name() if is_cuda() else "CPU (ATen)"


def set_tf32(on: bool) -> None:
    """Allow or forbid TF32 in matrix products and convolutions.

    Args:
        on: True to allow it.
    """
    import torch

    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = bool(on)


def tf32() -> bool:
    """Whether TF32 is allowed."""
    import torch

    return torch.backends.cudnn.allow_tf32


def set_deterministic(on: bool) -> None:
    """Use only kernels that give the same bits every time, or, when off, the fastest that cuDNN finds.

    Args:
        on: True for deterministic kernels; an operator that has none on the GPU, such as cumsum, then raises.
    """
    import torch

    torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark = bool(on), not on
    torch.use_deterministic_algorithms(bool(on))
    torch.utils.deterministic.fill_uninitialized_memory = False


class Captured:
    """A step captured once as a CUDA graph and replayed by each call; on the CPU each call runs the step.

    Random numbers follow Paddle's generator: paddle.seed(s) and a replay draw what paddle.seed(s) and the
    step draw.

    Args:
        step: a function without arguments, of Paddle operations on the device that look at no value on the
            host. Its inputs are tensors that the caller refills in place.
        warmup: how often the step is run first. What it allocates once, such as an optimizer's moments,
            must be there when it is captured.
    """

    def __init__(self, step: Callable[[], Any], warmup: int = 0):
        self.step, self.graph = step, None
        for _ in range(warmup):
            step()
        if not is_cuda():
            return
        import torch

        torch.cuda.synchronize()
        self.graph = torch.cuda.CUDAGraph()
        _functions().paddle_aten_set_capturing(ctypes.c_bool(True))
        try:
            with torch.cuda.graph(self.graph):
                self.result = step()
        finally:
            _functions().paddle_aten_set_capturing(ctypes.c_bool(False))

    def __call__(self) -> Any:
        """Run the step.

        Returns:
            What the step returns; after a replay the same tensors every time, with new values.
        """
        if self.graph is None:
            return self.step()
        _functions().paddle_aten_take_random_state()
        self.graph.replay()
        _functions().paddle_aten_give_random_state_back()
        return self.result


def adam(
    params: Sequence[Tensor],
    grads: Sequence[Tensor],
    moments1: Sequence[Tensor],
    moments2: Sequence[Tensor],
    powers1: Sequence[Tensor],
    powers2: Sequence[Tensor],
    learning_rate: Tensor,
    beta1: float,
    beta2: float,
    epsilon: float,
) -> None:
    """One step of TensorFlow's Adam over many tensors, in place.

    p -= lr sqrt(1 - beta2^t) / (1 - beta1^t) m / (sqrt(v) + epsilon).

    Args:
        params, grads, moments1, moments2: lists of tensors on the device.
        powers1, powers2: lists of tensors [1] on the device, beta1^t and beta2^t of the step t that all
            parameters are at, one for each parameter or one for all; multiplied up.
        learning_rate: tensor [1] on the device.
        beta1, beta2, epsilon: numbers.
    """
    _run(
        "aten_adam",
        *(list(tensors) for tensors in (params, grads, moments1, moments2, powers1, powers2)),
        learning_rate,
        float(beta1),
        float(beta2),
        float(epsilon),
    )


def conv_dx(dy: Tensor, x: Tensor, w: Tensor, stride: int = 1, padding: int = 0, channels_last: bool = False) -> Tensor:
    """A convolution's gradient of its input alone, for gradients written by hand.

    Args:
        dy: gradient of the output.
        x, w: the convolution's input, and its kernel, [out, in, h, w], or [out, h, w, in] with channels_last.
        stride, padding: of the convolution, the same on both axes and sides.
        channels_last: whether images are [n, h, w, channels] rather than [n, channels, h, w].

    Returns:
        A tensor like x; it has no gradient of its own.
    """
    return _run("aten_conv_dx", dy, x, w, stride, padding, channels_last)


def conv_dw(dy: Tensor, x: Tensor, w: Tensor, stride: int = 1, padding: int = 0, channels_last: bool = False) -> Tensor:
    """A convolution's gradient of its kernel alone.

    Args: as of `conv_dx`.

    Returns:
        A tensor like w; it has no gradient of its own.
    """
    return _run("aten_conv_dw", dy, x, w, stride, padding, channels_last)


def conv(x: Tensor, w: Tensor, stride: int = 1, padding: int = 0, channels_last: bool = False) -> Tensor:
    """A convolution without a bias.

    Args: as of `conv_dx`.

    Returns:
        The images; they have no gradient.
    """
    return _run("aten_conv", x, w, stride, padding, channels_last)


def conv_relu(
    x: Tensor, w: Tensor, bias: Tensor, stride: int = 1, padding: int = 0, channels_last: bool = False
) -> Tensor:
    """relu(conv2d(x, w) + bias) in one call.

    Args:
        bias: [out].
        others: as of `conv_dx`.

    Returns:
        The images; they have no gradient.
    """
    return _run("aten_conv_relu", x, w, bias, stride, padding, channels_last)


def norm_of_parts(
    x: Tensor,
    scale: Tensor,
    offset: Tensor,
    parts: int,
    epsilon: float = 1e-5,
    relu: bool = False,
    channels_last: bool = False,
) -> Tensor:
    """Batch normalisation of a batch in parts that each have their own statistics, and ReLU.

    Args:
        x: [n, channels], [n, channels, h, w], or [n, h, w, channels] with channels_last; n a multiple of parts.
        scale, offset: [channels].
        parts: how many there are, one after the other, of equal size.
        epsilon: added to the variances.
        relu: whether negative values become 0.
        channels_last: as of `conv_dx`.

    Returns:
        A tensor like x; it has no gradient.
    """
    return _run("aten_norm_of_parts", x, scale, offset, parts, epsilon, relu, channels_last)


def add_with_bias(x: Tensor, y: Tensor, bias: Tensor, channels_last: bool = False) -> Tensor:
    """x + y + bias per channel, in one pass over memory.

    Args:
        x, y: images, as of `conv_dx`.
        bias: [channels].
        channels_last: as of `conv_dx`.

    Returns:
        The images; they have no gradient.
    """
    return _run("aten_add_with_bias", x, y, bias, channels_last)


def relu_backward_plus(y: Tensor, dy: Tensor, more: Tensor, channels_last: bool = False) -> Tensor:
    """The ReLU's gradient plus another one, in one pass over memory.

    Args:
        y: the ReLU's output, images as of `conv_dx`.
        dy: its gradient.
        more: like y, or half as high and wide: each pixel then counts for 2x2.
        channels_last: as of `conv_dx`.

    Returns:
        dy where y > 0 and 0 elsewhere, plus more; it has no gradient.
    """
    return _run("aten_relu_backward_plus", y, dy, more, channels_last)


def relu_backward_over(dy: Tensor, y: Tensor) -> Tensor:
    """The ReLU's gradient, written over its output.

    Args:
        dy: gradient of the ReLU's output.
        y: the output, or a slice of it; changed in place to dy where y > 0 and 0 elsewhere.

    Returns:
        y.
    """
    return _run("aten_relu_backward_over", dy, y)


def _run(name, *arguments):
    from paddle import _C_ops

    (output,) = _C_ops._run_custom_op(name, *arguments)
    return output
