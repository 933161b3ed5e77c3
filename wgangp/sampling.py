"""Samples of trained runs, as files: `wgangp generate`."""

import json
import math
from pathlib import Path

import numpy as np
from PIL import Image

from wgangp.data.batches import to_bytes
from wgangp.errors import InputError
from wgangp.experiment import TIERS, Experiment, Job, names
from wgangp.files import read_npz, replacing

FILES = ("checkpoint.npz", "networks.npz")  # what a run's folder may have


def generate(what, number, seed=0, setting=None, tier=None, run_seed=0, label=None):
    """Draw samples from a trained run.

    Args:
        what: the path of a run's checkpoint, or an experiment's name: then its run in this checkout, else the generator
            that is committed with its results.
        number: how many samples.
        seed: of the latent vectors.
        setting: of an experiment that has several.
        tier: the best that has a generator when None.
        run_seed: of an experiment's runs.
        label: the class of all samples, by its name; any class when None.

    Returns:
        uint8 images [number, channels, height, width], or float32 arrays [number, ...] where the samples are none.

    Raises:
        InputError: nothing trained is there, or the model has no such class.
    """
    if number < 1:
        raise InputError(f"--number {number}: use at least 1.")
    if seed < 0:
        raise InputError(f"--seed {seed}: a seed is a non-negative integer.")
    gan, config, module = from_results(what, setting, tier, run_seed) if str(what) in names() else from_run(what)
    if label is None:
        samples = gan.generate(number, seed=seed)
    else:
        samples = of_class(gan, class_number(label, gan, module), number, seed)
    return samples if getattr(config, "scaling", None) is None else to_bytes(samples, config.scaling)


def from_run(path):
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
        name, setting, tier = about["experiment"], about["setting"], about["tier"]
    except (OSError, ValueError, KeyError, TypeError):
        raise InputError(
            f"{path} is neither an experiment nor a checkpoint in a run's folder "
            "(runs/<experiment>/<run>/checkpoint.npz)."
        ) from None
    experiment = Experiment(name)
    config = experiment.config(setting, tier)
    gan = experiment.module.build(config)
    gan.load(path)
    return gan, config, experiment.module


def from_results(name, setting=None, tier=None, run_seed=0):
    """As `from_run`, of an experiment's run, or with the generator that is kept with its results.

    Raises:
        InputError: there is neither, or the experiment has several settings and none was named.
    """
    experiment = Experiment(name)
    if setting is None:
        if len(experiment.settings) > 1:
            raise InputError(f"{name} has several settings; name one with --setting: {'; '.join(experiment.settings)}.")
        (setting,) = experiment.settings
    for one in [tier] if tier else reversed(TIERS):
        if setting not in experiment.settings_at(one):
            continue
        job = Job(experiment, setting, one, run_seed)
        for file in FILES:
            if (job.folder / file).exists():
                return from_run(job.folder / file)
        path = job.arrays_path("")
        if path.exists():
            arrays = read_npz(path)
            state = {k.removeprefix("generator/"): v for k, v in arrays.items() if k.startswith("generator/")}
            if state:
                gan = experiment.module.build(job.config)
                gan.load_generator(state, path)
                gan.batch_size = getattr(job.config, "generator_batch_size", job.config.batch_size)
                return gan, job.config, experiment.module
    raise InputError(
        f"{name} [{setting}] has no trained generator of seed {run_seed}"
        + (f" at tier {tier}" if tier else "")
        + f"; run: wgangp run {name} --setting '{setting}' --seed {run_seed}."
    )


def of_class(gan, chosen, number, seed):
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


def class_number(label, gan, module):
    """The number of a class from its name."""
    known = getattr(module, "CLASSES", ())
    if not known or not hasattr(gan, "classes"):
        raise InputError(f"--class {label}: this model was trained without classes.")
    if label not in known:
        raise InputError(f"--class {label}: there is no such class; use one of {', '.join(known)}.")
    return known.index(label)


def write(path, samples):
    """Write samples as the name's ending says.

    Args:
        path: ends in .npy (an array), in .png (images in one grid), or in nothing (a folder of PNGs).
        samples: as from `generate`.

    Raises:
        InputError: another ending, samples that are no images, or a place that cannot be written.
    """
    path = Path(path)
    if path.suffix == ".npy":
        with replacing(path) as file:
            np.save(file, samples)
        return
    if path.suffix not in (".png", ""):
        raise InputError(f"{path}: use a name that ends in .npy (an array), .png (a grid) or a folder's (PNGs).")
    if samples.dtype != np.uint8 or samples.ndim != 4:
        raise InputError(f"{path}: these samples are no images ({samples.dtype} {list(samples.shape)}); write a .npy.")
    from wgangp.visualization import tile  # here, since it imports matplotlib

    if path.suffix == ".png":
        pictures = {path: tile(samples, math.ceil(math.sqrt(len(samples))))}
    else:
        pictures = {path / f"{i:05}.png": tile(sample[None], 1) for i, sample in enumerate(samples)}
    for target, picture in pictures.items():
        with replacing(target) as file:
            Image.fromarray(picture).save(file, format="png")
