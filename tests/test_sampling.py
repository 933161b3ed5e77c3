"""wgangp generate: from a run in this checkout, from a checkpoint's path, from the generator kept with the results."""

import json
import shutil
import sys

import numpy as np
import pytest
from fuzz_arrays import DAMAGES
from PIL import Image

from reproduction import results, sampling
from reproduction.__main__ import main
from reproduction.experiment import Experiment
from reproduction.job import Job, run_job
from wgangp import InputError
from wgangp.data import images as data_images
from wgangp.data.images import CIFAR10_CLASSES, embedded_digits, embedded_patches
from wgangp.gan import BaseGAN

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
    monkeypatch.setenv("WGANGP_OUTPUT", str(tmp_path / "output"))
    monkeypatch.setattr(results, "ROOT", tmp_path / "clone")  # a fresh one: results, no runs
    with pytest.raises(InputError, match="has no trained generator of seed 0; run: wgangp run"):
        sampling.generate(NAME, 16, setting="supervised")
    target = job.arrays_path("cifar10", results.ROOT)
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
    monkeypatch.setattr(results, "ROOT", tmp_path)
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
        ({"what": NAME, "setting": "supervised", "number": 0}, "num_samples is 0; use an integer of at least 1"),
        ({"what": NAME, "setting": "supervised", "seed": -1}, "seed is -1; use an integer of at least 0"),
        ({"what": NAME, "setting": "supervised", "seed": 2**200}, "seed is 1606938.*; use an integer"),
        (
            {"what": NAME, "setting": "supervised", "number": 10**12},
            r"1000000000000 samples of shape \[3, 32, 32\] take .* GiB",
        ),
        ({"what": NAME, "setting": "supervised", "run_seed": 9}, "no trained generator of seed 9"),
        ({"what": NAME, "setting": "supervised", "run_seed": -1}, "no trained generator of seed -1"),
        ({"what": NAME, "setting": "none"}, "has no setting 'none'; there are: 'unsupervised'"),
        ({"what": "none/checkpoint.npz", "tier": "smoke"}, "--setting, --tier and --run-seed are for experiments"),
        ({"what": "none/checkpoint.npz", "run_seed": 0}, "--setting, --tier and --run-seed are for experiments"),
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
    with pytest.raises(InputError, match="folder has files already"):
        sampling.write(tmp_path / "folder", images)
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="file is a file; name a new folder"):
        sampling.write(tmp_path / "file", images)
    with pytest.raises(InputError, match="are no text"):
        sampling.write(tmp_path / "a.txt", images)


def test_a_place_that_cannot_be_written_is_refused_before_anything_is_drawn(trained, capfd):
    assert main(["generate", "none/checkpoint.npz", "-o", "a.jpg"]) == 2
    assert "use a name that ends in .npy" in capfd.readouterr().err


@pytest.mark.parametrize("ending", sampling.ENDINGS)
def test_no_folder_is_taken_for_a_file_and_no_ending_for_a_folder(tmp_path, capfd, ending):
    (tmp_path / f"d{ending}").mkdir()
    for name, words in ((f"d{ending}", f"d{ending} is a folder"), (ending, f"{ending} is an ending without a name")):
        assert main(["generate", "none/checkpoint.npz", "-o", str(tmp_path / name)]) == 2
        assert words in capfd.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == [f"d{ending}"]


