"""Finds out, before training, whether Paddle can differentiate a critic twice."""

import re

import paddle
from paddle import nn

from wgangp.errors import InputError
from wgangp.layers import BatchNorm

REPLACEMENTS = {
    "LayerNorm": "wgangp.layers.LayerNorm",
    "GroupNorm": "wgangp.layers.LayerNorm",
    "Flatten": "x.reshape([x.shape[0], -1])",
    "MaxPool1D": "AvgPool1D",
    "MaxPool2D": "AvgPool2D",
    "MaxPool3D": "AvgPool3D",
    "GELU": "SiLU",
    "PReLU": "LeakyReLU",
    "Softmax": "no softmax (a critic's score is unbounded)",
    "Dropout": "no dropout",
    "Embedding": "one-hot inputs times a Linear",
    "Upsample": "expand and reshape",
    "PixelShuffle": "reshape and transpose",
    "Conv2DTranspose": "upsampling and Conv2D",
}


def check(critic, x):
    """Take one tiny second derivative of a critic.

    Args:
        critic: a Paddle layer that maps [n, ...] to [n] or [n, 1].
        x: a few inputs, [n, ...].

    Raises:
        InputError: Paddle's composite ("prim") mode is on, whose second derivatives are silently
            wrong; or a layer has no second derivative (named, with a replacement).
    """
    refuse_prim()
    inputs, hooks = {}, []

    def remember(name):
        def hook(_, arguments):
            inputs.setdefault(name, arguments[0].detach())

        return hook

    for name, layer in critic.named_sublayers():
        if not layer._sub_layers:
            hooks.append(layer.register_forward_pre_hook(remember(name)))
    try:
        error = _error_of_second_derivative(critic, x)
    finally:
        for hook in hooks:
            hook.remove()
    if error is None:
        return
    layers = dict(critic.named_sublayers())
    for name, value in inputs.items():
        if _error_of_second_derivative(layers[name], value) is not None:
            kind = type(layers[name]).__name__
            use = REPLACEMENTS.get(kind, "a layer made of elementary operations")
            raise InputError(
                f"the critic's layer '{name}' ({kind}) cannot be differentiated twice in Paddle, which "
                f"the gradient penalty needs; use {use}."
            )
    operator = re.search(r"(\w+?)_?[Gg]rad", error)
    raise InputError(
        "the critic's forward method cannot be differentiated twice in Paddle, which the gradient "
        f"penalty needs; the operation is {operator.group(1) if operator else error!r}. Use "
        "wgangp.layers, or reshape, split, expand and elementary operations."
    )


def refuse_prim():
    """Refuse Paddle's composite ("prim") mode.

    Raises:
        InputError: it is on.
    """
    core = paddle.base.core
    if core._is_eager_prim_enabled() or core._is_bwd_prim_enabled():
        raise InputError(
            "Paddle's prim mode is on and gives wrong second derivatives without a warning; call "
            "paddle.framework.core.set_prim_eager_enabled(False) (PaddleScience: prim: false)."
        )


def _error_of_second_derivative(layer, x):
    """Differentiate a layer's summed outputs twice; return the error's text, or None."""
    x = x.detach()
    x.stop_gradient = False
    parameters = [p for p in layer.parameters() if not p.stop_gradient]
    try:
        y = layer(x)
        (gradient,) = paddle.grad((y * y).sum(), x, create_graph=True)
        paddle.grad(gradient.square().sum(), [x, *parameters], allow_unused=True)
    except (RuntimeError, ValueError, NotImplementedError, OSError) as error:
        return str(error)
    return None


def has_batch_norm(network, but=()):
    """Tell whether a network has batch normalisation anywhere.

    Args:
        network: a Paddle layer.
        but: classes that do not count.
    """
    kinds = (BatchNorm, nn.BatchNorm, nn.BatchNorm1D, nn.BatchNorm2D, nn.BatchNorm3D, nn.SyncBatchNorm)
    layers = network.sublayers(include_self=True)
    return any(isinstance(layer, kinds) and not isinstance(layer, but) for layer in layers)
