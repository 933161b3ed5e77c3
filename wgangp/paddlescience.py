"""PaddleScience's interfaces to the core (extra `science`): networks, data, losses, metrics, a Solver for two networks.

The only module that imports ppsci.
"""

import copy
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import paddle
import pandas as pd
from paddle import nn

from wgangp import double_backward, network_state
from wgangp.data.batches import iterate_once, to_bytes
from wgangp.errors import InputError, check_number, plain_message
from wgangp.gan import BaseGAN
from wgangp.metrics.fields import compare_fields
from wgangp.metrics.image_scores import score_images
from wgangp.runtime import checkpoint
from wgangp.training import Callback

try:
    import ppsci
    from ppsci.utils import logger, save_load
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        f"wgangp.paddlescience needs PaddleScience ({error}); install it with: pip install 'wgangp[science]'"
    ) from None


class LayerArch(ppsci.arch.Arch):
    """A Paddle layer as a PaddleScience network; made by `as_arch`."""

    def __init__(self, layer: nn.Layer, input_keys: Sequence[str], output_keys: Sequence[str]):
        super().__init__()
        self.layer, self.input_keys, self.output_keys = layer, tuple(input_keys), tuple(output_keys)

    def forward(self, x: dict[str, paddle.Tensor]) -> dict[str, paddle.Tensor]:
        if self._input_transform is not None:
            x = self._input_transform(x)
        y = self.layer(self.concat_to_tensor(x, self.input_keys, axis=1))
        y = self.split_to_dict(y, self.output_keys, axis=1)
        return y if self._output_transform is None else self._output_transform(x, y)


class ArchLayer(nn.Layer):
    """A PaddleScience network as a Paddle layer; made by `as_layer`."""

    def __init__(self, arch: ppsci.arch.Arch):
        super().__init__()
        self.arch = arch

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        outputs = self.arch(self.arch.split_to_dict(x, self.arch.input_keys, axis=1))
        return self.arch.concat_to_tensor(outputs, self.arch.output_keys, axis=1)


def as_arch(layer: nn.Layer, input_keys: Sequence[str], output_keys: Sequence[str]) -> ppsci.arch.Arch:
    """Make a PaddleScience network of a Paddle layer.

    Args:
        layer: maps a tensor [n, ...] to a tensor [n, ...]; it is shared, not copied. An `as_layer` is unwrapped.
        input_keys: names of the inputs, which are joined along axis 1 (features of vectors, channels of fields).
        output_keys: names of the outputs, into which axis 1 is split equally.

    Returns:
        A ppsci.arch.Arch, {name: [n, ...]} to {name: [n, ...]}.

    Raises:
        InputError: not a layer, or keys that are not names.
    """
    for what, keys in (("input_keys", input_keys), ("output_keys", output_keys)):
        if isinstance(keys, str) or not keys or not all(isinstance(key, str) for key in keys):
            raise InputError(f"{what} is {keys!r}; give a tuple of names, such as ('field',).")
    if not isinstance(layer, nn.Layer):
        raise InputError(f"the layer is a {type(layer).__name__}; give a paddle.nn.Layer.")
    keys = [tuple(input_keys), tuple(output_keys)]
    if isinstance(layer, ArchLayer) and [tuple(layer.arch.input_keys), tuple(layer.arch.output_keys)] == keys:
        return layer.arch
    return LayerArch(layer, input_keys, output_keys)


def as_layer(arch: ppsci.arch.Arch) -> nn.Layer:
    """Make a Paddle layer of a PaddleScience network, such as a generator or critic of `WGAN_GP`.

    Args:
        arch: a ppsci.arch.Arch; it is shared, not copied. An `as_arch` is unwrapped.

    Returns:
        A layer, [n, inputs, ...] to [n, outputs, ...]; axis 1 is split equally into the inputs, and the outputs are
        joined along it.

    Raises:
        InputError: not an Arch.
    """
    if not isinstance(arch, ppsci.arch.Arch):
        raise InputError(f"the network is a {type(arch).__name__}; give a ppsci.arch.Arch.")
    return arch.layer if isinstance(arch, LayerArch) else ArchLayer(arch)


class _Stream:
    """The batches of one named array of a loader, which can be iterated again."""

    def __init__(self, loader, key):
        self.loader, self.key = loader, key

    def __iter__(self):
        return (_named(batch, self.key) for batch in iterate_once(self.loader))