def test_pictures_are_written_without_matplotlib(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    monkeypatch.delitem(sys.modules, "reproduction.visualization", raising=False)
    sampling.write(tmp_path / "a.png", np.zeros([4, 3, 8, 8], "uint8"))


def untrained(folder, name, setting):
    """The folder of a run that has ended, its networks as they begin."""
    experiment = Experiment(name)
    gan = experiment.module("run").build(experiment.config(setting, "smoke"))
    gan.save(folder / "networks.npz")
    about = {"experiment": name, "setting": setting, "tier": "smoke", "seed": 0}
    (folder / "job.json").write_text(json.dumps(about))
    return folder / "networks.npz"


@pytest.mark.parametrize(
    "name, setting, data, output",
    [
        ("fig2_toy_8gaussians", "gp, 8gaussians, trained generator", "8gaussians", "a.npy"),
        ("mnist_digits", "WGAN-GP", "mnist", "a.npy"),
        ("mnist_digits", "WGAN-GP", "mnist", "a"),
        ("fig6_critic_loss", "1000 digits, gradient penalty", "mnist", "a.npy"),
        ("fig4_cifar_convergence", "GP Adam", "cifar10", "a"),
        ("table3_cifar_inception", "supervised", "cifar10", "a.npy"),
        ("fig5_lsun_samples", "64 pixels", "lsun_bedroom", "a.npy"),
        ("science_fields", "permeability, WGAN-GP", "permeability", "a.npy"),
        ("science_fields", "vorticity, weight clipping", "vorticity", "a.npy"),
    ],
)
def test_what_is_generated_can_be_scored(tmp_path, monkeypatch, capfd, name, setting, data, output):
    monkeypatch.chdir(tmp_path)
    path = untrained(tmp_path, name, setting)  # before the readers of data are replaced, which experiments import
    monkeypatch.setattr(data_images, "cifar10", embedded_patches)
    monkeypatch.setattr(data_images, "lsun_bedrooms", lambda size, count: embedded_patches("train", size))
    monkeypatch.setattr(data_images, "mnist", embedded_digits)
    assert main(["generate", str(path), "-n", "12", "-o", output]) == 0
    real = ["--real", "100"] if data in ("cifar10", "lsun_bedroom") else []
    assert main(["score", output, "--data", data, *real]) == 0
    lines = capfd.readouterr().out.splitlines()
    assert len(lines) > 3 and not any("nan" in line for line in lines)


@pytest.fixture
def language_run(tmp_path, monkeypatch):
    """A run of the language model on a text, and the text's place."""
    text = tmp_path / "data" / "billionword_heldout00.txt"
    text.parent.mkdir()
    text.write_bytes(b"".join(b"the cat sat on mat %d\n" % (i % 7) for i in range(200)))
    monkeypatch.setenv("WGANGP_DATA", str(text.parent))
    monkeypatch.setenv("WGANGP_OUTPUT", str(tmp_path / "output"))
    monkeypatch.chdir(tmp_path)
    job = Job(Experiment("table4_language_model"), "WGAN-GP", "smoke", 0)
    run_job(job, name="cpu")
    return job.folder / "checkpoint.npz", text


def test_text_is_made_of_the_characters_that_its_run_recorded(language_run, capfd):
    path, text = language_run
    lines = sampling.generate(path, 30)
    assert lines.shape == (30,) and set(b"".join(lines)) <= set(b"?`" + text.read_bytes())
    known = text.read_bytes()
    for other in (known.upper(), known + b"entirely other words: xyzzy\n" * 9, None):
        text.write_bytes(other) if other else text.unlink()
        assert (sampling.generate(path, 30) == lines).all()
    text.write_bytes(known)
    for output in ("a.npy", "a.txt"):
        assert main(["generate", str(path), "-n", "30", "-o", output]) == 0
        assert main(["score", output, "--data", "text"]) == 0
    told = capfd.readouterr().out.splitlines()
    assert len(told) == 46 and told[1:23] == told[24:] and "js4_other_corpus" in told[5]
    assert main(["score", "a.txt", "--data", "text", "--text", text.name]) == 0
    assert capfd.readouterr().out.splitlines()[1:] == told[2:23]


def test_older_run_without_characters_takes_those_that_are_there_and_says_so(language_run):
    path, text = language_run
    lines = sampling.generate(path, 30)
    about = json.loads((path.parent / "job.json").read_text())
    assert bytes(about.pop("characters"))[:1] == b"?"
    (path.parent / "job.json").write_text(json.dumps(about))
    with pytest.warns(UserWarning, match="has not recorded its characters; those of 'billion_word_heldout' are taken"):
        assert (sampling.generate(path, 30) == lines).all()
    text.write_bytes(text.read_bytes() + b"xyz: other characters, more of them\n")
    with pytest.warns(UserWarning), pytest.raises(InputError, match="does not fit the generator"):
        sampling.generate(path, 30)


def test_generator_that_has_diverged_or_is_fixed_is_refused(tmp_path, monkeypatch):
    path = untrained(tmp_path, "fig2_toy_8gaussians", "gp, swissroll, fixed generator")
    with pytest.raises(InputError, match="has a fixed generator"):
        sampling.generate(path, 4)
    for name, setting in (("fig2_toy_8gaussians", "gp, swissroll, trained generator"), ("mnist_digits", "DCGAN")):
        path = untrained(tmp_path, name, setting)
        monkeypatch.setattr(BaseGAN, "generate", lambda gan, n, seed, batch_size=None: np.full([n, 2], np.nan))
        with pytest.raises(InputError, match="NaN or infinite values"):
            sampling.generate(path, 4)


def test_class_names_are_those_of_the_publisher():
    assert len(CIFAR10_CLASSES) == 10 and CIFAR10_CLASSES[0] == "airplane" and CIFAR10_CLASSES[9] == "truck"
