"""A generator and a critic: the steps that train them, samples, files."""

from pathlib import Path
from typing import Any

import numpy as np
import paddle
import pandas as pd

from wgangp import double_backward, network_checks, network_state, training
from wgangp.errors import InputError, check_number
from wgangp.layers import BatchNorm, sub_batches, use_channels_last
from wgangp.runtime import checkpoint as checkpoints
from wgangp.runtime import devices, distributed


class BaseGAN:
    """A generator, a critic and their training; subclasses say what their method does differently.

    Args:
        generator: Paddle layer, latent vectors [n, latent_dim] to samples [n, ...]. Without
            parameters it is taken as fixed and never stepped.
        discriminator: the critic, samples [n, ...] to scores [n] or [n, 1].
        critic_iters: critic steps per generator step, at least 1.
        latent_dim: length of the latent vectors; the generator's own `latent_dim` when None.

    Attributes:
        history: the DataFrame that the last `train` returned.
        batch_size: samples per generator step in training, 64 before any; files keep it.

    Raises:
        InputError: they are no networks or do not fit each other, or the critic has nothing to train.
    """

    optimizer, learning_rate, beta1, beta2 = "adam", 1e-4, 0.0, 0.9  # Algorithm 1
    unbounded_scores = True  # whether a sigmoid at the critic's end is a mistake

    train = training.train

    def __init__(
        self,
        generator: paddle.nn.Layer,
        discriminator: paddle.nn.Layer,
        critic_iters: int = 5,
        latent_dim: int | None = None,
    ):
        network_checks.check_layers(generator, discriminator)
        self.generator, self.discriminator = generator, discriminator
        if devices.on_gpu():
            use_channels_last(generator), use_channels_last(discriminator)
        if latent_dim is None:
            latent_dim = getattr(generator, "latent_dim", None)
        if latent_dim is None:
            raise InputError("latent_dim is not given and the generator has no attribute latent_dim; give it.")
        self.latent_dim = check_number("latent_dim", latent_dim, at_least=1, whole=True)
        self.critic_iters = check_number("critic_iters", critic_iters, at_least=1, whole=True)
        self.history = pd.DataFrame()
        self.batch_size = 64
        network_checks.check_precision(generator, discriminator)
        with double_backward.untouched(generator, discriminator):
            samples, self._last_function = network_checks.check_fit(self)
            couples = network_checks.couples_samples(discriminator, samples)
        self.sample_shape = samples.shape[1:]
        # Several batches go through a network in one call, unless it would mix them, as batch norm does.
        self.scores_in_one_call = not (couples or double_backward.has_batch_norm(discriminator))
        self.generates_in_one_call = not double_backward.has_batch_norm(generator, but=BatchNorm)

    @property
    def networks(self) -> dict[str, paddle.nn.Layer]:
        """Both networks, by the names that they have in files."""
        return {"generator": self.generator, "critic": self.discriminator}

    # What a method says.

    def critic_loss(self, real: Any, fake: paddle.Tensor) -> tuple[paddle.Tensor, dict[str, paddle.Tensor]]:
        """The critic's loss; a method's own.

        Args:
            real: a batch, as of `select_samples`.
            fake: [n, ...], as many generated samples.

        Returns:
            The loss and {name: scalar tensor} for the history.
        """
        raise NotImplementedError

    def generator_loss(self, fake_scores: paddle.Tensor) -> paddle.Tensor:
        """The generator's loss; a method's own.

        Args:
            fake_scores: [n] or [n, 1].

        Returns:
            A scalar tensor.
        """
        raise NotImplementedError

    def constrain_critic(self) -> None:
        """Change the critic's weights after each of its steps, as clipping does; nothing here."""

    def method_settings(self) -> dict[str, Any]:
        """The method's hyperparameters that a checkpoint must match, {name: value}."""
        return {}

    # The samples that the steps compare.

    def select_samples(self, batch: Any) -> Any:
        """What the steps use of a batch of the data: the samples, without labels.

        Args:
            batch: samples [n, ...], or a pair of samples and labels.

        Returns:
            Samples [n, ...].
        """
        return batch[0] if isinstance(batch, (tuple, list)) else batch

    def draw(self, n: int) -> paddle.Tensor:
        """Generated samples from fresh latent vectors.

        Args:
            n: how many.

        Returns:
            [n, ...].
        """
        return self.generator(paddle.randn([n, self.latent_dim]))

    def draw_fakes(self, reals: list) -> list[paddle.Tensor]:
        """Generated samples for several critic steps, in one call of the generator.

        Args:
            reals: the batches of real samples that they accompany, [n, ...] each.

        Returns:
            A list of [n, ...].
        """
        sizes = [real.shape[0] for real in reals]
        return self.in_batches(sizes, paddle.randn([sum(sizes), self.latent_dim]))

    def draw_fake(self, real: Any) -> paddle.Tensor:
        """Generated samples for one critic step; as `draw_fakes`."""
        return self.draw_fakes([real])[0]

    def in_batches(self, sizes: list[int], *inputs: paddle.Tensor) -> list[paddle.Tensor]:
        """The generator's output in training, for several batches at once.

        Batch norm uses each batch's own statistics, and those of each of its sub-batches where the generator has an
        attribute `sub_batches`, their number.

        Args:
            sizes: of the batches.
            inputs: the generator's, [sum of sizes, ...] each.

        Returns:
            A list of [size, ...].

        Raises:
            InputError: a size is not a multiple of that number.

        Source: gan_cifar_resnet.py lines 189-192 and 288-299.
        """
        parts = getattr(self.generator, "sub_batches", 1)
        for size in sizes:
            if size % parts:
                raise InputError(
                    f"the generator trains in {parts} sub-batches (its attribute sub_batches), which a batch of {size} "
                    "cannot be split into; use another batch size or number of sub-batches."
                )
        if self.generates_in_one_call and len(set(sizes)) == 1:
            with sub_batches(self.generator, parts * len(sizes)):
                return self.generator(*inputs).split(len(sizes))
        lengths = [size // parts for size in sizes for _ in range(parts)]
        outputs = [self.generator(*part) for part in zip(*(x.split(lengths) for x in inputs), strict=True)]
        return [paddle.concat(outputs[i * parts : (i + 1) * parts]) for i in range(len(sizes))]

    def score_both(self, real: paddle.Tensor, fake: paddle.Tensor) -> list[paddle.Tensor]:
        """Critic's scores of real and generated samples, in one call unless the critic would mix them.

        Args:
            real, fake: [n, ...], the same shape.

        Returns:
            Two tensors of scores.
        """
        if self.scores_in_one_call:
            return self.discriminator(paddle.concat([real, fake])).split(2)
        return [self.discriminator(real), self.discriminator(fake)]

    # The steps.

    def iteration(
        self,
        batches: Any,
        g_optimizer: paddle.optimizer.Optimizer | None,
        d_optimizer: paddle.optimizer.Optimizer,
        drawn: Any,
    ) -> dict[str, paddle.Tensor]:
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
        reals = [self.select_samples(batches.load(drawn[i])) for i in range(self.critic_iters)]
        if g_optimizer is not None:
            losses |= self.generator_step(distributed.local_batch_size(self.batch_size), g_optimizer)
        with paddle.no_grad():
            fakes = self.draw_fakes(reals)
        for real, fake in zip(reals, fakes, strict=True):
            losses |= self.critic_step(real, fake, d_optimizer)
        distributed.average(list(losses.values()))
        return losses

    def critic_step(
        self, real: Any, fake: paddle.Tensor, optimizer: paddle.optimizer.Optimizer
    ) -> dict[str, paddle.Tensor]:
        """One step of the critic.

        Args:
            real: a batch, as of `select_samples`.
            fake: generated samples, without a gradient, [n, ...].
            optimizer: of the critic's parameters.

        Returns:
            {name: scalar tensor}: the loss and its parts.
        """
        loss, parts = self.critic_backward(real, fake)
        distributed.average_gradients(self.discriminator)
        optimizer.step()
        self.constrain_critic()
        self.clear_gradients()
        return {"critic_loss": loss.detach(), **{name: part.detach() for name, part in parts.items()}}

    def critic_backward(self, real: Any, fake: paddle.Tensor) -> tuple[paddle.Tensor, dict[str, paddle.Tensor]]:
        """The critic's loss; its gradients are left in the critic's parameters.

        Args:
            real, fake: as of `critic_loss`.

        Returns:
            As `critic_loss`.
        """
        loss, parts = self.critic_loss(real, fake)
        loss.backward()
        return loss, parts

    def generator_step(self, n: int, optimizer: paddle.optimizer.Optimizer) -> dict[str, paddle.Tensor]:
        """One step of the generator.

        Args:
            n: generated samples.
            optimizer: of the generator's parameters.

        Returns:
            {"generator_loss": scalar tensor}.
        """
        with network_state.frozen(self.discriminator):
            loss = self.generator_step_loss(n)
        loss.backward()
        distributed.average_gradients(self.generator)
        optimizer.step()
        self.clear_gradients()
        return {"generator_loss": loss.detach()}

    def generator_step_loss(self, n: int) -> paddle.Tensor:
        """The generator's loss on fresh samples.

        Args:
            n: how many.

        Returns:
            A scalar tensor.
        """
        (fake,) = self.in_batches([n], paddle.randn([n, self.latent_dim]))
        return self.generator_loss(self.discriminator(fake))

    def clear_gradients(self) -> None:
        """Free the gradients of both networks."""
        for network in (self.generator, self.discriminator):
            for parameter in network.parameters():
                parameter.clear_gradient(False)  # freed, not zeroed; Paddle overlooks the keyword

    def check_data(self, batch: Any) -> None:
        """Hold a batch of the training data against what the generator makes.

        Args:
            batch: as of `select_samples`.

        Raises:
            InputError: the shapes differ.
        """
        real = self.select_samples(batch)
        real = real[0] if isinstance(real, tuple) else real
        network_checks.check_samples(real, self.sample_shape, self._last_function)

    # What users do with a trained GAN.

    def generate(self, num_samples: int, seed: int | None = None, batch_size: int | None = None) -> np.ndarray:
        """Draw samples from the generator.

        Batch norm uses each batch's own statistics, as in the authors' code; the last batch is
        drawn whole and cut.

        Args:
            num_samples: how many, at least 1.
            seed: of the latent vectors, from 0; Paddle's current random state when None.
            batch_size: samples per call of the generator, at least 1; as many as a generator step of the training
                had, the attribute `batch_size`, when None.

        Returns:
            float32 array [num_samples, ...].

        Raises:
            InputError: one of them is not such an integer.
        """
        num_samples, batch_size = self._begin_generating(num_samples, seed, batch_size)
        with paddle.no_grad():
            parts = [self.draw(batch_size).numpy() for _ in range(0, num_samples, batch_size)]
        return np.concatenate(parts)[:num_samples]

    def _begin_generating(self, num_samples, seed, batch_size):
        num_samples = check_number("num_samples", num_samples, at_least=1, whole=True)
        batch_size = (
            self.batch_size if batch_size is None else check_number("batch_size", batch_size, at_least=1, whole=True)
        )
        if seed is not None:
            paddle.seed(check_number("seed", seed, at_least=0, below=2**64, whole=True))
        return num_samples, batch_size

    def save(self, path: Path | str) -> None:
        """Write both networks as plain arrays.

        Args:
            path: ends in .npz; what `save` or `train` wrote there before is kept as `<name>.previous.npz`.

        Raises:
            InputError: another path, a folder's, or one that cannot be written.
        """
        checkpoints.write(path, network_state.arrays_of(self.networks), {"batch_size": self.batch_size})

    def load(self, path: Path | str) -> None:
        """Read both networks from `save` or from a checkpoint of `train`.

        Args:
            path: ends in .npz.

        Raises:
            InputError: not such a file, or of other networks.
        """
        arrays, about = checkpoints.read(path)
        network_state.load(self.networks, arrays, path)
        self.batch_size = about.get("batch_size", self.batch_size)

    def load_generator(self, arrays: dict[str, np.ndarray], path: Path | str) -> None:
        """Load the generator alone.

        Args:
            arrays: {parameter's path: array}, of any floating-point type.
            path: the file that they are of, for messages.

        Raises:
            InputError: they are of another network.
        """
        arrays = {name: array.astype("float32") if array.dtype.kind == "f" else array for name, array in arrays.items()}
        network_state.check_state(self.generator, arrays, "generator", path)
        self.generator.set_state_dict(arrays)
