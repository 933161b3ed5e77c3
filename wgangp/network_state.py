"""The weights of networks: taken out, put in, compared, frozen."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import paddle

from wgangp.errors import InputError


def arrays_of(networks: dict[str, paddle.nn.Layer]) -> dict[str, np.ndarray]:
    """The parameters and buffers of networks.

    Args:
        networks: by the names that they have in files.

    Returns:
        {"<network>/<path of a parameter or buffer>": array}.
    """
    return {
        f"{name}/{key}": value.numpy()
        for name, network in networks.items()
        for key, value in network.state_dict().items()
    }


def load(networks: dict[str, paddle.nn.Layer], arrays: dict[str, np.ndarray], path: Path | str) -> None:
    """Put arrays into networks; all of them fit, or nothing is changed.

    Args:
        networks: as of `arrays_of`.
        arrays: as from `arrays_of`; others, such as of optimizers, are left alone.
        path: the file that they are of, for messages.

    Raises:
        InputError: they are of other networks.
    """
    saved = {n: {k.split("/", 1)[1]: v for k, v in arrays.items() if k.startswith(n + "/")} for n in networks}
    for name, network in networks.items():
        check_state(network, saved[name], name, path)
    for name, network in networks.items():
        network.set_state_dict(saved[name])


def first_not_finite(networks: dict[str, paddle.nn.Layer], arrays: dict[str, np.ndarray]) -> str | None:
    """The name of a parameter whose array has NaN or infinite values; None where there is none.

    Args:
        networks, arrays: as of `load`.
    """
    names = [f"{name}/{key}" for name, network in networks.items() for key, _ in network.named_parameters()]
    return next((name for name in names if not np.isfinite(arrays.get(name, 0)).all()), None)


def check_state(network: paddle.nn.Layer, saved: dict[str, np.ndarray], name: str, path: Path | str) -> None:
    """Hold saved parameters and buffers against a network's.

    Args:
        network: a Paddle layer.
        saved: {path of a parameter or buffer: array}.
        name, path: of the network and of the file, for messages.

    Raises:
        InputError: they are of another network.
    """
    state = network.state_dict()
    for key in sorted(set(state) | set(saved)):
        ours, theirs = (list(arrays[key].shape) if key in arrays else "nothing" for arrays in (state, saved))
        if ours == theirs:
            ours, theirs = str(state[key].dtype).removeprefix("paddle."), str(saved[key].dtype)
        if ours != theirs:
            raise InputError(
                f"{path} does not fit the {name}: {key} is {theirs} in the file and {ours} in the network."
            )


@contextmanager
def frozen(network: paddle.nn.Layer) -> Iterator[None]:
    """A context: what is computed in it has no gradient for the network's parameters, also not later.

    Args:
        network: a Paddle layer.
    """
    parameters = [parameter for parameter in network.parameters() if not parameter.stop_gradient]
    layers = network.sublayers(include_self=True)
    recurrent = [(layer, layer._all_weights) for layer in layers if hasattr(layer, "_all_weights")]  # LSTM and the like
    for parameter in parameters:
        parameter.stop_gradient = True
    for layer, weights in recurrent:  # Paddle's backward of them needs gradients of the weights: those of stand-ins
        layer._all_weights = [weight.detach() for weight in weights]
        for weight in layer._all_weights:
            weight.stop_gradient = False
    try:
        yield
    finally:
        for parameter in parameters:
            parameter.stop_gradient = False
        for layer, weights in recurrent:
            layer._all_weights = weights
