"""Finds out, before training, whether Paddle can differentiate a critic twice."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import paddle
from paddle import nn
from paddle.utils import flatten, map_structure

from wgangp import losses
from wgangp.errors import InputError, plain_message
from wgangp.layers import BatchNorm

REPLACEMENTS = {  # of classes of layers and of operations
    "LayerNorm GroupNorm": "wgangp.layers.LayerNorm, which normalises over all axes but the first",
    "Flatten flatten": "x.reshape([x.shape[0], -1])",
    "MaxPool1D AdaptiveMaxPool1D": "AvgPool1D",
    "MaxPool2D AdaptiveMaxPool2D": "AvgPool2D",
    "MaxPool3D AdaptiveMaxPool3D AvgPool3D AdaptiveAvgPool3D": "reshape and mean",
    "GELU Mish Swish Hardswish": "SiLU",
    "SELU": "ELU",
    "PReLU RReLU": "LeakyReLU",
    "Hardtanh ReLU6": "x.clip",
    "Softmax LogSoftmax": "no softmax (a critic's score is unbounded)",
    "MultiHeadAttention softmax": "y = x.exp(), y / y.sum(-1, keepdim=True) as softmax in attention of your own",
    "Dropout": "no dropout",
    "Embedding": "one-hot inputs times a Linear",
    "Upsample UpsamplingNearest2D UpsamplingBilinear2D": "expand and reshape",
    "PixelShuffle PixelUnshuffle ChannelShuffle": "reshape and transpose",
    "Conv1DTranspose": "upsampling by expand and reshape, and Conv1D",
    "Conv2DTranspose": "upsampling by expand and reshape, and Conv2D",
    "Conv2D": "groups=1 (depthwise convolutions cannot)",
    "Conv3D conv3d": "wgangp.layers.Conv3D",
    "p_norm": "(x.square().sum(...) + 1e-12).sqrt()",
    "einsum": "matmul and sum",
    "recompute": "recompute(..., use_reentrant=False)",
    "LSTM": "LSTMCell in a loop over the steps, as nn.RNN(nn.LSTMCell(...)) is",
    "GRU": "GRUCell in a loop over the steps, as nn.RNN(nn.GRUCell(...)) is",
    "SimpleRNN": "SimpleRNNCell in a loop over the steps, as nn.RNN(nn.SimpleRNNCell(...)) is",
}
ELEMENTARY = "wgangp.layers, or reshape, split, expand and elementary operations"
# In the second derivative Paddle gives the input of conv3d no gradient, as it is zero. The operation before it must be
# one of these: others raise an error, or (ELU, scale, slice, concat) end the process with a segmentation fault.
BEFORE_CONV3D = "GradNodeAccumulation Expand Add Multiply Tanh Sigmoid"


def check(critic: nn.Layer, x: paddle.Tensor) -> None:
    """Take the gradient penalty of a critic and differentiate it, as a training step does.

    Args:
        critic: a Paddle layer that maps [n, ...] to [n] or [n, 1]; left as it was, as is Paddle's random state.
        x: a few inputs, [n, ...].

    Raises:
        InputError: Paddle's composite ("prim") mode is on, whose second derivatives are silently
            wrong; or a layer has no second derivative (named, with a replacement).
    """
    refuse_prim()
    with untouched(critic), _without_log(), paddle.enable_grad():
        error = _error_of(_differentiate_penalty, critic, x)
        if error is None:
            return
        name, layer, layers_error = _culprit(critic, x, error)
    if layer is None and isinstance(error, InputError):
        raise error
    kinds = [kind.__name__ for kind in type(layer).__mro__]
    what = f"layer '{name}' ({kinds[0]})" if layer else "forward method"
    operation = re.search(r"(\w+?)(_double)?_grad\b", str(layers_error or error))
    reason = f" (the operation is {operation[1]})" if operation else "" if layer else f" ({plain_message(error)})"
    kinds += [operation[1]] if operation else []
    uses = (use for kind in kinds for replaced, use in REPLACEMENTS.items() if kind in replaced.split())
    raise InputError(
        f"the critic's {what} cannot be differentiated twice in Paddle{reason}, which the gradient penalty needs; "
        f"use {next(uses, ELEMENTARY)}."
    )


def refuse_prim() -> None:
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


@contextmanager
def untouched(*networks: nn.Layer) -> Iterator[None]:
    """A context after which Paddle's random state and what networks keep beside their weights are as before.

    Args:
        networks: Paddle layers, such as with batch norm's running statistics.
    """
    random_state = paddle.get_rng_state()
    tensors = [t for network in networks for t in [*network.buffers(), *network.parameters()]]
    before = [(tensor, tensor.clone()) for tensor in tensors if tensor.stop_gradient and tensor._is_initialized()]
    try:
        yield
    finally:
        paddle.set_rng_state(random_state)
        for tensor, value in before:
            paddle.assign(value, output=tensor)


@contextmanager
def _without_log():
    """A context in which Paddle's C++ does not tell of each failed derivative on the standard error."""
    try:
        stream = os.dup(2)
    except OSError:  # there is none
        yield
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(stream, 2)
        os.close(stream)
        os.close(nowhere)


