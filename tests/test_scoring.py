"""wgangp score: files of every kind, in any order, and what it refuses."""

import math
import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from reproduction import scoring
from reproduction.__main__ import main
from wgangp.data import images
from wgangp.data.images import embedded_digits, embedded_patches
from wgangp.data.toy import Toy


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """The working folder; the real images are those that scikit-learn has."""
    monkeypatch.setenv("WGANGP_OUTPUT", str(tmp_path / "output"))
    monkeypatch.setenv("WGANGP_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("WGANGP_OFFLINE", "1")
    monkeypatch.setattr(images, "cifar10", cache(embedded_patches))
    monkeypatch.setattr(images, "mnist", embedded_digits)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def said(capfd, *arguments):
    assert main(["score", *map(str, arguments)]) == 0
    return capfd.readouterr().out


def refused(capfd, *arguments):
    assert main(["score", *map(str, arguments)]) == 2
    told = capfd.readouterr().err
    assert told.startswith("wgangp: ") and told.count("\n") == 1
    return told


def write_pngs(folder, samples, names):
    for name, sample in zip(names, samples, strict=True):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(sample.transpose(1, 2, 0)).save(folder / name)


def test_names_folders_and_rows_in_any_order_give_the_same_scores(capfd, folder):
    data = embedded_patches("test", 32)
    order = np.argsort(data.labels, kind="stable")[::17]  # sorted by class, as class folders are
    samples = data.images[order]
    write_pngs(folder / "flat", samples, [f"{i}.png" for i in np.random.default_rng(0).permutation(len(order))])
    write_pngs(folder / "classes", samples, [f"{data.labels[k]}/{k}.png" for k in order])
    np.save("sorted.npy", samples)
    np.savez("reversed.npz", samples[::-1])
    names = "flat", "classes", "sorted.npy", "reversed.npz"
    told = {said(capfd, name, "--data", "cifar10", "--real", 200) for name in names}
    assert len(told) == 1 and "frechet_pixels" in told.pop()
    mixed = scoring.in_fixed_order(samples)
    labels = [int(data.labels[order][(samples == sample).all(axis=(1, 2, 3)).argmax()]) for sample in mixed]
    assert all(len(set(part)) > 2 for part in np.array_split(labels, 5))  # no split is of one class


def test_points_in_any_order_give_the_same_distance(capfd):
    points = Toy("swissroll").sample(4000, np.random.default_rng(3))
    points = points[points[:, 0].argsort()]
    for layout in (points[::-1], np.asfortranarray(points)):
        assert (scoring.in_fixed_order(layout) == scoring.in_fixed_order(points)).all()
    np.save("points.npy", points)
    told = said(capfd, "points.npy", "--data", "swissroll")
    assert (
        float(told.split()[4]) < 0.1 < points[2000:, 0].mean() - points[:2000, 0].mean()
    )  # of the first rows: far off


def test_digits_and_real_ones_are_as_many(capfd):
    digits = embedded_digits("train").images[:300]
    np.save("digits.npy", digits)
    np.save("some.npy", scoring.in_fixed_order(digits)[:250])
    told = said(capfd, "digits.npy", "--data", "mnist").splitlines()
    assert told[0] == "250 of 300 digits against 250 training digits"  # 250 are held out
    assert said(capfd, "some.npy", "--data", "mnist").splitlines() == [told[0].replace(" of 300", ""), *told[1:]]


def test_more_images_than_half_of_the_real_ones_get_a_word(capfd):
    real = images.cifar10().images
    half = len(real) // 2
    np.save("half.npy", real[:half]), np.save("more.npy", real[: half + 1])
    words = f"real: {half} images against {len(real) - half} real ones, since there are no more"
    assert words in said(capfd, "more.npy", "--data", "cifar10", "--metric", "frechet_pixels")
    assert "no more" not in said(capfd, "half.npy", "--data", "cifar10", "--metric", "frechet_pixels", "--real", half)


@pytest.mark.parametrize("side", [8, 64])
def test_images_of_another_size_than_the_real_ones_are_refused(capfd, side):
    np.save("images.npy", np.zeros([20, 3, side, side], "uint8"))
    told = refused(capfd, "images.npy", "--data", "cifar10", "--metric", "frechet_pixels")
    assert f"of {side}x{side} pixels and those of cifar10 of 32x32" in told


@pytest.mark.parametrize("count", [100, 5000])
def test_real_points_are_as_many_as_the_samples(capfd, count):
    np.save("points.npy", Toy("8gaussians").sample(count, np.random.default_rng(3)))
    told = said(capfd, "points.npy", "--data", "8gaussians").split()
    ours, floor = float(told[4]), float(told[8].strip(";"))
    assert ours == pytest.approx(floor, rel=1) and told[9] == str(min(count, 2000))
    assert floor == pytest.approx({100: 0.33, 5000: 0.07}[count], rel=0.5)


def bad_points(kind):
    points = np.random.default_rng(0).normal(size=(500, 2))
    if kind in ("nan", "inf"):
        points[77, 0] = float(kind)
    return {"complex": points + 0j, "strings": points.astype(str), "bool": points > 0}.get(kind, points)


@pytest.mark.parametrize(
    "array, words",
    [
        (bad_points("nan"), "not finite: NaN, infinite or above 1e50 in 1 of 1000 places, the first at [77, 0]"),
        (bad_points("inf"), "not finite"),
        (bad_points("complex"), "are complex128 [500, 2]; give [n, 2] of real numbers"),
        (bad_points("strings"), "of real numbers"),
        (bad_points("bool"), "are bool"),
        (np.zeros((0, 2)), "is float64 [0, 2]; points in the plane are [n, 2]"),
        (np.zeros([]), "is float64 []; points in the plane"),
        (np.zeros((5, 3)), "is float64 [5, 3]; points in the plane are [n, 2]"),
        (np.zeros((5, 3, 8, 8), "uint8"), "points in the plane are [n, 2]"),
        (np.array([[1, 2], [3, None]], object), "cannot be read as an array"),
    ],
)
def test_points_that_cannot_be_measured_are_refused(capfd, array, words):
    np.save("points.npy", array)
    assert words in refused(capfd, "points.npy", "--data", "8gaussians")


@pytest.mark.parametrize(
    "array, words",
    [
        (
            np.zeros((20, 32, 32, 3), "uint8"),
            "is uint8 [20, 32, 32, 3]; images are uint8 [n, 3, size, size]: put the ch",
        ),
        (np.zeros((20, 3, 32, 32), "float32"), "is float32 [20, 3, 32, 32]; images are uint8 [n, 3, size, size], 0 to"),
        (np.zeros((20, 3, 32, 40), "uint8"), "is uint8 [20, 3, 32, 40]; images are uint8 [n, 3, size, size]"),
        (np.zeros((20, 1, 28, 28), "uint8"), "images are uint8 [n, 3, size, size]"),
        (np.zeros((0, 3, 32, 32), "uint8"), "is uint8 [0, 3, 32, 32]"),
        (np.zeros((9, 3, 32, 32), "uint8"), "has 9 images; scores need at least 10"),
        (np.zeros((500, 2)), "images are uint8"),
    ],
)
def test_arrays_that_are_no_images_are_refused(capfd, array, words):
    np.save("images.npy", array)
    assert words in refused(capfd, "images.npy", "--data", "cifar10")


def test_files_that_cannot_be_read_are_refused_by_name(capfd, folder):
    np.savez("two.npz", points=np.zeros((5, 2)), others=np.zeros((5, 2)))
    np.savez("none.npz")
    Path("empty.npy").touch()
    Path("text.npy").write_text("1 2\n3 4\n")
    np.save("cut.npy", np.zeros((500, 2)))
    os.truncate("cut.npy", 3000)
    Path("huge.npy").write_bytes(
        b"\x93NUMPY\x01\0\x76\0{'descr': '<f8', 'fortran_order': False, 'shape': (5000000000000, 2), }".ljust(127)
        + b"\n"
    )
    Image.new("RGB", (64, 64)).save("grid.png")
    (folder / "nothing").mkdir()
    for name, words in (
        ("two.npz", "has 2 arrays (points, others); write the samples alone"),
        ("none.npz", " arrays "),
        ("empty.npy", "cannot be read as an array"),
        ("text.npy", "cannot be read as an array (.npy) and is no folder of images: it has no array's header"),
        ("cut.npy", "cannot be read as an array"),
        ("huge.npy", "cannot be read as an array"),
        ("grid.png", "is one image; score a folder of them"),
        ("nothing", "has no images"),
        ("gone.npy", "cannot be read as an array (.npy) and is no folder of images: No such file or directory"),
    ):
        told = refused(capfd, name, "--data", "swissroll")
        assert words in told and name in told


@pytest.mark.parametrize("data", ["8gaussians", "cifar10", "text"])
@pytest.mark.parametrize("name", ["pipe", "pipe.npy"])
def test_a_pipe_is_not_waited_for(capfd, folder, data, name):
    (folder / "data").mkdir()
    (folder / "data" / "billionword_heldout00.txt").write_text("one line\nanother line\n")
    os.mkfifo(name)
    assert f"{name} is a device or pipe, not a file" in refused(capfd, name, "--data", data)


@pytest.mark.parametrize(
    "data, kind, shape",
    [
        ("8gaussians", "<f4", (10**11, 2)),
        ("permeability", "<f4", (10**9, 1, 16, 16)),
        ("mnist", "|u1", (10**9, 1, 28, 28)),
        ("cifar10", "|u1", (10**9, 3, 32, 32)),
        ("text", "|S32", (10**10,)),
    ],
)
def test_what_does_not_fit_into_memory_is_refused(capfd, folder, data, kind, shape):
    (folder / "lines.txt").write_text("one line\nanother line\n")
    with open("sparse.npy", "wb") as file:
        np.lib.format.write_array_header_1_0(file, {"descr": kind, "fortran_order": False, "shape": shape})
        file.truncate(file.tell() + math.prod(shape) * np.dtype(kind).itemsize)
    text = ["--text", "lines.txt"] if data == "text" else []
    assert f"{shape[0]:,} " in (told := refused(capfd, "sparse.npy", "--data", data, *text)) and " GiB and" in told


def test_a_text_is_looked_for_here_and_then_among_the_data(capfd, folder):
    (folder / "data").mkdir()
    (folder / "data" / "a.txt").write_text("one line\nanother line\n")
    assert "2 lines against 1 training lines of a.txt" in said(capfd, "data/a.txt", "--data", "text", "--text", "a.txt")
    (folder / "a.txt").write_text("one\ntwo\nthree\nfour\nfive\nsix\n")
    assert "2 lines against 4 training lines of a.txt" in said(capfd, "data/a.txt", "--data", "text", "--text", "a.txt")


def test_a_text_called_as_the_corpus_is_another_one(capfd, folder):
    (folder / "billion_word").write_text("one line\nanother line\n")
    told = said(capfd, "billion_word", "--data", "text", "--text", "billion_word")
    assert "training lines of file billion_word" in told and "js4_other_corpus" in told


def test_the_only_array_of_an_npz_is_scored(capfd):
    points = Toy("8gaussians").sample(200, np.random.default_rng(0))
    np.save("points.npy", points)
    np.savez_compressed("points.npz", anything=points)
    shutil.copy("points.npz", "renamed.npy")
    for name in ("points.npy", "points.npz", "renamed.npy"):
        assert (scoring.read_samples(Path(name)) == points).all()
    assert "modes found  8 of 8" in said(capfd, "points.npz", "--data", "8gaussians")


def test_a_broken_image_is_named_and_what_is_left_out_is_counted(capfd, folder):
    samples = embedded_patches("test", 32).images[:12]
    write_pngs(folder / "pngs", samples, [f"{i}.png" for i in range(12)])
    write_pngs(folder / "pngs" / ".ipynb_checkpoints", samples[:3], ["0.png", "1.png", "2.png"])
    (folder / "pngs" / "log.txt").touch()
    told = said(capfd, "pngs", "--data", "cifar10", "--real", 200)
    assert "pngs: 12 images; left out: 1 .txt, 3 hidden." in told and "12 images against" in told
    raw = (folder / "pngs" / "7.png").read_bytes()
    (folder / "pngs" / "7.png").write_bytes(raw[:200])
    assert "pngs/7.png is cut off" in refused(capfd, "pngs", "--data", "cifar10")


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["--data", "swissroll", "--metric", "fid"], "--metric is for images"),
        (["--data", "swissroll", "--text", "a.txt"], "--text is for --data text"),
        (["--data", "swissroll", "--real", "5"], "--real is for images beside cifar10 or lsun_bedroom"),
        (["--data", "mnist", "--real", "5"], "--real is for images"),
        (["--data", "text", "--real", "5"], "--real is for images"),
        (["--data", "swissroll", "--real", "0"], "--real is 0; use an integer of at least 1"),
    ],
)
def test_options_that_do_not_fit_are_refused(capfd, arguments, words):
    np.save("points.npy", np.zeros((5, 2)))
    assert words in refused(capfd, "points.npy", *arguments)


def test_thousand_damaged_files_are_read_or_refused():
    script = Path(__file__).with_name("fuzz_images.py")
    done = subprocess.run([sys.executable, script, "1000", "0"], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