def _named(item, key):
    """The array of that name among an item's labels, else its inputs."""
    inputs, labels = item[:2]
    for named in (labels, inputs):
        if named and key in named:
            return np.asarray(named[key])
    raise InputError(f"there is no '{key}' in the data; there are: {', '.join([*inputs, *(labels or {})])}.")


def as_train_data(source: Any, key: str) -> np.ndarray | Iterable:
    """Make `train_data` for `.train` of a PaddleScience data set or constraint.

    Args:
        source: a data set, whose samples are then shuffled and batched by `.train`; or a constraint or an endless
            data set, whose own batches are then used.
        key: name of the real samples among the labels or, where it is not there, the inputs.

    Returns:
        What `.train` takes: an array [n, ...], or batches that can be iterated again.

    Raises:
        InputError: another source, or no such name.
    """
    if isinstance(source, ppsci.constraint.base.Constraint):
        source = source.data_loader
        if not isinstance(source, paddle.io.Dataset):
            return _Stream(source, key)
    if isinstance(source, ppsci.data.dataset.IterableNamedArrayDataset):  # all of it is one batch
        return _named(next(iter(source)), key)
    if isinstance(source, paddle.io.IterableDataset):
        return _Stream(source, key)
    if isinstance(source, paddle.io.Dataset):
        return np.stack([_named(source[i], key) for i in range(len(source))])
    raise InputError(f"train_data is a {type(source).__name__}; give a data set or a constraint of PaddleScience.")


def load_pretrained(model: ppsci.arch.Arch, path: Path | str) -> None:
    """Load saved weights into a network, all of them or none.

    Args:
        model: a ppsci.arch.Arch, such as of `as_arch`.
        path: a .pdparams file, with or without the ending. It is a pickle: load only what you trust.

    Raises:
        InputError: there is no such file, or it is of another network, such as one of another width.
    """
    if not path:
        raise InputError("no weights are given to evaluate; name a .pdparams file as EVAL.pretrained_model_path.")
    path = Path(f"{str(path).removesuffix('.pdparams')}.pdparams")
    if not path.is_file():
        raise InputError(f"there is no file {path} (pretrained_model_path).")
    try:
        saved = {name: np.asarray(value) for name, value in paddle.load(str(path), return_numpy=True).items()}
    except Exception as error:
        raise InputError(f"{path} cannot be read ({plain_message(error)}); name another file.") from None
    network_state.check_state(model, saved, "network", path)
    model.set_state_dict(saved)


def critic_loss(gan: BaseGAN, key: str) -> ppsci.loss.FunctionalLoss:
    """A method's critic loss as PaddleScience's loss, for a Solver whose model is the generator.

    Its gradient goes to the critic alone, so the Solver's optimizer must have the critic's parameters.

    Args:
        gan: such as `WGAN_GP`; its positions of the penalty come from Paddle's random numbers.
        key: name of the generated samples among the outputs and of the real ones among the labels, [n, ...] each.

    Returns:
        A ppsci.loss.FunctionalLoss that gives {"critic_loss": scalar}.

    Raises:
        InputError: Paddle's prim mode is on, now or at a step.

    Source: Eq. 3.
    """
    double_backward.refuse_prim()

    def loss(outputs, labels, weights=None):
        double_backward.refuse_prim()
        return {"critic_loss": gan.critic_loss(labels[key], outputs[key].detach())[0]}

    return ppsci.loss.FunctionalLoss(loss)


def generator_loss(gan: BaseGAN, key: str) -> ppsci.loss.FunctionalLoss:
    """A method's generator loss as PaddleScience's loss, for a Solver whose model is the generator.

    Its gradient goes to the generator alone; the critic's parameters get none.

    Args:
        gan: such as `WGAN_GP`.
        key: name of the generated samples among the outputs, [n, ...].

    Returns:
        A ppsci.loss.FunctionalLoss that gives {"generator_loss": scalar}.

    Source: Algorithm 1, line 12.
    """

    def loss(outputs, labels=None, weights=None):
        with network_state.frozen(gan.discriminator):
            return {"generator_loss": gan.generator_loss(gan.discriminator(outputs[key]))}

    return ppsci.loss.FunctionalLoss(loss)