def _error_of(function, *arguments):
    """What a function raises; None where it raises nothing."""
    try:
        function(*arguments)
    except Exception as error:
        return error
    return None


def _differentiate_penalty(critic, x):
    """The gradient of the penalty by the parameters, and by its points, to which training's backward goes as well."""
    points = []

    def scores(mixed):
        points.append(mixed)
        values = critic(mixed)
        _refuse_operations(_points(values))
        return values

    _differentiate(losses.gradient_penalty(scores, x, x), [*points, *critic.parameters()])


def _differentiate(value, tensors):
    if not value.stop_gradient:
        paddle.grad(value, [tensor for tensor in tensors if not tensor.stop_gradient], allow_unused=True)


def _refuse_operations(outputs):
    """Raise an error for what Paddle cannot differentiate twice without an error of its own.

    Its `recompute` gives wrong second derivatives and changes the parameters' gradients; for conv3d see above.
    """
    nodes, seen = [output.grad_fn for output in outputs], set()
    while nodes:
        node = nodes.pop()
        if node is None or node.node_ptr() in seen:
            continue
        seen.add(node.node_ptr())
        nodes += node.next_functions
        if "Recompute" in node.name():
            raise RuntimeError("recompute_grad")
        if node.name() == "Conv3dGradNode":
            before = node.next_functions[0]
            if before is not None and before.name().removesuffix("GradNode") not in BEFORE_CONV3D.split():
                raise RuntimeError(f"conv3d_grad after {before.name()}")


def _culprit(critic, x, error):
    """The first of a critic's layers that fails alone, called as the critic calls it, inner ones before outer ones.

    Args:
        critic, x: as of `check`.
        error: of the whole critic.

    Returns:
        The layer's name, the layer and its error; three times None where each works alone.
    """
    calls = []

    def remember(name, layer, arguments, keywords, outputs):
        given = [list(arguments), keywords]
        before, after = (_error_of(_refuse_operations, _points(values)) for values in (given, outputs))
        calls.append((name, layer, map_structure(_variable, given), None if before else after))

    named = critic.named_sublayers()
    hooks = [layer.register_forward_post_hook(partial(remember, name), with_kwargs=True) for name, layer in named]
    _error_of(critic, _variable(x))
    for hook in hooks:
        hook.remove()
    for name, layer, given, lost in calls:
        if str(error) == losses.NO_GRADIENT:
            lost = None if _points(given) else "it takes integers"
        else:
            lost = lost or _error_alone(layer, *given)
        if lost:
            return name, layer, lost
    return None, None, None


def _error_alone(layer, arguments, keywords):
    """What Paddle says to a layer's second derivative by its inputs and parameters; None where there is one."""
    points = _points([arguments, keywords])
    try:
        outputs = [value for value in _points(layer(*arguments, **keywords)) if not value.stop_gradient]
    except Exception:
        return None  # it cannot be called alone

    def twice():
        gradients = paddle.grad([y.square().sum() for y in outputs], points, create_graph=True, allow_unused=True)
        slopes = [gradient.square().sum() for gradient in gradients if gradient is not None]
        if slopes:
            _differentiate(paddle.add_n(slopes), [*points, *layer.parameters()])

    return _error_of(twice) if points and outputs else None


def _points(given):
    """The tensors of floating-point numbers in nested lists and dicts."""
    return [value for value in flatten(given) if losses.is_batch(value)]


def _variable(value):
    """A tensor that can be differentiated by, of a tensor; anything else as it is."""
    if losses.is_batch(value):
        value = value.detach()
        value.stop_gradient = False
    return value


def has_batch_norm(network: nn.Layer, but: type | tuple = ()) -> bool:
    """Tell whether a network has batch normalisation anywhere.

    Args:
        network: a Paddle layer.
        but: classes that do not count.
    """
    kinds = (BatchNorm, nn.BatchNorm, nn.BatchNorm1D, nn.BatchNorm2D, nn.BatchNorm3D, nn.SyncBatchNorm)
    layers = network.sublayers(include_self=True)
    return any(isinstance(layer, kinds) and not isinstance(layer, but) for layer in layers)
