"""Fused kernels of the `aten` device, for use where `devices.on_aten()` says that it computes."""

from pathlib import Path

from wgangp.errors import InputError

try:
    import paddle_aten
    from paddle_aten import (
        adam,
        add_with_bias,
        conv,
        conv_dw,
        conv_dx,
        conv_relu,
        norm_of_parts,
        relu_backward_over,
        relu_backward_plus,
    )
except ModuleNotFoundError:  # a distribution of its own, which only those need who compute on its device
    paddle_aten = None
    adam = add_with_bias = conv = conv_dw = conv_dx = conv_relu = None
    norm_of_parts = relu_backward_over = relu_backward_plus = None

__all__ = [
    "adam",
    "add_with_bias",
    "conv",
    "conv_dw",
    "conv_dx",
    "conv_relu",
    "describe",
    "library",
    "norm_of_parts",
    "paddle_aten",
    "relu_backward_over",
    "relu_backward_plus",
]


def library() -> Path:
    """The library that the kernels are in.

    Raises:
        InputError: the `aten` device cannot be used; the message says why and what to do.
    """
    if paddle_aten is None:
        raise InputError(
            "paddle_aten is not installed; in a checkout, run pip install -e ./paddle_aten and "
            "bash paddle_aten/build.sh."
        )
    try:
        return paddle_aten.check()
    except paddle_aten.Unavailable as error:
        raise InputError(str(error)) from None


def describe() -> str:
    """Say which library the kernels are in and what they compute on, or why they cannot be used."""
    try:
        path = library()
    except InputError as error:
        return f"not usable: {error}"
    torch, processor = paddle_aten.installed()["torch"], "GPU" if paddle_aten.is_cuda() else "CPU"
    return f"{path}, for PyTorch {torch}; --device aten is on the {processor}"
