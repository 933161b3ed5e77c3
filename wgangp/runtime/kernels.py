"""Fused kernels of the `aten` device, for use where `devices.on_aten()` says that it computes."""

from paddle_aten import (
    Unavailable,
    adam,
    add_with_bias,
    check,
    conv,
    conv_dw,
    conv_dx,
    conv_relu,
    installed,
    is_cuda,
    norm_of_parts,
    relu_grad_over,
    relu_grad_plus,
)

__all__ = [
    "adam",
    "add_with_bias",
    "conv",
    "conv_dw",
    "conv_dx",
    "conv_relu",
    "describe",
    "norm_of_parts",
    "relu_grad_over",
    "relu_grad_plus",
]


def describe() -> str:
    """Say which library the kernels are in and what they compute on, or why they cannot be used."""
    try:
        path, torch = check(), installed()["torch"]
    except Unavailable as error:
        return f"not usable: {error}"
    return f"{path}, for PyTorch {torch}; --device aten is on the {'GPU' if is_cuda() else 'CPU'}"
