"""Samples of trained runs, as files: `wgangp generate`."""

import json
import math
from pathlib import Path
from types import ModuleType

import numpy as np
from PIL import Image

from reproduction import results
from reproduction.config import Config
from reproduction.experiment import Experiment, names
from reproduction.job import Job
from reproduction.tiles import tile
from wgangp.data.batches import to_bytes
from wgangp.data.text import Text
from wgangp.errors import InputError
from wgangp.gan import BaseGAN
from wgangp.metrics.ngram import most_likely
from wgangp.runtime.files import check_memory, read_npz, replacing

ENDINGS = (".npy", ".txt", ".png")  # of a file that is written; a name without an ending is a folder's
FILES = ("checkpoint.npz", "networks.npz")  # what a run's folder may have


def generate(
    what: str | Path,
    number: int,
    seed: int = 0,
    setting: str | None = None,
    tier: str | None = None,
    run_seed: int | None = None,
    label: str | None = None,
) -> np.ndarray:
    """Draw samples from a trained run.

    Args:
        what: the path of a run's checkpoint, or an experiment's name: then its run in this checkout, else the generator
            that is committed with its results.
        number: how many samples.
        seed: of the latent vectors.
        setting: of an experiment that has several.
        tier: the best that has a generator when None.
        run_seed: of an experiment's runs; 0 when None.
        label: the class of all samples, by its name; any class when None.

    Returns:
        uint8 images [number, channels, height, width]; lines of text, bytes [number]; or float32 arrays [number, ...].

    Raises:
        InputError: nothing trained is there, the model has no such class or has diverged, or a number out of its range.
    """
    of_experiment = str(what) in names()
    if not of_experiment and (setting or tier or run_seed is not None):
        raise InputError(f"--setting, --tier and --run-seed are for experiments, and {what} is a file; leave them out.")
    gan, config, module = from_results(what, setting, tier, run_seed or 0) if of_experiment else from_run(what)
    if not gan.generator.parameters():
        raise InputError(f"[{config.setting}] has a fixed generator, which makes samples of real data only.")
    check_memory(12 * number * math.prod(gan.sample_shape), f"{number} samples of shape {list(gan.sample_shape)}")
    if label is None:
        samples = gan.generate(number, seed=seed)
    else:
        samples = of_class(gan, class_number(label, gan, module), number, seed)
    if getattr(config, "scaling", None) is not None:
        return to_bytes(samples, config.scaling)
    if hasattr(gan, "characters"):
        codes = most_likely(samples)
        return Text(codes, gan.characters, name="").bytes_of(codes)
    if not np.isfinite(samples).all():
        raise InputError(f"{what} generates NaN or infinite values; its training has diverged.")
    return samples


def from_run(path: str | Path) -> tuple[BaseGAN, Config, ModuleType]:
    """Rebuild the networks of a run and load its checkpoint.

    Args:
        path: runs/<experiment>/<run>/checkpoint.npz or networks.npz.

    Returns:
        The trained GAN, its configuration and its run.py.

    Raises:
        InputError: not a checkpoint of a run.
    """
    try:
        about = json.loads((Path(path).parent / "job.json").read_text())
        name, setting, tier = (str(about[key]) for key in ("experiment", "setting", "tier"))
        recorded = {"characters": bytes(map(int, about["characters"]))} if "characters" in about else {}
    except (OSError, ValueError, KeyError, TypeError):
        raise InputError(
            f"{path} is neither an experiment nor a checkpoint in a run's folder "
            "(runs/<experiment>/<run>/checkpoint.npz)."
        ) from None
    experiment = Experiment(name)
    config = experiment.config(setting, tier)
    gan = experiment.module("run").build(config, **recorded)
    gan.load(path)
    return gan, config, experiment.module("run")


