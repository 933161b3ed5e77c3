"""The publishers' file formats: CIFAR-10's pickles, MNIST's idx, folders of images."""

import gzip
import io
import math
import os
import tarfile
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from itertools import islice
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageOps

from wgangp.data import safe_pickle
from wgangp.errors import InputError
from wgangp.runtime.files import check_memory, reading

CIFAR10_TRAIN = tuple(f"data_batch_{i}" for i in range(1, 6))
CIFAR10_LABELS = {name: f"training batch {i} of 5" for i, name in enumerate(CIFAR10_TRAIN, 1)}
CIFAR10_LABELS["test_batch"] = "testing batch 1 of 1"
IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp")
IMAGE_FORMATS = ("PNG", "JPEG", "WEBP", "BMP")  # no others, whatever the name: Pillow runs Ghostscript for an EPS
IMAGE_MODES = ("1", "L", "P", "RGB", "LA", "PA", "RGBA")  # of 8 bits; Pillow cuts 16 bits off at 255
MOST_PIXELS = 2**24  # of an image; reading it takes up to 12 bytes for each
ONE_LARGE_IMAGE = threading.Lock()  # threads read images of more than 2^20 pixels one at a time, to save memory
NUMBERS = ("b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8")
# Most bytes of a file, unpacked; Python 3 writes two for each byte of a pixel in a batch of CIFAR-10.
CIFAR10_BATCH, MNIST_FILE = 64_000_000, 16 + 60_000 * 28 * 28


