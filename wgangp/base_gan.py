"""The training loop that all four methods share."""

import re
import time
import warnings
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np
import paddle
import pandas as pd

from wgangp import double_backward
from wgangp.data.batches import as_batches
from wgangp.errors import BudgetSpent, Diverged, InputError, brief, cause, number
from wgangp.history import History, as_numbers
from wgangp.layers import BatchNorm, sub_batches, use_channels_last
from wgangp.optimizers import Adam, RMSProp, load_state_arrays, state_arrays
from wgangp.runtime import checkpoint as checkpoints
from wgangp.runtime import devices, distributed
from wgangp.runtime.devices import tensors
from wgangp.runtime.progress import Progress
from wgangp.training import Callback


class BaseGAN:
    """A generator, a critic and their training; subclasses say what their method does differently.

    Args:
        generator: Paddle layer, latent vectors [n, latent_dim] to samples [n, ...]. Without
            parameters it is taken as fixed and never stepped.
        discriminator: the critic, samples [n, ...] to scores [n] or [n, 1].
        critic_iters: critic steps per generator step, at least 1.
        latent_dim: length of the latent vectors; the generator's own `latent_dim` when None.

    Raises:
        InputError: they are no networks or do not fit each other, or the critic has nothing to train.
    """

    optimizer, learning_rate, beta1, beta2 = "adam", 1e-4, 0.0, 0.9  # Algorithm 1
    unbounded_scores = True  # whether a sigmoid at the critic's end is a mistake

    def __init__(self, generator, discriminator, critic_iters=5, latent_dim=None):
        for name, network in (("generator", generator), ("discriminator", discriminator)):
            if not isinstance(network, paddle.nn.Layer):
                kind = network.__name__ if isinstance(network, type) else type(network).__name__
                raise InputError(f"the {name} is {kind}; give a network, an instance of paddle.nn.Layer.")
        if all(parameter.stop_gradient for parameter in discriminator.parameters()):
            raise InputError("the critic has no parameters to train; give it some, or let them have gradients.")
        self.generator, self.discriminator = generator, discriminator
        if devices.on_gpu():
            use_channels_last(generator), use_channels_last(discriminator)
        if latent_dim is None:
            latent_dim = getattr(generator, "latent_dim", None)
        if latent_dim is None:
            raise InputError("latent_dim is not given and the generator has no attribute latent_dim; give it.")
        self.latent_dim = number("latent_dim", latent_dim, at_least=1, whole=True)
        self.critic_iters = number("critic_iters", critic_iters, at_least=1, whole=True)
        self.history = pd.DataFrame()
        self.batch_size = 64
        self.one_pass = not double_backward.has_batch_norm(discriminator)
        self.one_generator_pass = not double_backward.has_batch_norm(generator, but=BatchNorm)
        self._check_precision()
        with double_backward.untouched(generator, discriminator):
            self._sample_shape = self._check_networks()

    def _check_networks(self):
        try:
            fake = self.draw(2)
        except Exception as error:
            raise InputError(
                f"the generator cannot take latent vectors of shape [2, {self.latent_dim}]: {brief(error)}."
            ) from cause(error)
        if not isinstance(fake, paddle.Tensor) or fake.shape[:1] != [2]:
            raise InputError(
                f"the generator gives {shape_of(fake)} for 2 latent vectors; it must give one tensor of "
                "samples, [2, ...]."
            )
        try:
            scores = self.discriminator(fake.detach())
        except Exception as error:
            raise InputError(
                f"the generator's output, of shape {list(fake.shape)}, does not fit the critic: {brief(error)}."
            ) from cause(error)
        if not isinstance(scores, paddle.Tensor) or scores.shape not in ([2], [2, 1]):
            raise InputError(
                f"the critic gives {shape_of(scores)} for 2 samples; it must give one score per sample, "
                "shape [2, 1] or [2]."
            )
        self._last_function = last_function(fake)
        if self.unbounded_scores and last_function(scores) in BOUNDED:
            warnings.warn(
                f"the critic ends in a {last_function(scores)}, which bounds its scores; {type(self).__name__} needs "
                "unbounded ones: leave it out.",
                stacklevel=4,
            )
        return fake.shape[1:]

    def _check_precision(self):
        networks = (self.generator, self.discriminator)
        types = {str(parameter.dtype).removeprefix("paddle.") for net in networks for parameter in net.parameters()}
        others = sorted({paddle.get_default_dtype(), *types} - {"float32"})
        if others:
            raise InputError(
                f"the networks or Paddle's default type are {', '.join(others)}; training is in float32: call "
                "paddle.set_default_dtype('float32') and build the networks afterwards."
            )

    def draw(self, n):
        """Generated samples from fresh latent vectors.

        Args:
            n: how many.

        Returns:
            [n, ...].
        """
        return self.generator(paddle.randn([n, self.latent_dim]))

    def draw_fakes(self, reals):
        """Generated samples for several steps, in one pass of the generator.

        Args:
            reals: the batches of real samples that they accompany, [n, ...] each.

        Returns:
            A list of [n, ...].
        """
        sizes = [real.shape[0] for real in reals]
        return self.in_batches(sizes, paddle.randn([sum(sizes), self.latent_dim]))

    def draw_fake(self, real):
        """Generated samples for one step; as `draw_fakes`."""
        return self.draw_fakes([real])[0]

    def in_batches(self, sizes, *inputs):
        """The generator's output in training, for several batches at once.

        Batch norm uses each batch's own statistics, and those of each of its sub-batches where the generator has an
        attribute `groups`.

        Args:
            sizes: of the batches.
            inputs: the generator's, [sum of sizes, ...] each.

        Returns:
            A list of [size, ...].

        Raises:
            InputError: a size is not a multiple of the generator's groups.

        Source: gan_cifar_resnet.py lines 189-192 and 288-299.
        """
        groups = getattr(self.generator, "groups", 1)
        for size in sizes:
            if size % groups:
                raise InputError(
                    f"the generator trains in {groups} sub-batches (its attribute groups), which a batch of {size} "
                    "cannot be split into; use another batch size or set groups."
                )
        parts = groups * len(sizes)
        if self.one_generator_pass and len(set(sizes)) == 1:
            with sub_batches(self.generator, parts):
                return self.generator(*inputs).split(len(sizes))
        lengths = [size // groups for size in sizes for _ in range(groups)]
        outputs = [self.generator(*part) for part in zip(*(x.split(lengths) for x in inputs), strict=True)]
        return [paddle.concat(outputs[i * groups : (i + 1) * groups]) for i in range(len(sizes))]

    def score_both(self, real, fake):
        """Critic's scores of real and generated samples, one pass unless batch norm would mix them.

        Args:
            real, fake: [n, ...], the same shape.

        Returns:
            Two tensors of scores.
        """
        if self.one_pass:
            return self.discriminator(paddle.concat([real, fake])).split(2)
        return self.discriminator(real), self.discriminator(fake)

    def critic_loss(self, real, fake):
        """The critic's loss; a method's own.

        Args:
            real, fake: [n, ...], the same shape.

        Returns:
            The loss and {name: scalar tensor} for the history.
        """
        raise NotImplementedError

    def critic_backward(self, real, fake):
        """The critic's loss; its gradients are left in the critic's parameters.

        Args:
            real, fake: [n, ...], the same shape.

        Returns:
            As `critic_loss`.
        """
        loss, parts = self.critic_loss(real, fake)
        loss.backward()
        return loss, parts

    def generator_loss(self, fake_scores):
        """The generator's loss; a method's own.

        Args:
            fake_scores: [n] or [n, 1].

        Returns:
            A scalar tensor.
        """
        raise NotImplementedError

    def batch_like(self, real, n):
        """What a generator step takes in place of a batch of another size.

        Args:
            real: a batch, [m, ...].
            n: samples per generator step.

        Returns:
            [n, ...], for its shape only.
        """
        return real[:1].expand([n, *real.shape[1:]])

    def generator_step_loss(self, real):
        """The generator's loss on fresh samples.

        Args:
            real: stands for the batch's shape, [n, ...].

        Returns:
            A scalar tensor.
        """
        return self.generator_loss(self.discriminator(self.draw_fake(real)))

    def constrain_critic(self):
        """What a method does to the critic's weights after each of its steps; nothing here."""

    def critic_step(self, real, fake, optimizer):
        """One step of the critic.

        Args:
            real: a batch, [n, ...].
            fake: generated samples, without a gradient, [n, ...].
            optimizer: of the critic's parameters.

        Returns:
            {name: scalar tensor}: the loss and its parts.
        """
        loss, parts = self.critic_backward(real, fake)
        distributed.average_gradients(self.discriminator)
        optimizer.step()
        self.constrain_critic()
        self._clear_gradients()
        return {"critic_loss": loss.detach(), **{name: part.detach() for name, part in parts.items()}}

    def generator_step(self, real, optimizer):
        """One step of the generator.

        Args:
            real: stands for the batch's shape, [n, ...].
            optimizer: of the generator's parameters.

        Returns:
            {"generator_loss": scalar tensor}.
        """
        with frozen(self.discriminator):
            loss = self.generator_step_loss(real)
        loss.backward()
        distributed.average_gradients(self.generator)
        optimizer.step()
        self._clear_gradients()
        return {"generator_loss": loss.detach()}

    def _clear_gradients(self):
        for network in (self.generator, self.discriminator):
            for parameter in network.parameters():
                parameter.clear_gradient(False)  # freed, not zeroed; Paddle overlooks the keyword

    def iteration(self, batches, g_optimizer, d_optimizer, drawn):
        """One iteration: a generator step, then the critic's.

        Args:
            batches: as from `as_batches`.
            g_optimizer: of the generator's parameters; None for no generator step.
            d_optimizer: of the critic's parameters.
            drawn: what `batches.draw` drew for each of the critic's steps, tensors.

        Returns:
            {name: scalar tensor}: the losses and their parts, the critic's of its last step.
        """
        losses = {}
        reals = [self.take(batches.load(drawn[i])) for i in range(self.critic_iters)]
        if g_optimizer is not None:
            n = distributed.share_of(self.batch_size)
            losses |= self.generator_step(self.batch_like(reals[0], n), g_optimizer)
        with paddle.no_grad():
            fakes = self.draw_fakes(reals)
        for real, fake in zip(reals, fakes, strict=True):
            losses |= self.critic_step(real, fake, d_optimizer)
        distributed.average(list(losses.values()))
        return losses

    def train(
        self,
        train_data,
        batch_size=64,
        iterations=100_000,
        g_learning_rate=None,
        d_learning_rate=None,
        beta1=None,
        beta2=None,
        lr_decay=False,
        generator_batch_size=None,
        optimizer=None,
        d_weight_decay=None,
        seed=0,
        checkpoint=None,
        checkpoint_seconds=60.0,
        callbacks=(),
        deadline=None,
        progress="training",
    ):
        """Train both networks: per iteration a generator step (not in the first), then the critic's.

        Everything random in iteration i depends on the seed and i alone, so a resumed run ends
        bit-equal to an uninterrupted one on the same machine.

        Args:
            train_data: array [n, ...], pair of samples and labels (used by `ConditionalWGAN_GP` alone),
                paddle.io.Dataset, DataLoader, iterator of batches, or an object with `sample(n, rng)`; see
                `wgangp.data.batches.as_batches`. What the data draw from global random numbers, such as the
                order of a shuffling loader, follows the seed, too.
            batch_size: real samples per critic step.
            iterations: generator iterations, in all (those of a checkpoint included).
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
            InputError: unusable data, settings or checkpoint.
            Diverged: a loss or weight became NaN or infinite.
            BudgetSpent: the deadline has passed.

        Source: Algorithm 1; gan_cifar.py lines 170-200 for the order of the steps.
        """
        seed = number("seed", seed, at_least=0, below=2**64, whole=True)
        iterations = number("iterations", iterations, at_least=1, whole=True)
        batch_size = number("batch_size", batch_size, at_least=1, whole=True)
        settings = {
            "method": type(self).__name__,
            "critic_iters": self.critic_iters,
            "optimizer": self.optimizer if optimizer is None else optimizer,
            "lr_decay_over": iterations if lr_decay else None,
            "batch_size": batch_size,
            "seed": seed,
        }
        for name, value, default, bounds in (
            ("g_learning_rate", g_learning_rate, self.learning_rate, {"above": 0}),
            ("d_learning_rate", d_learning_rate, self.learning_rate, {"above": 0}),
            ("beta1", beta1, self.beta1, {"at_least": 0, "below": 1}),
            ("beta2", beta2, self.beta2, {"at_least": 0, "below": 1}),
            ("generator_batch_size", generator_batch_size, batch_size, {"at_least": 1, "whole": True}),
        ):
            settings[name] = number(name, default if value is None else value, **bounds)
        if d_weight_decay is not None:
            d_weight_decay = number("d_weight_decay", d_weight_decay, at_least=0)
        if checkpoint is not None:
            checkpoint = checkpoints.checked(checkpoint)
        checkpoint_seconds = number("checkpoint_seconds", checkpoint_seconds, at_least=0)
        if deadline is not None:
            number("deadline", deadline)
        if lr_decay not in (True, False):
            raise InputError(f"lr_decay is {lr_decay!r}; use True or False.")
        if not isinstance(callbacks, (list, tuple)):
            raise InputError(f"callbacks is {callbacks!r}; give a list of functions.")
        callbacks = [one if isinstance(one, Callback) else Callback(one) for one in callbacks]
        self._check_precision()
        batches = as_batches(train_data, batch_size, seed, getattr(self, "classes", None))
        settings |= {"data": batches.describe(), **self.method_settings()}
        if d_weight_decay:
            settings["d_weight_decay"] = d_weight_decay
        self.batch_size = settings["generator_batch_size"]
        self._check_data(batches)
        self._clear_gradients()  # an interrupted training may have left some
        g_optimizer = make_optimizer(self.generator, settings, settings["g_learning_rate"])
        d_optimizer = make_optimizer(self.discriminator, settings, settings["d_learning_rate"], d_weight_decay)
        optimizers = g_optimizer, d_optimizer
        saved, records, start = None, [], 0
        if checkpoint is not None:
            saved = checkpoints.read_newest(checkpoint)
            if saved is not None:
                records, start = self._restore(saved, checkpoint, settings, optimizers)
        distributed.begin([self.generator, self.discriminator])
        ours = [distributed.rank()] if distributed.rank() else []  # each process draws noise of its own
        history = History(records, lambda: last_good(checkpoint))
        stepped = g_optimizer if self.generator.parameters() else None
        step = devices.Replayed(partial(self.iteration, batches, stepped, d_optimizer))
        written = time.monotonic()

        def write_checkpoint():
            table = history.table()
            arrays = self._network_arrays()
            bad = self._not_finite(arrays)
            if bad:
                raise Diverged(
                    f"training diverged: after {len(table)} iterations {bad} has NaN or infinite values; "
                    f"{last_good(checkpoint)}."
                )
            if checkpoint is not None and distributed.rank() == 0:
                self._write_checkpoint(checkpoint, settings, optimizers, arrays, table)

        if saved is None:
            write_checkpoint()  # so that an interrupted training begins again with the same weights
        with Progress(progress, iterations, start) as bar:
            for iteration in range(start, iterations):
                seed_everything(seed, iteration, *ours)
                if lr_decay:
                    g_optimizer.set_lr(settings["g_learning_rate"] * (1 - iteration / iterations))
                    d_optimizer.set_lr(settings["d_learning_rate"] * (1 - iteration / iterations))
                first = iteration * self.critic_iters
                drawn = [distributed.share(batches.draw(first + i)) for i in range(self.critic_iters)]
                history.add(step(drawn) if iteration else self.iteration(batches, None, d_optimizer, tensors(drawn)))
                for callback in callbacks if distributed.rank() == 0 else ():
                    if (iteration + 1) % callback.every == 0:
                        record = history.read()
                        with history.paused():
                            record |= as_numbers(callback.function(self, iteration, dict(record)))
                bar.update()
                if deadline is not None and distributed.any_of(time.time() > deadline):
                    write_checkpoint()
                    raise BudgetSpent(f"stopped by the budget after iteration {iteration + 1} of {iterations}.")
                if time.monotonic() - written > checkpoint_seconds:
                    write_checkpoint()
                    written = time.monotonic()
        if iterations > start:
            write_checkpoint()
        self.history = history.table()
        return self.history

    def method_settings(self):
        """What of the method belongs into a checkpoint's identity, {name: value}."""
        return {}

    def take(self, batch):
        """What the steps use of a batch of the data: the samples, without labels.

        Args:
            batch: samples [n, ...], or a pair of samples and labels.

        Returns:
            Samples [n, ...].
        """
        return batch[0] if isinstance(batch, (tuple, list)) else batch

    def _check_data(self, batches):
        self._check_samples(self.take(batches(0)))

    def _check_samples(self, real):
        if real.shape[1:] != self._sample_shape:
            raise InputError(
                f"train_data has samples of shape {list(real.shape[1:])} but the generator makes "
                f"{list(self._sample_shape)}; reshape the data or change the generator."
            )
        low, high = BOUNDED.get(self._last_function, (-np.inf, np.inf))
        smallest, largest = real.min().item(), real.max().item()
        if smallest < low - 0.1 or largest > high + 0.1:
            warnings.warn(
                f"train_data has values from {smallest:.4g} to {largest:.4g}, but the generator ends in a "
                f"{self._last_function}, whose values are between {low} and {high}; scale the data.",
                stacklevel=4,
            )

    def generate(self, num_samples, seed=None):
        """Draw samples from the generator, in batches of the training's size.

        Batch norm uses each batch's own statistics, as in the authors' code; the last batch is
        drawn whole and cut.

        Args:
            num_samples: how many, at least 1.
            seed: of the latent vectors, from 0; Paddle's current random state when None.

        Returns:
            float32 array [num_samples, ...].

        Raises:
            InputError: num_samples or seed is not such an integer.
        """
        num_samples = self._begin_generating(num_samples, seed)
        parts = []
        with paddle.no_grad():
            for _ in range(0, num_samples, self.batch_size):
                parts.append(self.draw(self.batch_size).numpy())
        return np.concatenate(parts)[:num_samples]

    def _begin_generating(self, num_samples, seed):
        num_samples = number("num_samples", num_samples, at_least=1, whole=True)
        if seed is not None:
            paddle.seed(number("seed", seed, at_least=0, below=2**64, whole=True))
        return num_samples

    @property
    def _networks(self):
        """By the names that they have in files."""
        return {"generator": self.generator, "critic": self.discriminator}

    def _network_arrays(self):
        return {
            f"{name}/{key}": value.numpy()
            for name, network in self._networks.items()
            for key, value in network.state_dict().items()
        }

    def _load_network_arrays(self, arrays, path):
        networks = self._networks
        saved = {n: {k.split("/", 1)[1]: v for k, v in arrays.items() if k.startswith(n + "/")} for n in networks}
        for name, network in networks.items():  # both, before either is changed
            check_state(network, saved[name], name, path)
        for name, network in networks.items():
            network.set_state_dict(saved[name])

    def load_generator(self, arrays, path):
        """Load the generator alone.

        Args:
            arrays: {parameter's path: array}, of any floating-point type.
            path: the file that they are of, for messages.

        Raises:
            InputError: they are of another network.
        """
        arrays = {name: array.astype("float32") if array.dtype.kind == "f" else array for name, array in arrays.items()}
        check_state(self.generator, arrays, "generator", path)
        self.generator.set_state_dict(arrays)

    def save(self, path):
        """Write both networks as plain arrays.

        Args:
            path: ends in .npz; what `save` or `train` wrote there before is kept as `<name>.previous.npz`.

        Raises:
            InputError: another path, a folder's, or one that cannot be written.
        """
        checkpoints.write(path, self._network_arrays(), {"batch_size": self.batch_size})

    def load(self, path):
        """Read both networks from `save` or from a checkpoint of `train`.

        Args:
            path: ends in .npz.

        Raises:
            InputError: not such a file, or of other networks.
        """
        arrays, about = checkpoints.read(path)
        self._load_network_arrays(arrays, path)
        self.batch_size = about.get("batch_size", self.batch_size)

    def _not_finite(self, arrays):
        """The name of a parameter whose array has NaN or infinite values; None where there is none."""
        networks = self._networks.items()
        names = [f"{name}/{key}" for name, network in networks for key, _ in network.named_parameters()]
        return next((name for name in names if not np.isfinite(arrays.get(name, 0)).all()), None)

    def _write_checkpoint(self, path, settings, optimizers, arrays, history):
        for name, optimizer in zip(("g_optimizer", "d_optimizer"), optimizers, strict=True):
            arrays |= state_arrays(optimizer, name)
        arrays |= {f"history/{name}": history[name].to_numpy("float64") for name in history}
        about = {"iteration": len(history), "settings": settings, "batch_size": self.batch_size}
        checkpoints.write(path, arrays, about)

    def _restore(self, saved, path, settings, optimizers):
        arrays, about = saved
        theirs = about.get("settings", {})
        differing = [k for k in settings if theirs.get(k) != settings[k]]
        if differing:
            what = "; ".join(f"{k} was {theirs.get(k)!r}, is {settings[k]!r}" for k in differing)
            raise InputError(f"the checkpoint {path} is of another run ({what}); delete it or name another.")
        bad = self._not_finite(arrays)
        if bad:
            raise InputError(
                f"the checkpoint {path} is of a training that diverged: {bad} has NaN or infinite values; delete it, "
                f"to go on from {checkpoints.previous(path)} where that is there."
            )
        self._load_network_arrays(arrays, path)
        for name, optimizer in zip(("g_optimizer", "d_optimizer"), optimizers, strict=True):
            load_state_arrays(optimizer, name, arrays)
        history = pd.DataFrame({k.split("/", 1)[1]: v for k, v in arrays.items() if k.startswith("history/")})
        records = [{k: v for k, v in row.items() if not np.isnan(v)} for row in history.to_dict("records")]
        return records, about["iteration"]


BOUNDED = {
    "tanh": (-1, 1),
    "sigmoid": (0, 1),
    "hardsigmoid": (0, 1),
    "softmax": (0, 1),
}  # functions and the range of their values


def last_function(output):
    """The function that computed a tensor, reshapes left out, such as "sigmoid"; "" where Paddle does not tell."""
    node = output.grad_fn
    while node is not None and re.match("Reshape|Squeeze|Unsqueeze|Flatten|Transpose", node.name()):
        node = next(iter(node.next_functions), None)
    return node.name().split("Grad")[0].lower() if node is not None else ""


def shape_of(output):
    """What a network has given, in words: a tensor's shape, else its type."""
    return f"shape {list(output.shape)}" if isinstance(output, paddle.Tensor) else f"a {type(output).__name__}"


@contextmanager
def frozen(network):
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


def check_state(network, saved, name, path):
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
        here, there = (list(arrays[key].shape) if key in arrays else "nothing" for arrays in (state, saved))
        if here == there:
            here, there = str(state[key].dtype).removeprefix("paddle."), str(saved[key].dtype)
        if here != there:
            raise InputError(f"{path} does not fit the {name}: {key} is {there} in the file and {here} in the network.")


def last_good(checkpoint):
    """Names the checkpoint that a diverged training can go back to."""
    if checkpoint and Path(checkpoint).exists():
        return f"the last good checkpoint is {checkpoint}"
    return "there is no checkpoint"


def make_optimizer(network, settings, learning_rate, weight_decay=None):
    """The optimizer of one network, in TensorFlow's form."""
    if settings["optimizer"] == "rmsprop":
        if weight_decay:
            raise InputError("weight decay is for Adam only; use optimizer='adam' or no weight decay.")
        return RMSProp(learning_rate, network.parameters())
    if settings["optimizer"] == "adam":
        return Adam(learning_rate, settings["beta1"], settings["beta2"], network.parameters(), weight_decay)
    raise InputError(f"optimizer {settings['optimizer']!r} is unknown; use 'adam' or 'rmsprop'.")


def seed_everything(*entropy):
    """Seed Paddle's random numbers from several integers at once."""
    paddle.seed(int(np.random.SeedSequence(entropy).generate_state(1)[0]))
