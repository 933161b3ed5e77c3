"""One model on several processes: the same weights in each, every batch in equal parts, gradients averaged.

    python -m paddle.distributed.launch --nproc_per_node 2 -m wgangp run fig1_gradient_norms

Without the launcher there is one process, and the functions here change nothing.
"""

import os
from collections.abc import Iterable

import numpy as np
import paddle

from wgangp.errors import InputError
from wgangp.runtime import devices


def size() -> int:
    """The number of processes.

    Raises:
        InputError: the launcher's variable is not a number.
    """
    return _number("PADDLE_TRAINERS_NUM", "1")


def rank() -> int:
    """The number of this process, from 0.

    Raises:
        InputError: the launcher's variable is not a number.
    """
    return _number("PADDLE_TRAINER_ID", "0")


def _number(variable, default):
    if not (text := os.environ.get(variable) or default).isdecimal():
        raise InputError(f"{variable} is {text!r}, not a number; unset it, or start with paddle.distributed.launch.")
    return int(text)


def connect(networks: Iterable[paddle.nn.Layer]) -> None:
    """Connect the processes and give all of them the weights of the first.

    Args:
        networks: Paddle layers, changed in place.

    Raises:
        InputError: the device cannot connect processes.
    """
    if size() == 1:
        return
    if devices.on_aten():
        raise InputError("the aten device cannot connect processes; use --device gpu or cpu with the launcher.")
    if not paddle.distributed.is_initialized():
        paddle.distributed.init_parallel_env()
    for network in networks:
        for tensor in network.state_dict().values():
            paddle.distributed.broadcast(tensor, 0)


def local_batch_size(n: int) -> int:
    """How many of the samples of a batch this process gets.

    Args:
        n: samples in the batch.

    Raises:
        InputError: the batch cannot be split evenly.
    """
    if n % size():
        raise InputError(f"a batch of {n} cannot be split evenly over {size()} processes; use another batch size.")
    return n // size()


def take_local_batch(batch: np.ndarray) -> np.ndarray:
    """Take the part of a batch that belongs to this process.

    Args:
        batch: array [n, ...].

    Returns:
        Array [n / size, ...].

    Raises:
        InputError: as of `local_batch_size`.
    """
    n = local_batch_size(len(batch))
    return batch[rank() * n : (rank() + 1) * n]


def average(tensors: list[paddle.Tensor]) -> None:
    """Average each of some tensors over the processes, in place, in one exchange.

    Args:
        tensors: a list of tensors of one type.
    """
    if size() == 1 or not tensors:
        return
    with paddle.no_grad():
        flat = paddle.concat([tensor.reshape([-1]) for tensor in tensors])
        paddle.distributed.all_reduce(flat)
        parts = (flat / size()).split([tensor.size for tensor in tensors])
        for tensor, part in zip(tensors, parts, strict=True):
            paddle.assign(part.reshape(tensor.shape), output=tensor)


def average_gradients(network: paddle.nn.Layer) -> None:
    """Average the gradients of a network's parameters over the processes.

    Args:
        network: a Paddle layer after `backward`.
    """
    average([parameter.grad for parameter in network.parameters() if parameter.grad is not None])


def any_process(flag: bool) -> bool:
    """Whether a flag is set in any process.

    Args:
        flag: a bool.
    """
    if size() == 1:
        return flag
    count = paddle.to_tensor([float(flag)])
    paddle.distributed.all_reduce(count)
    return float(count) > 0