def field_metric(key: str, periodic: bool = True, conductivity: bool = False) -> ppsci.metric.FunctionalMetric:
    """The distances of `wgangp.metrics.fields.compare_fields` as PaddleScience's metric.

    Args:
        key: name of the generated fields among the outputs and of real ones among the labels, [n, 1, size, size].
        periodic, conductivity: as for `compare_fields`.

    Returns:
        A ppsci.metric.FunctionalMetric that gives {name: float}.
    """

    def metric(outputs, labels):
        return compare_fields(outputs[key].numpy(), labels[key].numpy(), periodic, conductivity)

    return ppsci.metric.FunctionalMetric(metric)


def image_metric(
    metrics: Sequence[str], folder: Path | str, key: str, scaling: str = "dcgan"
) -> ppsci.metric.FunctionalMetric:
    """Inception score, FID and the like as PaddleScience's metric.

    Args:
        metrics: names, as for `wgangp.metrics.image_scores.score_images`.
        folder: the data folder, with the metric networks' weights.
        key: name of the generated images among the outputs, [n, 3, h, w] in the range of the scaling, and of real ones
            among the labels, uint8 [n, 3, h, w].
        scaling: as in `wgangp.data.batches.to_bytes`.

    Returns:
        A ppsci.metric.FunctionalMetric that gives {name: float}.
    """

    def metric(outputs, labels):
        images = to_bytes(outputs[key].numpy(), scaling)
        scores = score_images(images, metrics, folder, real=labels[key].numpy())
        return {name: value for name, (value, _) in scores.items()}

    return ppsci.metric.FunctionalMetric(metric)


