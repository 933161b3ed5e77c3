import hashlib

import numpy as np
import pytest
from PIL import Image
from publishers import cifar10_batch, write_cifar10, write_idx

from wgangp import InputError
from wgangp.data import catalogue, images


def write_mnist(folder, train=60_000, test=10_000, train_labels=None):
    rng = np.random.default_rng(0)
    for part, count in (("train", train), ("t10k", test)):
        digits = np.zeros([count, 28, 28], "uint8")
        digits[:, 0, 0] = rng.integers(0, 256, count)
        write_idx(folder / f"{part}-images-idx3-ubyte.gz", digits)
        write_idx(folder / f"{part}-labels-idx1-ubyte.gz", np.arange(train_labels or count) % 10)


def test_mnist_has_the_authors_split(folder):
    write_mnist(folder, test=3_678)
    parts = {split: images.mnist(split) for split in ("train", "validation", "test")}
    assert {split: part.images.shape[0] for split, part in parts.items()} == {
        "train": 50_000,
        "validation": 10_000,
        "test": 3_678,
    }
    assert parts["train"].images.shape[1:] == (1, 28, 28) and parts["train"].name == "mnist"
    want = np.random.default_rng(0).integers(0, 256, 60_000)
    assert (parts["validation"].images[:, 0, 0, 0] == want[50_000:]).all()
    assert (parts["validation"].labels == np.arange(50_000, 60_000) % 10).all()


@pytest.mark.parametrize(
    "sizes, split, message",
    [
        ({"train": 10_000, "test": 60_000}, "train", "has 10000 digits, not 60,000"),
        ({"train": 10_000, "test": 60_000}, "test", "has 60000 digits, not at most 10,000"),
        ({"train_labels": 59_000}, "train", "are not a pair"),
    ],
)
def test_swapped_mnist_files_get_one_sentence(folder, sizes, split, message):
    write_mnist(folder, **sizes)
    with pytest.raises(InputError, match=message):
        images.mnist(split)


def test_cifar10_carries_its_name_and_hash(folder):
    batch = cifar10_batch("test_batch")
    write_cifar10(folder, test_batch=batch)
    test = images.cifar10("test")
    assert test.name == "cifar10" and test.images.shape == (10_000, 3, 32, 32)
    assert test.sha256 == hashlib.sha256(batch["data"].tobytes()).hexdigest()
    with pytest.raises(InputError, match="split 'dev' is unknown; use one of train, test"):
        images.cifar10("dev")


def test_the_last_tenth_of_a_folder_of_bedrooms_is_for_validation(folder):
    (folder / "lsun_bedroom_64").mkdir()
    for i in range(9):
        Image.new("RGB", (8, 8), (i, i, i)).save(folder / "lsun_bedroom_64" / f"{i:03d}.png")
    with pytest.raises(InputError, match="has 9 images; at least 10"):
        images.lsun_bedrooms(size=8)
    for i in range(9, 30):
        Image.new("RGB", (8, 8), (i, i, i)).save(folder / "lsun_bedroom_64" / f"{i:03d}.png")
    train, validation = images.lsun_bedrooms("train", 8), images.lsun_bedrooms("validation", 8)
    assert train.images[:, 0, 0, 0].tolist() == list(range(27)) and train.labels is None
    assert validation.images[:, 0, 0, 0].tolist() == [27, 28, 29]
    with pytest.raises(InputError, match="8x8 pixels, too few for 64x64"):
        images.lsun_bedrooms("train", 64)


def test_without_data_there_is_an_error_or_the_embedded_images(monkeypatch):
    for load, file in (
        (images.cifar10, "cifar-10-python.tar.gz"),
        (images.mnist, "train-images-idx3-ubyte.gz"),
        (images.lsun_bedrooms, "bedroom_train_lmdb.zip"),
    ):
        with pytest.raises(catalogue.Missing, match=f"{file} is not in .*; download it from http"):
            load()
        assert load(fallback=True).name == "embedded"
        with monkeypatch.context() as forbidding:
            forbidding.setenv("WGANGP_NO_EMBEDDED", "1")
            with pytest.raises(catalogue.Missing):
                load(fallback=True)


def test_damaged_data_never_fall_back(folder):
    (folder / "cifar-10-python.tar.gz").write_bytes(b"damaged")
    with pytest.raises(InputError, match="cut off or not a .tar.gz"):
        images.cifar10(fallback=True)


def test_embedded_digits_are_digits():
    parts = [images.embedded_digits(split) for split in ("train", "validation", "test")]
    assert [len(part.images) for part in parts] == [1297, 250, 250]
    for part in parts:
        assert part.images.shape[1:] == (1, 28, 28) and part.images.dtype == np.uint8
        assert set(part.labels) == set(range(10)) and part.images.max() == 255
        assert not part.images[:, :, :4].any() and not part.images[..., 24:].any()
    # they are told apart: the nearest training digit has the right label
    flat = [part.images.reshape(len(part.images), -1).astype("float32") for part in parts]
    nearest = ((flat[2][:, None] - flat[0][None, :400]) ** 2).sum(axis=2).argmin(axis=1)
    assert (parts[0].labels[nearest] == parts[2].labels).mean() > 0.8


@pytest.mark.parametrize("size", [32, 64, 128])
def test_embedded_patches_are_of_the_photographs_and_their_splits_do_not_overlap(size):
    from sklearn.datasets import load_sample_images

    train, test = images.embedded_patches("train", size), images.embedded_patches("test", size)
    photograph = load_sample_images().images[0].transpose(2, 0, 1)
    assert (train.images[1] == photograph[:, :size, 8 : 8 + size]).all()
    assert (test.images[0] == photograph[:, :size, 480 : 480 + size]).all()
    assert np.bincount(train.labels).min() > len(train.labels) // 10 - 3 and set(train.labels) == set(range(10))
    dark, bright = (train.images[train.labels == label].mean() for label in (0, 4))
    assert dark < bright
    assert images.embedded_patches("train", size).sha256 == train.sha256 != test.sha256


def test_patches_larger_than_the_photographs_are_refused():
    with pytest.raises(InputError, match="1 to 160 pixels, not of 256"):
        images.embedded_patches("train", 256)


def test_real_cifar10(real_data):
    real_data("cifar10")
    train, test = images.cifar10("train"), images.cifar10("test")
    assert train.sha256 == "9d5c2eddadb0deff02c14c350c0385aab7b1d5ff1edfeb4997c8dc8644960111"
    assert np.allclose(train.images.mean(axis=(0, 2, 3)) / 255, [0.49139968, 0.48215841, 0.44653091])
    assert (np.bincount(train.labels) == 5000).all() and len(test.images) >= 1000


def test_real_mnist(real_data):
    real_data("mnist_train_images")
    train, validation = images.mnist("train"), images.mnist("validation")
    total = sum(part.images.sum(dtype="int64") for part in (train, validation))
    assert abs(total / (60_000 * 784) - 33.318421) < 1e-6
    assert train.labels[:5].tolist() == [5, 0, 4, 1, 9]


def test_real_bedrooms(real_data):
    real_data("lsun_bedroom")
    train = images.lsun_bedrooms("train", count=500)
    assert train.images.shape == (450, 3, 64, 64) and 80 < train.images.mean() < 170
