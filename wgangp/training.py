"""The training loop: seeded iteration by iteration, resumed from its checkpoint, recorded in a history."""

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import paddle
import pandas as pd

from wgangp import network_checks
from wgangp.data.batches import as_batches
from wgangp.errors import BudgetSpent, InputError, check_number
from wgangp.history import History, as_floats
from wgangp.optimizers import make_optimizer
from wgangp.runtime import checkpoint as checkpoints
from wgangp.runtime import devices, distributed
from wgangp.runtime.devices import to_device
from wgangp.runtime.progress import Progress
from wgangp.training_state import TrainingState

if TYPE_CHECKING:
    from wgangp.gan import BaseGAN


class Callback:
    """A function that `.train` calls after every so many iterations.

    Args:
        function: called as function(gan, iteration, losses), with iterations counted from 0 and the losses of this
            one, {name: float}. The numbers that it returns, {name: number} or None, become columns of the history.
        every: iterations from one call to the next, at least 1.

    Raises:
        InputError: the function cannot be called, or every is no such number.
    """

    def __init__(self, function: Callable[[Any, int, dict[str, float]], Mapping[str, Any] | None], every: int = 1):
        if not callable(function):
            raise InputError(f"{function!r} is no callback; give a function.")
        self.function, self.every = function, check_number("every", every, at_least=1, whole=True)