def from_results(
    name: str, setting: str | None = None, tier: str | None = None, run_seed: int = 0
) -> tuple[BaseGAN, Config, ModuleType]:
    """As `from_run`, by an experiment's name: of its run, or with the generator that is kept with its results.

    Raises:
        InputError: there is neither, or the experiment has several settings and none was named.
    """
    experiment = Experiment(name)
    if setting is not None:
        experiment.config(setting, tier or next(iter(experiment.file.tiers)))  # refuses what it does not have
    else:
        if len(experiment.settings) > 1:
            raise InputError(f"{name} has several settings; name one with --setting: {'; '.join(experiment.settings)}.")
        (setting,) = experiment.settings
    named = [tier] if tier else reversed(experiment.tiers)
    tiers = [candidate for candidate in named if setting in experiment.settings_at(candidate)]
    for root in dict.fromkeys(
        [results.output_root(), results.ROOT]
    ):  # what was run here comes before what is committed
        for job in (Job(experiment, setting, candidate, run_seed) for candidate in tiers):
            for file in FILES:
                if (job.folder / file).exists():
                    return from_run(job.folder / file)
            path = job.arrays_path("", root)
            arrays = read_npz(path) if path.exists() else {}
            state = {k.removeprefix("generator/"): v for k, v in arrays.items() if k.startswith("generator/")}
            if state:
                gan = experiment.module("run").build(job.config)
                gan.load_generator(state, path)
                gan.batch_size = getattr(job.config, "generator_batch_size", job.config.batch_size)
                return gan, job.config, experiment.module("run")
    raise InputError(
        f"{name} [{setting}] has no trained generator of seed {run_seed}"
        + (f" at tier {tier}" if tier else "")
        + f"; run: wgangp run {name} --setting '{setting}' --seed {run_seed}."
    )


def of_class(gan: BaseGAN, chosen: int, number: int, seed: int) -> np.ndarray:
    """Samples of one class, out of batches of all classes: batch norm uses a batch's statistics, as in training.

    Args:
        gan: a ConditionalWGAN_GP.
        chosen: the class.
        number: how many samples.
        seed: of the latent vectors.

    Returns:
        float32 array [number, ...].
    """
    parts = []
    for start in range(0, number, 100):
        labels = np.tile(np.arange(gan.classes), min(100, number - start))
        samples = gan.generate(len(labels), seed=None if start else seed, labels=labels)
        parts.append(samples[labels == chosen])
    return np.concatenate(parts)


def class_number(label: str, gan: BaseGAN, module: ModuleType) -> int:
    """The number of a class from its name."""
    known = getattr(module, "CLASSES", ())
    if not known or getattr(gan, "classes", None) is None:
        raise InputError(f"--class {label}: this model was trained without classes.")
    if label not in known:
        raise InputError(f"--class {label}: there is no such class; use one of {', '.join(known)}.")
    return known.index(label)


def check_output(path: Path) -> None:
    """Refuse a place that `write` cannot write to, before samples are drawn.

    Args:
        path: as of `write`.

    Raises:
        InputError: another ending or no name before it, a folder that has files or is none, or a file that is a folder.
    """
    if path.name.lower() in ENDINGS:
        raise InputError(f"{path} is an ending without a name; name it samples{path.name.lower()}, say.")
    if path.suffix not in (*ENDINGS, ""):
        raise InputError(
            f"{path}: use a name that ends in .npy (an array), .png (a grid), .txt (text) or a folder's (PNGs)."
        )
    if path.suffix and path.is_dir():
        raise InputError(f"{path} is a folder; name a file, or a folder without {path.suffix}.")
    if path.suffix == "" and path.exists() and not (path.is_dir() and not any(path.iterdir())):
        what = "has files already, which would be scored with the new ones" if path.is_dir() else "is a file"
        raise InputError(f"{path} {what}; name a new folder.")


def write(path: str | Path, samples: np.ndarray) -> None:
    """Write samples in the format that the file's ending names.

    Args:
        path: ends in .npy (an array), in .txt (lines of text), in .png (images in one grid), or in nothing (a folder of
            PNGs, which must not have files already).
        samples: as from `generate`.

    Raises:
        InputError: another ending, samples that are of another kind, or a place that cannot be written.
    """
    path = Path(path)
    check_output(path)
    if path.suffix == ".npy":
        with replacing(path) as file:
            np.save(file, samples)
        return
    if path.suffix == ".txt":
        if samples.dtype.kind != "S":
            raise InputError(
                f"{path}: these samples are no text ({samples.dtype} {list(samples.shape)}); write a .npy."
            )
        with replacing(path) as file:
            file.write(b"\n".join([*samples.tolist(), b""]))
        return
    if samples.dtype != np.uint8 or samples.ndim != 4:
        raise InputError(f"{path}: these samples are no images ({samples.dtype} {list(samples.shape)}); write a .npy.")
    if path.suffix == ".png":
        pictures = {path: tile(samples, math.ceil(math.sqrt(len(samples))))}
    else:
        pictures = {path / f"{i:05}.png": tile(sample[None], 1) for i, sample in enumerate(samples)}
    for target, picture in pictures.items():
        with replacing(target) as file:
            Image.fromarray(picture).save(file, format="png")
