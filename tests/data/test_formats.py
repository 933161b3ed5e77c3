import gzip
import pickle
import tarfile

import numpy as np
import pytest
from PIL import Image
from publishers import cifar10_batch, whole_cifar10, write_cifar10, write_idx

from wgangp import InputError
from wgangp.data import formats, images, text


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


def test_a_file_that_is_twice_in_the_archive_is_refused(folder):
    path = write_cifar10(folder, test_batch=cifar10_batch("test_batch", 3))
    archive = folder / "cifar.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(path / "test_batch", "a/test_batch")
        tar.add(path / "test_batch", "b/test_batch")
    with pytest.raises(InputError, match="has the file test_batch twice"):
        formats.read_cifar10(archive, "test")


def test_rows_of_cifar10_are_red_green_blue_planes(folder):
    data = np.arange(3072) // 12 % 256
    batch = cifar10_batch("test_batch", 1) | {"data": data.astype("uint8")[None]}
    pixels, _ = formats.read_cifar10(write_cifar10(folder, test_batch=batch), "test")
    assert pixels.shape == (1, 3, 32, 32)
    assert pixels[0, 1, 2, 3] == (1024 + 2 * 32 + 3) // 12 % 256


@pytest.mark.parametrize(
    "batch, message",
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
def test_wrong_cifar10_files_get_one_sentence(folder, batch, message):
    with pytest.raises(InputError, match=message):
        formats.read_cifar10(write_cifar10(folder, test_batch=batch), "test")


def test_another_archive_is_reported(folder):
    path = write_cifar10(folder, train={"data": np.zeros([2, 3072], "uint8"), "fine_labels": [1, 2]})
    with pytest.raises(InputError, match="no file data_batch_1: it is not the python version of CIFAR-10"):
        formats.read_cifar10(path, "train")


def test_a_short_train_batch_is_reported(folder):
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
    "change, message",
    [
        (lambda raw: raw[:-1], "3919 bytes of data where its header says 3920"),
        (lambda raw: raw + b"x", "3921 bytes of data"),
        (lambda raw: gzip.compress(raw)[:-20], "cut off or damaged"),
        (lambda raw: raw[:5], "not an idx file"),
        (lambda raw: b"\x89PNG" + raw, "not an idx file"),
        (lambda raw: raw[:8] + b"\0\0\0\x40" + raw[12:], r"images of \[64, 28\] pixels"),
    ],
)
def test_wrong_idx_files_get_one_sentence(folder, change, message):
    write_idx(folder / "digits", np.zeros([5, 28, 28]))
    (folder / "digits").write_bytes(change((folder / "digits").read_bytes()))
    with pytest.raises(InputError, match=message):
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


@pytest.mark.parametrize("at", [-8, -5, -4, -1, 300, 2000])
def test_a_damaged_archive_of_cifar10_is_refused(folder, at):
    batch = cifar10_batch("test_batch", 3) | {"data": np.random.default_rng(0).integers(0, 256, [3, 3072], "uint8")}
    archive = folder / "cifar-10-python.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(write_cifar10(folder, test_batch=batch), "cifar-10-batches-py")
    raw = bytearray(archive.read_bytes())
    assert (formats.read_cifar10(archive, "test")[0].reshape(3, -1) == batch["data"]).all()
    raw[at] ^= 4
    archive.write_bytes(raw)
    with pytest.raises(InputError, match=r"cifar-10-python.tar.gz(/test_batch)? is (cut off|not)"):
        formats.read_cifar10(archive, "test")


@pytest.mark.parametrize("start", [b"", b"\0\0\x08\3\xff\xff\xff\xff\0\0\0\x1c\0\0\0\x1c"])
@pytest.mark.parametrize(
    "read", [lambda path: formats.read_idx(path, 3), lambda path: formats.read_cifar10(path, "test")]
)
def test_what_unpacks_to_gigabytes_is_not_unpacked(folder, memory, read, start):
    (folder / "file.gz").write_bytes(gzip.compress(start) + gzip.compress(bytes(10_000_000), 1) * 400)

    def refused():
        with pytest.raises(InputError, match="file.gz (holds more than the .* bytes of such a file|is cut off)"):
            read(folder / "file.gz")

    assert memory(refused) < 500_000_000


@pytest.mark.parametrize("kind", [tarfile.REGTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.XHDTYPE, tarfile.GNUTYPE_SPARSE])
def test_an_archive_that_says_it_holds_gigabytes_is_refused(folder, memory, kind):
    member = tarfile.TarInfo("cifar-10-batches-py/test_batch")
    member.type, member.size = kind, 6_000_000_000
    header = bytearray(member.tobuf(tarfile.GNU_FORMAT))
    if kind == tarfile.GNUTYPE_SPARSE:
        header[483:495] = header[124:136]  # what it unpacks to
        header[124:136] = b"%011o\0" % 512
        header[148:156] = b"%06o\0 " % (sum(header[:148]) + 8 * 32 + sum(header[156:]))
    (folder / "cifar.tar.gz").write_bytes(gzip.compress(bytes(header) + bytes(10_000)))

    def refused():
        with pytest.raises(InputError, match="cifar.tar.gz"):
            formats.read_cifar10(folder / "cifar.tar.gz", "test")

    assert memory(refused) < 500_000_000


@pytest.mark.parametrize(
    "name, load",
    [
        ("cifar-10-python.tar.gz", images.cifar10),
        ("train-images-idx3-ubyte.gz", images.mnist),
        ("train-labels-idx1-ubyte.gz", images.mnist),
        ("billionword_heldout00.txt", text.read),
        ("bedroom_train_lmdb", images.lsun_bedrooms),
        ("bedroom_train_lmdb/data.mdb", images.lsun_bedrooms),
    ],
)
def test_a_folder_in_the_place_of_a_file_is_reported(folder, name, load):
    write_idx(folder / "train-images-idx3-ubyte", np.zeros([1, 28, 28]))
    write_idx(folder / "train-labels-idx1-ubyte", np.zeros([1]))
    (folder / name).mkdir(parents=True)
    with pytest.raises(InputError, match=name.split("/")[0]):
        load()


def test_idx_headers_are_checked_at_every_length(folder):
    write_idx(folder / "digits", np.zeros([1, 28, 28]))
    raw = (folder / "digits").read_bytes()
    for length in range(20):
        (folder / "digits").write_bytes(raw[:length])
        with pytest.raises(InputError, match="digits (is not an idx file|has)"):
            formats.read_idx(folder / "digits", 3)