def train(
    gan: "BaseGAN",
    train_data: Any,
    batch_size: int = 64,
    iterations: int = 100_000,
    g_learning_rate: float | None = None,
    d_learning_rate: float | None = None,
    beta1: float | None = None,
    beta2: float | None = None,
    lr_decay: bool = False,
    generator_batch_size: int | None = None,
    optimizer: str | None = None,
    d_weight_decay: float | None = None,
    seed: int = 0,
    checkpoint: Path | str | None = None,
    checkpoint_seconds: float = 60.0,
    callbacks: Sequence[Callback | Callable] = (),
    deadline: float | None = None,
    progress: str | None = "training",
) -> pd.DataFrame:
    """Train both networks: per iteration a generator step (not in the first), then the critic's.

    All of Paddle's random numbers in iteration i depend on the seed and i alone (its global seed is set anew in each),
    so a resumed run ends bit-equal to an uninterrupted one on the same machine. A second call without a checkpoint
    begins with new optimizers and the same random numbers: give it another seed, or a checkpoint to go on from.

    Args:
        train_data: array [n, ...], pair of samples and labels (used by `ConditionalWGAN_GP` alone),
            paddle.io.Dataset, DataLoader, iterator of batches, or an object with `sample(n, rng)`; see
            `wgangp.data.batches.as_batches`. What the data draw from global random numbers, such as the
            order of a shuffling loader, follows the seed, too.
        batch_size: real samples per critic step.
        iterations: generator iterations, in all, those of a checkpoint included; one that has more is left as it is.
        g_learning_rate, d_learning_rate: step sizes, above 0; the method's default when None.
        beta1, beta2: Adam's decay rates, in [0, 1); the method's defaults when None.
        lr_decay: decay both step sizes linearly to 0 over the iterations (Appendix F).
        generator_batch_size: samples per generator step; batch_size when None.
        optimizer: "adam" or "rmsprop"; the method's default when None.
        d_weight_decay: weight decay of the critic under Adam, as of `wgangp.optimizers.Adam`; None for none.
        seed: of data order, noise and the penalty's positions, a non-negative integer.
        checkpoint: path ending in .npz; training goes on from it where it is there.
        checkpoint_seconds: how often it is written (and at the beginning and the end).
        callbacks: a list of `Callback`; a function f(gan, iteration, losses) stands for one that is called after
            each iteration.
        deadline: time.time() after which training stops with BudgetSpent, checkpoint written.
        progress: label of the progress bar, None for none.

    Returns:
        The history, a pandas.DataFrame with a row per iteration: `generator_loss`,
        `critic_loss` and the method's own columns (of the iteration's last critic step), and
        `seconds` of training so far, without the callbacks.

    Raises:
        InputError: unusable data, settings or checkpoint, or a callback's number has a loss's name.
        Diverged: a loss or weight became NaN or infinite.
        BudgetSpent: the deadline has passed.

    Source: Algorithm 1; gan_cifar.py lines 170-200 for the order of the steps.
    """
    iterations = check_number("iterations", iterations, at_least=1, whole=True)
    settings = {
        "method": type(gan).__name__,
        "critic_iters": gan.critic_iters,
        "optimizer": gan.optimizer if optimizer is None else optimizer,
        "lr_decay_over": iterations if lr_decay else None,
        "batch_size": (batch_size := check_number("batch_size", batch_size, at_least=1, whole=True)),
        "seed": (seed := check_number("seed", seed, at_least=0, below=2**64, whole=True)),
    }
    for name, value, default, bounds in (
        ("g_learning_rate", g_learning_rate, gan.learning_rate, {"above": 0}),
        ("d_learning_rate", d_learning_rate, gan.learning_rate, {"above": 0}),
        ("beta1", beta1, gan.beta1, {"at_least": 0, "below": 1}),
        ("beta2", beta2, gan.beta2, {"at_least": 0, "below": 1}),
        ("generator_batch_size", generator_batch_size, batch_size, {"at_least": 1, "whole": True}),
    ):
        settings[name] = check_number(name, default if value is None else value, **bounds)
    if d_weight_decay is not None:
        d_weight_decay = check_number("d_weight_decay", d_weight_decay, at_least=0)
    if lr_decay not in (True, False):
        raise InputError(f"lr_decay is {lr_decay!r}; use True or False.")
    checkpoint = None if checkpoint is None else checkpoints.check_path(checkpoint)
    checkpoint_seconds = check_number("checkpoint_seconds", checkpoint_seconds, at_least=0)
    deadline = None if deadline is None else check_number("deadline", deadline)
    if not (progress is None or isinstance(progress, str)):
        raise InputError(f"progress is {progress!r}; give the label of the progress bar, or None for none.")
    if not isinstance(callbacks, (list, tuple)):
        raise InputError(f"callbacks is {callbacks!r}; give a list of functions.")
    callbacks = [one if isinstance(one, Callback) else Callback(one) for one in callbacks]
    network_checks.check_precision(gan.generator, gan.discriminator)
    batches = as_batches(train_data, batch_size, seed, getattr(gan, "classes", None))
    gan.check_data(batches(0))
    settings |= {"data": batches.describe(), "d_weight_decay": d_weight_decay or None, **gan.method_settings()}

    gan.batch_size = settings["generator_batch_size"]
    gan.clear_gradients()  # an interrupted training may have left some
    g_optimizer = make_optimizer(gan.generator, settings, settings["g_learning_rate"])
    d_optimizer = make_optimizer(gan.discriminator, settings, settings["d_learning_rate"], d_weight_decay)
    optimizers = {"g_optimizer": g_optimizer, "d_optimizer": d_optimizer}
    state = TrainingState(checkpoint, gan.networks, optimizers, settings, gan.batch_size)
    resumed = state.restore()
    history = History(resumed or [], state.last_good)
    start = len(resumed or [])
    rank = [distributed.rank()] if distributed.rank() else []  # each process draws noise of its own
    distributed.connect([gan.generator, gan.discriminator])
    if resumed is None:
        state.write(history.table())  # so that an interrupted training begins again with the same weights
    fixed = not gan.generator.parameters()
    step = devices.ReplayedStep(partial(gan.iteration, batches, None if fixed else g_optimizer, d_optimizer))
    written = time.monotonic()
    try:
        with Progress(progress, iterations, start) as bar:
            for iteration in range(start, iterations):
                seed_everything(seed, iteration, *rank)
                if lr_decay:
                    g_optimizer.set_lr(settings["g_learning_rate"] * (1 - iteration / iterations))
                    d_optimizer.set_lr(settings["d_learning_rate"] * (1 - iteration / iterations))
                first = iteration * gan.critic_iters
                drawn = [distributed.take_local_batch(batches.draw(first + i)) for i in range(gan.critic_iters)]
                history.add(step(drawn) if iteration else gan.iteration(batches, None, d_optimizer, to_device(drawn)))
                if distributed.rank() == 0:
                    call_back(callbacks, gan, iteration, history)
                bar.update()
                if deadline is not None and distributed.any_process(time.time() > deadline):
                    state.write(history.table())
                    raise BudgetSpent(f"stopped by the budget after iteration {iteration + 1} of {iterations}.")
                if time.monotonic() - written > checkpoint_seconds:
                    state.write(history.table())
                    written = time.monotonic()
    finally:
        gan.history = history.so_far()
    if iterations > start:
        state.write(history.table())
    gan.history = history.table()
    return gan.history


def call_back(callbacks: list[Callback], gan: "BaseGAN", iteration: int, history: History) -> None:
    """Call the callbacks whose turn it is after an iteration, and put their numbers into its row of the history.

    Raises:
        InputError: what one returned are no numbers by name, or the row has one of that name.
    """
    for callback in callbacks:
        if (iteration + 1) % callback.every == 0:
            record = history.read()
            with history.paused():
                numbers = as_floats(callback.function(gan, iteration, dict(record)))
            if taken := numbers.keys() & record.keys():
                raise InputError(f"a callback returned {min(taken)}, which the history has; name it otherwise.")
            record |= numbers


def seed_everything(*entropy: int) -> None:
    """Seed Paddle's random numbers from several integers at once."""
    paddle.seed(int(np.random.SeedSequence(entropy).generate_state(1)[0]))