class GANSolver(ppsci.solver.Solver):
    """PaddleScience's Solver around `.train`: its configuration, log, VisualDL, validators and files; our steps.

    One epoch is TRAIN.iters_per_epoch generator iterations. Training writes, and goes on from where it is there,
    TRAIN.checkpoint_path or <output_dir>/checkpoint.npz; the generator is saved as
    <output_dir>/checkpoints/latest.pdparams (and epoch_<k> every TRAIN.save_freq epochs, and best_model by the
    lowest value of the first metric, over all attempts), for EVAL.pretrained_model_path.

    Args:
        model: the GAN's generator as an Arch, such as `as_arch(gan.generator, ("latent",), ("field",))`.
        gan: such as `WGAN_GP`.
        train_data: as for `.train`, such as of `as_train_data`.
        cfg: a DictConfig with PaddleScience's defaults (ppsci_default, train_default, eval_default).
        validator, visualizer: as for ppsci.solver.Solver.
        options: further arguments of `.train`: batch_size, g_learning_rate, d_learning_rate, lr_decay, ...

    Raises:
        InputError: a setting under which two networks cannot be stepped correctly, a model that is not the GAN's
            generator, no checkpoint where TRAIN.checkpoint_path says, or no weights of the model where
            pretrained_model_path says.
    """

    def __init__(
        self,
        model: ppsci.arch.Arch,
        gan: BaseGAN,
        train_data: Any,
        cfg: Any,
        validator: dict | None = None,
        visualizer: dict | None = None,
        **options: Any,
    ):
        refuse(cfg)
        if cfg.TRAIN.eval_during_train and not validator:
            raise InputError("TRAIN.eval_during_train is on without a validator; give one or turn it off.")
        if [id(p) for p in model.parameters()] != [id(p) for p in gan.generator.parameters()]:
            raise InputError("the model is not the GAN's generator, which is trained; use as_arch(gan.generator, ...).")
        if cfg.get("mode") == "eval" or cfg.TRAIN.get("pretrained_model_path"):
            load_pretrained(model, (cfg.EVAL if cfg.get("mode") == "eval" else cfg.TRAIN).get("pretrained_model_path"))
        given = cfg.TRAIN.checkpoint_path
        if given and not is_there(given):
            raise InputError(f"there is no checkpoint {given} (TRAIN.checkpoint_path); name a checkpoint.npz.")
        self.gan, self.train_data, self.options = gan, train_data, options
        for_base = copy.deepcopy(cfg)
        for_base.TRAIN.checkpoint_path = None  # ours holds both networks and both optimizers
        super().__init__(model, validator=validator, visualizer=visualizer, cfg=for_base)
        self.checkpoint_path = Path(given or Path(self.output_dir) / "checkpoint.npz")

    def train(self) -> pd.DataFrame:
        """Train both networks.

        Returns:
            The history, as of `.train`.

        Raises:
            InputError, Diverged: see `BaseGAN.train`; or best_model.pdstates, with which it goes on, is damaged.
        """
        best = Path(self.output_dir) / "checkpoints" / "best_model.pdstates"
        if is_there(self.checkpoint_path) and best.is_file():
            try:
                self.best_metric.update(paddle.load(str(best)))
            except Exception as error:
                raise InputError(f"{best} cannot be read ({plain_message(error)}); delete it.") from None
        return self.gan.train(
            self.train_data,
            iterations=self.epochs * self.iters_per_epoch,
            seed=self.cfg.seed,
            checkpoint=self.checkpoint_path,
            callbacks=[Callback(self._log, self.log_freq), Callback(self._end_epoch, self.iters_per_epoch)],
            progress=None,
            **self.options,
        )

    def _log(self, gan, iteration, losses):
        self.global_step = iteration + 1
        epoch, i = divmod(iteration, self.iters_per_epoch)
        values = ", ".join(f"{name}: {value:.5f}" for name, value in losses.items())
        logger.info(f"[Train][Epoch {epoch + 1}/{self.epochs}][Iter {i + 1}/{self.iters_per_epoch}] {values}")
        self._write({f"train/{name}": value for name, value in losses.items()}, self.global_step)

    def _end_epoch(self, gan, iteration, losses):
        epoch = (iteration + 1) // self.iters_per_epoch
        if self.eval_during_train and epoch >= self.start_eval_epoch and epoch % self.eval_freq == 0:
            self.cur_metric, groups = self.eval(epoch)
            for group, metrics in groups.items():
                self._write({f"eval/{group}/{name}": value for name, value in metrics.items()}, epoch)
            if self.cur_metric < self.best_metric["metric"]:
                self.best_metric.update(metric=self.cur_metric, epoch=epoch)
                self._save("best_model", epoch)
            if self.visualizer is not None:
                self.visualize(epoch)
        if self.save_freq and epoch % self.save_freq == 0:
            self._save(f"epoch_{epoch}", epoch)
        self._save("latest", epoch)

    def _write(self, values, step):
        logger.scalar(values, step, self.vdl_writer, self.wandb_writer, self.tbd_writer)

    def _save(self, prefix, epoch):
        about = {"metric": self.cur_metric, "epoch": epoch}
        save_load.save_checkpoint(self.model, None, about, output_dir=self.output_dir, prefix=prefix, print_log=False)


def is_there(path: Path | str) -> bool:
    """Whether there is a checkpoint to go on from at a path, or the one before it."""
    return any(one.exists() for one in (Path(path), checkpoint.previous_path(path)))


def refuse(cfg: Any) -> None:
    """Refuse settings of PaddleScience under which two networks cannot be stepped correctly.

    Args:
        cfg: a DictConfig with PaddleScience's defaults.

    Raises:
        InputError: one of them is on; the message says which and why.
    """
    if cfg.get("prim"):
        raise InputError(
            "prim: true gives wrong second derivatives, which the gradient penalty needs; set prim: false."
        )
    double_backward.refuse_prim()
    for name, off in (("use_amp", False), ("to_static", False), ("TRAIN.update_freq", 1)):
        part = cfg.TRAIN if name.startswith("TRAIN.") else cfg
        value = part.get(name.removeprefix("TRAIN."), off)
        if value != off:
            raise InputError(f"{name} is {value!r}, which the steps of two networks do not support; set it to {off!r}.")
    for name in ("ema", "swa"):
        if (cfg.TRAIN.get(name) or {}).get(f"use_{name}"):
            raise InputError(f"TRAIN.{name} is on, which the steps of two networks do not support; turn it off.")
    for name in ["epochs", "iters_per_epoch"] + ["eval_freq"] * bool(cfg.TRAIN.get("eval_during_train")):
        check_number(f"TRAIN.{name}", cfg.TRAIN.get(name), at_least=1, whole=True)
    if paddle.distributed.get_world_size() > 1:
        raise InputError("GANSolver runs in one process; under the launcher use the GAN's own .train.")
