import gzip
import pickle
import tarfile

import numpy as np
import pytest
from PIL import Image
from publishers import cifar10_batch, whole_cifar10, write_cifar10, write_idx

from wgangp import InputError
from wgangp.data import formats, images


def test_cifar10_is_read_from_folder_and_archive_alike(folder):
    path = write_cifar10(folder, **whole_cifar10(tests=30))
    archive = folder / "archive.tar.gz"
    with tarfile.open(archive, "w:gz", compresslevel=1) as tar:
        tar.add(path, "cifar-10-batches-py")
    for split, count in (("train", 50_000), ("test", 30)):
        for source in (path, archive):
            pixels, labels = formats.read_cifar10(source, split)
            assert pixels.shape == (count, 3, 32, 32) and pixels.dtype == np.uint8 and labels.dtype == np.int64
            assert (labels == np.arange(count) % 10).all() and (pixels == labels[:, None, None, None]).all()
    with open(archive, "r+b") as file:
        file.truncate(archive.stat().st_size // 2)
    with pytest.raises(InputError, match=r"archive\.tar\.gz.* cut off"):
        formats.read_cifar10(archive, "train")


def test_rows_of_cifar10_are_red_green_blue_planes(folder):
    data = np.arange(3072) // 12 % 256
    batch = cifar10_batch("test_batch", 1) | {"data": data.astype("uint8")[None]}
    pixels, _ = formats.read_cifar10(write_cifar10(folder, test_batch=batch), "test")
    assert pixels.shape == (1, 3, 32, 32)
    assert pixels[0, 1, 2, 3] == (1024 + 2 * 32 + 3) // 12 % 256


@pytest.mark.parametrize(
    "batch, told",
    [
        (cifar10_batch("data_batch_3"), "test_batch holds data_batch_3"),
        (cifar10_batch("test_batch") | {"batch_label": "data_batch_1"}, "holds data_batch_1 .*swapped"),
        ({"data": np.zeros([2, 3072], "uint8"), "fine_labels": [1, 2]}, "not a CIFAR-10 batch"),
        (cifar10_batch("test_batch", 5) | {"labels": [1]}, "not a CIFAR-10 batch"),
        (cifar10_batch("test_batch", 2) | {"labels": [1, 10]}, "not a CIFAR-10 batch"),
        (cifar10_batch("test_batch", 10_001), "has 10001 images"),
        ([1, 2], "not a CIFAR-10 batch"),
    ],
)
def test_wrong_cifar10_files_get_one_sentence(folder, batch, told):
    with pytest.raises(InputError, match=told):
        formats.read_cifar10(write_cifar10(folder, test_batch=batch), "test")


def test_another_archive_is_told(folder):
    path = write_cifar10(folder, train={"data": np.zeros([2, 3072], "uint8"), "fine_labels": [1, 2]})
    with pytest.raises(InputError, match="no file data_batch_1: it is not the python version of CIFAR-10"):
        formats.read_cifar10(path, "train")


def test_a_short_train_batch_is_told(folder):
    path = write_cifar10(folder, data_batch_1=cifar10_batch("data_batch_1", 137))
    with pytest.raises(InputError, match="data_batch_1 has 137 images, not 10,000"):
        formats.read_cifar10(path, "train")


def test_a_cifar10_pickle_that_calls_is_refused_with_its_name(folder):
    path = write_cifar10(folder)
    (path / "test_batch").write_bytes(pickle.dumps({b"data": print}))
    with pytest.raises(InputError, match="test_batch is refused: it asks for builtins.print"):
        formats.read_cifar10(path, "test")


@pytest.mark.parametrize("write", [None, gzip.compress])
def test_idx_files_are_read_packed_or_not(folder, write):
    digits = np.random.default_rng(0).integers(0, 256, [5, 28, 28], dtype="uint8")
    write_idx(folder / "a", digits, write)
    write_idx(folder / "b", np.arange(5), write)
    assert (formats.read_idx(folder / "a", 3) == digits).all()
    assert (formats.read_idx(folder / "b", 1) == np.arange(5)).all()
    with pytest.raises(InputError, match="a holds images, not labels: the files were swapped"):
        formats.read_idx(folder / "a", 1)
    with pytest.raises(InputError, match="b holds labels, not images"):
        formats.read_idx(folder / "b", 3)


@pytest.mark.parametrize(
    "change, told",
    [
        (lambda raw: raw[:-1], "3919 bytes of data where its header says 3920"),
        (lambda raw: raw + b"x", "3921 bytes of data"),
        (lambda raw: gzip.compress(raw)[:-20], "cut off or damaged"),
        (lambda raw: raw[:5], "not an idx file"),
        (lambda raw: b"\x89PNG" + raw, "not an idx file"),
        (lambda raw: raw[:8] + b"\0\0\0\x40" + raw[12:], r"images of \[64, 28\] pixels"),
    ],
)
def test_wrong_idx_files_get_one_sentence(folder, change, told):
    write_idx(folder / "digits", np.zeros([5, 28, 28]))
    (folder / "digits").write_bytes(change((folder / "digits").read_bytes()))
    with pytest.raises(InputError, match=told):
        formats.read_idx(folder / "digits", 3)


def test_pixels_are_the_averaged_central_square(folder):
    picture = np.random.default_rng(0).integers(0, 256, [8, 14, 3], dtype="uint8")
    Image.fromarray(picture).save(folder / "a.png")
    got = formats.read_pixels(folder / "a.png", 4)
    want = picture[:, 3:11].reshape(4, 2, 4, 2, 3).mean(axis=(1, 3)).transpose(2, 0, 1)
    assert got.shape == (3, 4, 4) and np.abs(got - want).max() <= 1
    with pytest.raises(InputError, match="a.png has 14x8 pixels, too few for 9x9"):
        formats.read_pixels(folder / "a.png", 9)


def test_a_folder_is_read_in_the_order_of_names_with_one_sentence_for_what_is_wrong(folder):
    with pytest.raises(InputError, match="has no images"):
        formats.read_folder(folder, 4)
    for value in (7, 3, 5):
        Image.new("L", (4, 4), value).save(folder / f"{value}.png")
    assert formats.read_folder(folder, 4)[:, 0, 0, 0].tolist() == [3, 5, 7]
    assert formats.read_folder(folder, 4, count=2).shape == (2, 3, 4, 4)
    raw = (folder / "5.png").read_bytes()
    for broken in (raw[:40], b"text"):
        (folder / "5.png").write_bytes(broken)
        with pytest.raises(InputError, match="5.png is cut off or not an image"):
            formats.read_folder(folder, 4)


def test_lmdb_is_named_where_it_is_missing(folder, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "lmdb", None)
    (folder / "bedroom_train_lmdb").mkdir()
    with pytest.raises(InputError, match=r"needs the package lmdb; install it with: pip install 'wgangp\[lsun\]'"):
        images.lsun_bedrooms(size=8)


def test_an_lsun_database_is_read_and_kept(folder):
    lmdb = pytest.importorskip("lmdb", reason="package lmdb (extra lsun) is not installed")
    import io

    path = folder / "bedroom_train_lmdb"
    with lmdb.open(str(path), map_size=1 << 24) as database, database.begin(write=True) as transaction:
        for value in range(20):
            file = io.BytesIO()
            Image.new("RGB", (24, 16), (10 * value, 0, 0)).save(file, "webp", lossless=True)
            transaction.put(f"{value:02d}".encode(), file.getvalue())
    some = images.lsun_bedrooms("train", size=8, count=10)
    assert some.images.shape == (9, 3, 8, 8) and some.images[:, 0, 0, 0].tolist() == [10 * v for v in range(9)]
    train, validation = images.lsun_bedrooms("train", size=8), images.lsun_bedrooms("validation", size=8)
    assert train.images[:, 0, 0, 0].tolist() == [10 * v for v in range(18)]
    assert validation.images[:, 0, 0, 0].tolist() == [180, 190]
    with lmdb.open(str(path), map_size=1 << 24) as database, database.begin(write=True) as transaction:
        transaction.put(b"00", b"not an image")
    assert images.lsun_bedrooms("train", size=8).sha256 == train.sha256
    with pytest.raises(InputError, match="bedroom_train_lmdb, key 00 is cut off or not an image"):
        images.lsun_bedrooms("train", size=4)
    assert sorted(file.name for file in folder.iterdir()) == ["bedroom_train_lmdb", "bedroom_train_lmdb_8.npy"]
    (folder / "bedroom_train_lmdb_8.npy").write_bytes(b"cut")
    with pytest.raises(InputError, match="bedroom_train_lmdb_8.npy is not a whole array"):
        images.lsun_bedrooms("train", size=8)


def test_a_foreign_folder_is_no_database(folder):
    pytest.importorskip("lmdb", reason="package lmdb (extra lsun) is not installed")
    (folder / "bedroom_train_lmdb").mkdir()
    with pytest.raises(InputError, match="is not an LSUN database"):
        images.lsun_bedrooms()
