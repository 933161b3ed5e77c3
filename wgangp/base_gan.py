"""The training loop that all four methods share."""

import time
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np
import paddle
import pandas as pd

from wgangp import checkpoint as checkpoints
from wgangp import devices, distributed, double_backward
from wgangp.data.batches import as_batches
from wgangp.devices import tensors
from wgangp.errors import BudgetSpent, InputError
from wgangp.history import History
from wgangp.layers import BatchNorm, sub_batches, use_channels_last
from wgangp.optimizers import Adam, RMSProp, load_state_arrays, state_arrays
from wgangp.progress import Progress


class BaseGAN:
    """A generator, a critic and their training; subclasses say what their method does differently.

    Args:
        generator: Paddle layer, latent vectors [n, latent_dim] to samples [n, ...]. Without
            parameters it is taken as fixed and never stepped.
        discriminator: the critic, samples [n, ...] to scores [n] or [n, 1].
        critic_iters: critic steps per generator step, at least 1.
        latent_dim: length of the latent vectors; the generator's own `latent_dim` when None.

    Raises:
        InputError: the networks do not fit each other.
    """

    optimizer, learning_rate, beta1, beta2 = "adam", 1e-4, 0.0, 0.9  # Algorithm 1

    def __init__(self, generator, discriminator, critic_iters=5, latent_dim=None):
        self.generator, self.discriminator = generator, discriminator
        if devices.on_gpu():
            use_channels_last(generator), use_channels_last(discriminator)
        self.latent_dim = latent_dim or getattr(generator, "latent_dim", None)
        if not self.latent_dim:
            raise InputError("latent_dim is not given and the generator has no attribute latent_dim; give it.")
        if critic_iters < 1:
            raise InputError(f"critic_iters is {critic_iters}; use at least 1.")
        self.critic_iters = critic_iters
        self.history = pd.DataFrame()
        self.batch_size = 64
        self.one_pass = not double_backward.has_batch_norm(discriminator)
        self.one_generator_pass = not double_backward.has_batch_norm(generator, but=BatchNorm)
        random_state = paddle.get_rng_state()
        self._sample_shape = self._check_networks()
        paddle.set_rng_state(random_state)

    def _check_networks(self):
        try:
            with paddle.no_grad():
                fake = self.draw(2)
        except (ValueError, RuntimeError, OSError) as error:
            raise InputError(
                f"the generator cannot take latent vectors of shape [2, {self.latent_dim}]: {brief(error)}."
            ) from None
        try:
            with paddle.no_grad():
                scores = self.discriminator(fake)
        except (ValueError, RuntimeError, OSError) as error:
            raise InputError(
                f"the generator's output, of shape {list(fake.shape)}, does not fit the critic: {brief(error)}."
            ) from None
        if scores.shape not in ([2], [2, 1]):
            raise InputError(
                f"the critic gives shape {list(scores.shape)} for 2 samples; it must give one score per sample, "
                "shape [2, 1] or [2]."
            )
        return fake.shape[1:]

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
            with sub_batches(parts):
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
            train_data: array [n, ...], paddle.io.Dataset, DataLoader, iterator of batches, or an
                object with `sample(n, rng)`.
            batch_size: real samples per critic step.
            iterations: generator iterations, in all (those of a checkpoint included).
            g_learning_rate, d_learning_rate: step sizes; the method's default when None.
            beta1, beta2: Adam's decay rates; the method's defaults when None.
            lr_decay: decay both step sizes linearly to 0 over the iterations (Appendix F).
            generator_batch_size: samples per generator step; batch_size when None.
            optimizer: "adam" or "rmsprop"; the method's default when None.
            d_weight_decay: weight decay of the critic under Adam, as of `wgangp.optimizers.Adam`; None for none.
            seed: of data order, noise and the penalty's positions, a non-negative integer.
            checkpoint: path ending in .npz; training goes on from it where it is there.
            checkpoint_seconds: how often it is written.
            callbacks: called as f(gan, iteration, record) after each iteration, or after every so many
                where they have an attribute `every`; what they put into the dict `record` becomes a
                column of the history.
            deadline: time.time() after which training stops with BudgetSpent, checkpoint written.
            progress: label of the progress bar, None for none.

        Returns:
            The history, a pandas.DataFrame with a row per iteration: `generator_loss`,
            `critic_loss` and the method's own columns (of the iteration's last critic step), and
            `seconds` of training so far, without the callbacks.

        Raises:
            InputError: unusable data, settings or checkpoint.
            Diverged: a loss became NaN or infinite.
            BudgetSpent: the deadline has passed.

        Source: Algorithm 1; gan_cifar.py lines 170-200 for the order of the steps.
        """
        for name, value in (("iterations", iterations), ("batch_size", batch_size), ("seed", seed)):
            if not isinstance(value, (int, np.integer)) or value < (0 if name == "seed" else 1):
                raise InputError(
                    f"{name} is {value!r}; use a {'non-negative' if name == 'seed' else 'positive'} integer."
                )
        batches = as_batches(train_data, batch_size, seed)
        settings = {
            "method": type(self).__name__,
            "critic_iters": self.critic_iters,
            "optimizer": optimizer or self.optimizer,
            "g_learning_rate": g_learning_rate or self.learning_rate,
            "d_learning_rate": d_learning_rate or self.learning_rate,
            "beta1": self.beta1 if beta1 is None else beta1,
            "beta2": self.beta2 if beta2 is None else beta2,
            "lr_decay_over": iterations if lr_decay else None,
            "batch_size": batch_size,
            "generator_batch_size": generator_batch_size or batch_size,
            "seed": seed,
            "data": batches.describe(),
            **({"d_weight_decay": d_weight_decay} if d_weight_decay else {}),
            **self.method_settings(),
        }
        self.batch_size = settings["generator_batch_size"]
        self._check_data(batches)
        g_optimizer = make_optimizer(self.generator, settings, settings["g_learning_rate"])
        d_optimizer = make_optimizer(self.discriminator, settings, settings["d_learning_rate"], d_weight_decay)
        optimizers = g_optimizer, d_optimizer
        records, start = [], 0
        if checkpoint is not None:
            saved = checkpoints.read_newest(checkpoint)
            if saved is not None:
                records, start = self._restore(saved, checkpoint, settings, optimizers)
        distributed.begin([self.generator, self.discriminator])
        ours = [distributed.rank()] if distributed.rank() else []  # each process draws noise of its own
        history = History(records, lambda: last_good(checkpoint))
        stepped = g_optimizer if self.generator.parameters() else None
        step = devices.Replayed(partial(self.iteration, batches, stepped, d_optimizer))
        written = time.time()

        def write_checkpoint():
            if checkpoint is not None and distributed.rank() == 0:
                self._write_checkpoint(checkpoint, settings, optimizers, history.table())

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
                    if (iteration + 1) % getattr(callback, "every", 1) == 0:
                        record = history.read()
                        with history.paused():
                            callback(self, iteration, record)
                bar.update()
                now = time.time()
                if deadline is not None and distributed.any_of(now > deadline):
                    write_checkpoint()
                    raise BudgetSpent(f"stopped by the budget after iteration {iteration + 1} of {iterations}.")
                if now - written > checkpoint_seconds:
                    write_checkpoint()
                    written = now
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
        self._check_shape(self.take(batches(0)))

    def _check_shape(self, real):
        if real.shape[1:] != self._sample_shape:
            raise InputError(
                f"train_data has samples of shape {list(real.shape[1:])} but the generator makes "
                f"{list(self._sample_shape)}; reshape the data or change the generator."
            )

    def generate(self, num_samples, seed=None):
        """Draw samples from the generator, in batches of the training's size.

        Batch norm uses each batch's own statistics, as in the authors' code; the last batch is
        drawn whole and cut.

        Args:
            num_samples: how many, at least 1.
            seed: of the latent vectors; Paddle's current random state when None.

        Returns:
            float32 array [num_samples, ...].

        Raises:
            InputError: num_samples is not positive.
        """
        if num_samples < 1:
            raise InputError(f"num_samples is {num_samples}; use at least 1.")
        if seed is not None:
            paddle.seed(seed)
        parts = []
        with paddle.no_grad():
            for _ in range(0, num_samples, self.batch_size):
                parts.append(self.draw(self.batch_size).numpy())
        return np.concatenate(parts)[:num_samples]

    def _network_arrays(self):
        return {
            f"{name}/{key}": value.numpy()
            for name, network in (("generator", self.generator), ("critic", self.discriminator))
            for key, value in network.state_dict().items()
        }

    def _load_network_arrays(self, arrays, path):
        for name, network in (("generator", self.generator), ("critic", self.discriminator)):
            saved = {k.split("/", 1)[1]: v for k, v in arrays.items() if k.startswith(name + "/")}
            load_state(network, saved, name, path)

    def load_generator(self, arrays, path):
        """Load the generator alone.

        Args:
            arrays: {parameter's path: array}, of any floating-point type.
            path: the file that they are of, for messages.

        Raises:
            InputError: they are of another network.
        """
        load_state(self.generator, {name: array.astype("float32") for name, array in arrays.items()}, "generator", path)

    def save(self, path):
        """Write both networks as plain arrays.

        Args:
            path: ends in .npz.
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

    def _write_checkpoint(self, path, settings, optimizers, history):
        arrays = self._network_arrays()
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
        self._load_network_arrays(arrays, path)
        for name, optimizer in zip(("g_optimizer", "d_optimizer"), optimizers, strict=True):
            load_state_arrays(optimizer, name, arrays)
        history = pd.DataFrame({k.split("/", 1)[1]: v for k, v in arrays.items() if k.startswith("history/")})
        records = [{k: v for k, v in row.items() if not np.isnan(v)} for row in history.to_dict("records")]
        return records, about["iteration"]


@contextmanager
def frozen(network):
    """A context: what is computed in it has no gradient for the network's parameters, also not later.

    Args:
        network: a Paddle layer.
    """
    parameters = [parameter for parameter in network.parameters() if not parameter.stop_gradient]
    for parameter in parameters:
        parameter.stop_gradient = True
    try:
        yield
    finally:
        for parameter in parameters:
            parameter.stop_gradient = False


def load_state(network, saved, name, path):
    """Load a network's parameters and buffers.

    Args:
        network: a Paddle layer.
        saved: {path of a parameter or buffer: array}.
        name, path: of the network and of the file, for messages.

    Raises:
        InputError: they are of another network.
    """
    state = network.state_dict()
    for key in sorted(set(state) | set(saved)):
        here = list(state[key].shape) if key in state else "nothing"
        there = list(saved[key].shape) if key in saved else "nothing"
        if here != there:
            raise InputError(f"{path} does not fit the {name}: {key} is {there} in the file and {here} in the network.")
    network.set_state_dict(saved)


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


def brief(error):
    """The sentence of a Paddle error, without its traceback."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    told = [line for line in lines if "Error:" in line or line.startswith("(")] or lines
    return told[-1].removesuffix(".") if told else type(error).__name__
