"""wgangp generate: from a run in this checkout, from a checkpoint's path, from the generator kept with the results."""

import shutil

import numpy as np
import pytest
from fuzz_arrays import DAMAGES
from PIL import Image

from wgangp import InputError, sampling
from wgangp.data.images import CIFAR10_CLASSES
from wgangp.experiment import Experiment, Job, run_job

NAME = "table3_cifar_inception"


@pytest.fixture(scope="module", autouse=True)
def trained(tmp_path_factory):
    """Both settings at the smoke tier, on embedded images."""
    output = tmp_path_factory.mktemp("output")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WGANGP_OUTPUT", str(output))
        patch.setenv("WGANGP_DATA", str(output / "none"))
        patch.setenv("WGANGP_OFFLINE", "1")
        jobs = {setting: Job(Experiment(NAME), setting, "smoke", 0) for setting in ("unsupervised", "supervised")}
        for job in jobs.values():
            run_job(job, name="cpu")
        yield jobs


def test_experiment_and_path_give_the_same_images(trained):
    path = trained["unsupervised"].folder / "checkpoint.npz"
    images = sampling.generate(path, 20, seed=3)
    assert images.dtype == np.uint8 and images.shape == (20, 3, 32, 32)
    assert (sampling.generate(NAME, 20, seed=3, setting="unsupervised") == images).all()
    assert (sampling.generate(NAME, 20, seed=4, setting="unsupervised") != images).any()


def test_kept_generator_gives_the_same_images_up_to_its_rounding(trained, tmp_path, monkeypatch):
    job = trained["supervised"]
    expected = sampling.generate(job.folder / "checkpoint.npz", 16, label="horse")
    kept = job.arrays_path("embedded")
    monkeypatch.setenv("WGANGP_OUTPUT", str(tmp_path))  # a fresh clone: results, no runs
    with pytest.raises(InputError, match="has no trained generator of seed 0; run: wgangp run"):
        sampling.generate(NAME, 16, setting="supervised")
    target = job.arrays_path("cifar10")
    target.parent.mkdir(parents=True)
    shutil.copy(kept, target)
    images = sampling.generate(NAME, 16, setting="supervised", label="horse")
    assert abs(images.astype(int) - expected).max() <= 1
    assert (images != sampling.generate(NAME, 16, setting="supervised", label="ship")).any()


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_damaged_files_are_refused(damage, trained, tmp_path, monkeypatch):
    job = trained["unsupervised"]
    kept, checkpoint = job.arrays_path("embedded"), job.folder / "checkpoint.npz"
    monkeypatch.setenv("WGANGP_OUTPUT", str(tmp_path))
    damaged = job.arrays_path("cifar10"), tmp_path / "run" / "checkpoint.npz"
    for source, target in zip((kept, checkpoint), damaged):
        target.parent.mkdir(parents=True)
        target.write_bytes(damage(source.read_bytes()))
    shutil.copy(job.folder / "job.json", tmp_path / "run")
    with pytest.raises(InputError, match=r"seed0\.npz is not a whole npz file of arrays"):
        sampling.generate(NAME, 4, setting="unsupervised")
    with pytest.raises(InputError, match=r"checkpoint\.npz is not a whole checkpoint"):
        sampling.generate(damaged[1], 4)


def test_what_cannot_be_generated_is_refused(trained):
    for arguments, words in (
        ({"what": NAME}, "has several settings; name one with --setting: unsupervised; supervised"),
        ({"what": NAME, "setting": "unsupervised", "label": "horse"}, "trained without classes"),
        ({"what": NAME, "setting": "supervised", "label": "unicorn"}, "no such class; use one of airplane, automobile"),
        ({"what": NAME, "setting": "supervised", "number": 0}, "--number 0: use at least 1"),
        ({"what": NAME, "setting": "supervised", "seed": -1}, "--seed -1: a seed is"),
        ({"what": NAME, "setting": "supervised", "run_seed": 9}, "no trained generator of seed 9"),
        ({"what": "none/checkpoint.npz"}, "neither an experiment nor a checkpoint"),
    ):
        with pytest.raises(InputError, match=words):
            sampling.generate(**{"number": 4} | arguments)


def test_file_is_what_its_name_says(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (5, 3, 8, 8)).astype("uint8")
    sampling.write(tmp_path / "a.npy", images)
    assert (np.load(tmp_path / "a.npy") == images).all()
    sampling.write(tmp_path / "folder", images)
    read = [np.asarray(Image.open(path)) for path in sorted((tmp_path / "folder").iterdir())]
    assert (np.stack(read).transpose(0, 3, 1, 2) == images).all()
    sampling.write(tmp_path / "grid.png", images)
    grid = np.asarray(Image.open(tmp_path / "grid.png"))
    assert grid.shape == (16, 24, 3) and (grid[8:16, 8:16] == images[4].transpose(1, 2, 0)).all()
    with pytest.raises(InputError, match="use a name that ends in .npy"):
        sampling.write(tmp_path / "a.jpg", images)
    with pytest.raises(InputError, match="are no images"):
        sampling.write(tmp_path / "a.png", images.astype("float32"))


def test_class_names_are_those_of_the_publisher():
    assert len(CIFAR10_CLASSES) == 10 and CIFAR10_CLASSES[0] == "airplane" and CIFAR10_CLASSES[9] == "truck"