def open_unpacked(path: Path | str) -> BinaryIO:
    """Open a file for reading, through gzip if its first bytes are those of gzip.

    Args:
        path: of the file.
    """
    with open(path, "rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    return gzip.open(path) if packed else open(path, "rb")


def unpack(path: Path | str, limit: int) -> bytes:
    """Read a file and unpack it if gzip packed it, to its end, where the checksum of gzip is.

    Args:
        path: of the file.
        limit: the most bytes that such a file has; no more are unpacked.

    Returns:
        The unpacked bytes.

    Raises:
        InputError: it cannot be read, is damaged, or has more bytes.
    """
    with reading(path), open_unpacked(path) as file:
        raw = file.read(limit + 1)
    if len(raw) > limit:
        raise InputError(f"{path} holds more than the {limit:,} bytes of such a file; delete it and get it again.")
    return raw


class _Dtype:
    """A dtype of numbers in a pickle; its state gives the byte order."""

    def __init__(self, code, *_):
        code = code.decode("latin1") if isinstance(code, bytes) else code
        if not isinstance(code, str) or code not in NUMBERS:
            raise ValueError("an array of something else than numbers")
        self.dtype = np.dtype(code)

    def __setstate__(self, state):
        order = state[1].decode("latin1") if isinstance(state[1], bytes) else state[1]
        if not isinstance(order, str) or order not in ("<", ">", "|", "="):
            raise ValueError("a byte order that does not exist")
        self.dtype = self.dtype.newbyteorder(order)


class _Array(np.ndarray):
    """An array in a pickle, checked before numpy sees its state: numpy reads beyond the end of too few bytes."""

    def __setstate__(self, state):
        shape, dtype, fortran, raw = state[-4:]
        if not (isinstance(shape, tuple) and isinstance(dtype, _Dtype) and isinstance(raw, bytes)):
            raise ValueError("an array of something else than numbers")
        if len(shape) > 32 or not all(type(n) is int and 0 <= n < 1 << 31 for n in shape):
            raise ValueError("an array without a shape")
        if math.prod(shape) * dtype.dtype.itemsize != len(raw):
            raise ValueError(f"an array of {list(shape)} in {len(raw)} bytes")
        super().__setstate__((1, shape, dtype.dtype, bool(fortran), raw))


def _array(*_):
    return _Array(0, "u1")  # its state (shape, dtype, bytes) follows in the pickle


def _encode(text, _):
    return text.encode("latin1")


# The names that numpy arrays and byte strings need in pickles of Python 2 and 3.
ARRAYS = {
    ("numpy.core.multiarray", "_reconstruct"): _array,
    ("numpy._core.multiarray", "_reconstruct"): _array,
    ("numpy", "ndarray"): "ndarray",
    ("numpy", "dtype"): _Dtype,
    ("_codecs", "encode"): _encode,
    ("__builtin__", "bytes"): lambda: b"",
}


def read_cifar10(path: Path | str, split: str) -> tuple[np.ndarray, np.ndarray]:
    """CIFAR-10 from the publisher's python version.

    Args:
        path: cifar-10-python.tar.gz, or the folder cifar-10-batches-py that it unpacks to.
        split: "train" (data_batch_1 to 5) or "test" (test_batch).

    Returns:
        Images uint8 [n, 3, 32, 32] and labels int64 [n] in 0 to 9; n is 50,000, or at most 10,000 for test.

    Raises:
        InputError: the file is cut off, swapped with another, something else, or calls what it should not.
    """
    names = CIFAR10_TRAIN if split == "train" else ("test_batch",)
    images = np.empty([10_000 * len(names), 3, 32, 32], "uint8")
    labels = np.empty(len(images), "int64")
    count, missing = 0, set(names)
    for name, raw in _cifar10_members(path, names):
        if name not in missing:
            raise InputError(f"{path} has the file {name} twice; delete it and fetch it again.")
        rows, row_labels = _cifar10_batch(raw, f"{path}/{name}", name)
        start = 10_000 * names.index(name)
        images[start : start + len(rows)], labels[start : start + len(rows)] = rows, row_labels
        count += len(rows)
        missing.discard(name)
    if missing:
        raise InputError(
            f"{path} has no file {min(missing)}: it is not the python version of CIFAR-10; "
            "delete it and fetch it again."
        )
    return images[:count], labels[:count]


class _Archive:
    """A file that gives no more than a batch at a time: the headers of a tar can ask for any number of bytes."""

    def __init__(self, file):
        self.file, self.seek, self.tell = file, file.seek, file.tell

    def read(self, size):
        if size > CIFAR10_BATCH:
            raise ValueError(f"{size} bytes in a piece")
        return self.file.read(size)


def _cifar10_members(path, names):
    if path.is_dir():
        for name in names:
            if (path / name).is_file():
                yield name, unpack(path / name, CIFAR10_BATCH)
        return
    with reading(path, "cut off or not a .tar.gz"), open_unpacked(path) as file:
        with tarfile.open(fileobj=_Archive(file), mode="r:") as tar:
            for count, member in enumerate(tar):
                name = Path(member.name).name
                if count == 100 or member.size > CIFAR10_BATCH:
                    raise ValueError("more or larger files than CIFAR-10 has")
                if member.isfile() and name in names:
                    yield name, tar.extractfile(member).read()
        while file.read(1 << 20):  # to the end, where gzip's checksum is
            if file.tell() > 10 * CIFAR10_BATCH:
                raise ValueError("more bytes than CIFAR-10 has")


def _cifar10_batch(raw, where, name):
    batch = safe_pickle.load(io.BytesIO(raw), ARRAYS, encoding="bytes", name=where)
    batch = batch if isinstance(batch, dict) else {}
    data, labels = batch.get(b"data"), batch.get(b"labels")
    whole = isinstance(data, np.ndarray) and data.dtype == np.uint8 and data.ndim == 2 and data.shape[1] == 3072
    whole = whole and isinstance(labels, list) and len(labels) == len(data)
    if not whole or not all(isinstance(label, int) and 0 <= label <= 9 for label in labels):
        raise InputError(
            f"{where} is not a CIFAR-10 batch (data uint8 [n, 3072], as many labels in 0 to 9); "
            "delete it and fetch it again."
        )
    given_label = batch.get(b"batch_label", b"")
    given_label = given_label.decode("latin1") if isinstance(given_label, bytes) else ""
    for other, label in CIFAR10_LABELS.items():
        if given_label in (other, label) and other != name:
            raise InputError(f"{where} holds {other} ('{given_label}'): the files were swapped; fetch CIFAR-10 again.")
    if len(data) > 10_000 or (len(data) < 10_000 and name != "test_batch"):
        raise InputError(f"{where} has {len(data)} images, not 10,000; delete it and fetch it again.")
    return data.reshape(-1, 3, 32, 32), labels


def read_idx(path: Path | str, dimensions: int) -> np.ndarray:
    """Read an MNIST file, packed by gzip or not.

    Args:
        path: such as train-images-idx3-ubyte.gz.
        dimensions: 3 for images, 1 for labels.

    Returns:
        uint8 [n, 28, 28] or [n].

    Raises:
        InputError: the file cannot be read, is cut off, damaged, swapped with another or something else.
    """
    raw = unpack(path, MNIST_FILE)
    if raw[:3] != b"\0\0\x08" or raw[3:4] not in (b"\1", b"\3") or len(raw) < 4 + 4 * raw[3]:
        raise InputError(f"{path} is not an idx file of MNIST; delete it and fetch it again.")
    if raw[3] != dimensions:
        kinds = {1: "labels", 3: "images"}
        raise InputError(f"{path} holds {kinds[raw[3]]}, not {kinds[dimensions]}: the files were swapped; rename them.")
    header = 4 + 4 * dimensions
    shape = np.frombuffer(raw[4:header], ">u4").tolist()
    if shape[1:] != [28, 28][: dimensions - 1]:
        raise InputError(f"{path} has images of {shape[1:]} pixels, not [28, 28]; delete it and fetch it again.")
    if len(raw) - header != math.prod(shape):
        raise InputError(
            f"{path} has {len(raw) - header} bytes of data where its header says {math.prod(shape)}; "
            "delete it and fetch it again."
        )
    return np.frombuffer(raw, "u1", offset=header).reshape(shape)


@contextmanager
def open_image(file: Path | str | BinaryIO, where: Path | str) -> Iterator[Image.Image]:
    """Open an image without unpacking its pixels yet.

    Args:
        file: a path or an open stream of an image file.
        where: what messages call the image.

    Yields:
        A PIL.Image.

    Raises:
        InputError: not an image, cut off, too large, several images in one, or of more than 8 bits a channel.
    """
    with reading(where, "cut off or not an image"), Image.open(file, formats=IMAGE_FORMATS) as image:
        if image.width * image.height > MOST_PIXELS:
            raise InputError(
                f"{where} has {image.width}x{image.height} pixels; scale it down to at most {MOST_PIXELS:,} in all."
            )
        if getattr(image, "is_animated", False):
            raise InputError(f"{where} has {image.n_frames} images in one; save each as a file of its own.")
        if image.mode not in IMAGE_MODES:
            raise InputError(f"{where} has pixels of mode {image.mode}; save it as RGB or grey of 8 bits.")
        yield image


def read_pixels(file: Path | str | BinaryIO, size: int, where: Path | str | None = None) -> np.ndarray:
    """Read one image: its central square, averaged down to the wanted size.

    It is turned as its EXIF orientation says; an alpha channel that is opaque everywhere is left out. Checksums show
    damage to a PNG; JPEG, WebP and BMP have none, so that damage to their pixels alone is not noticed.

    Args:
        file: a path or an open stream of an image file.
        size: height and width of the result, at most those of the image.
        where: what messages call the image; the path when None.

    Returns:
        uint8 [3, size, size].

    Raises:
        InputError: as of `open_image`; or it has transparent pixels, or is too small.
    """
    where = where or file
    with open_image(file, where) as image:
        if image.format == "PNG":
            image.verify()
        is_large = image.width * image.height > 2**20
    if not isinstance(file, (str, Path)):
        file.seek(0)
    with ONE_LARGE_IMAGE if is_large else nullcontext(), open_image(file, where) as image:
        ImageOps.exif_transpose(image, in_place=True)
        if image.has_transparency_data and image.convert("RGBA").getchannel("A").getextrema()[0] < 255:
            raise InputError(f"{where} has transparent pixels; save it without transparency.")
        image = image.convert("RGB")
    side = min(image.size)
    if side < size:
        raise InputError(
            f"{where} has {image.width}x{image.height} pixels, too few for {size}x{size}; use larger ones."
        )
    left, top = (image.width - side) // 2, (image.height - side) // 2
    if image.size != (size, size):
        image = image.resize((size, size), Image.Resampling.BOX, (left, top, left + side, top + side))
    return np.asarray(image).transpose(2, 0, 1)


def list_images(folder: Path | str) -> tuple[list[Path], str]:
    """List the images in a folder and its subfolders, except for hidden ones.

    Args:
        folder: its path.

    Returns:
        The sorted paths of .png, .jpg, .jpeg, .webp and .bmp files, and how many other files there are, such as
        "2 .txt"; "" for none.

    Raises:
        InputError: there are no images, or a folder cannot be read.
    """

    def refuse(error):
        raise InputError(f"{error.filename} cannot be read: {error.strerror}.")

    paths, others = [], Counter()
    for parent, folders, names in os.walk(folder, onerror=refuse):
        links = [name for name in folders if os.path.islink(os.path.join(parent, name))]  # not followed
        for path in (Path(parent, name) for name in names + links):
            if any(part.startswith(".") for part in path.relative_to(folder).parts):
                others["hidden"] += 1
            elif path.suffix.lower() in IMAGE_SUFFIXES and path.is_file():
                paths.append(path)
            else:
                others[path.suffix.lower() or "without extension"] += 1
    left_out = ", ".join(f"{count} {kind}" for kind, count in sorted(others.items()))
    if not paths:
        only = f", only {left_out}" if left_out else ""
        raise InputError(f"{folder} has no images ({', '.join(IMAGE_SUFFIXES)}){only}; put them there.")
    return sorted(paths), left_out


def read_folder(
    folder: Path | str, size: int | None = None, count: int | None = None, say: Callable[[str], None] = print
) -> np.ndarray:
    """Read the images in a folder, in the order of their names.

    Args:
        folder: as for `list_images`.
        size: height and width of the result; when None, the shorter side of the smallest image.
        count: the most images to read; all when None.
        say: called with one line if files are left out, and with one if images are cut although size is None.

    Returns:
        uint8 [n, 3, size, size].

    Raises:
        InputError: as of `list_images` and `read_pixels`.
    """
    files, left_out = list_images(folder)
    files = files[:count]
    if left_out:
        say(f"{folder}: {len(files)} images; left out: {left_out}.")
    if size is None:
        sizes = set()
        for file in files:
            with open_image(file, file) as image:
                sizes.add(image.size)
        size = min(map(min, sizes))
        if sizes != {(size, size)}:
            say(f"{folder}: images of other sizes are cut to their central square and averaged down to {size}x{size}.")
    check_memory(len(files) * 3 * size**2, f"{len(files)} images of {size}x{size} pixels")
    images, done = np.empty([len(files), 3, size, size], "uint8"), 0
    for chunk in read_chunks(((file, file) for file in files), size):
        images[done : done + len(chunk)] = chunk
        done += len(chunk)
    return images


def read_chunks(items: Iterable[tuple], size: int) -> Iterator[np.ndarray]:
    """Read many images with several threads.

    Args:
        items: pairs of a path or stream, and what messages call the image.
        size: height and width of the result.

    Yields:
        uint8 [at most 1024, 3, size, size], in order.

    Raises:
        InputError: as of `read_pixels`.
    """
    items = iter(items)
    with ThreadPoolExecutor() as pool:
        while chunk := list(islice(items, 1024)):
            images = np.empty([len(chunk), 3, size, size], "uint8")
            for i, pixels in enumerate(pool.map(lambda item: read_pixels(item[0], size, item[1]), chunk)):
                images[i] = pixels
            yield images
