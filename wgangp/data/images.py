"""Image data sets as arrays of bytes, and small embedded ones for when there is neither data nor a network."""

from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import islice

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits, load_sample_images

from wgangp.data import catalogue, download, formats
from wgangp.data.lmdb_file import Lmdb
from wgangp.errors import InputError
from wgangp.runtime import environment
from wgangp.runtime.files import array_sha256, reading, replacing
from wgangp.runtime.progress import Progress

CIFAR10_CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


@dataclass(frozen=True)
class Images:
    """A data set.

    Attributes:
        images: uint8 [n, channels, height, width]; may be a file on disk mapped into memory.
        labels: int64 [n], or None.
        name: "cifar10", "mnist", "lsun_bedroom" or "embedded"; the `dataset` of the rows of results.
    """

    images: np.ndarray
    labels: np.ndarray | None
    name: str

    @cached_property
    def sha256(self) -> str:
        """The digest of the images' bytes, in order."""
        return array_sha256(self.images)


def _check_split(split, splits):
    if split not in splits:
        raise InputError(f"split '{split}' is unknown; use one of {', '.join(splits)}.")


def cifar10(split: str = "train", fallback: bool = False) -> Images:
    """CIFAR-10.

    Args:
        split: "train" (50,000) or "test" (10,000, or fewer where the file has fewer).
        fallback: whether to take `embedded_patches` of 32 pixels if the data are missing.

    Returns:
        Images [n, 3, 32, 32] with labels 0 to 9.

    Raises:
        InputError: the data are missing or damaged.

    Source: tflib/cifar10.py (no flips, no augmentation).
    """
    _check_split(split, ("train", "test"))
    try:
        path = download.obtain("cifar10")
    except catalogue.Missing:
        if fallback and environment.may_embed():
            return embedded_patches(split, 32)
        raise
    return Images(*formats.read_cifar10(path, split), "cifar10")


def mnist(split: str = "train", fallback: bool = False) -> Images:
    """MNIST in the authors' split.

    Args:
        split: "train" (the first 50,000 training digits), "validation" (the other 10,000) or "test"
            (10,000, or fewer where the file has fewer).
        fallback: whether to take `embedded_digits` if the data are missing.

    Returns:
        Images [n, 1, 28, 28] with labels 0 to 9.

    Raises:
        InputError: the data are missing or damaged.

    Source: tflib/mnist.py (mnist.pkl.gz has this split).
    """
    _check_split(split, ("train", "validation", "test"))
    part = "test" if split == "test" else "train"
    try:
        images_path, labels_path = download.obtain(f"mnist_{part}_images"), download.obtain(f"mnist_{part}_labels")
    except catalogue.Missing:
        if fallback and environment.may_embed():
            return embedded_digits(split)
        raise
    images, labels = formats.read_idx(images_path, 3), formats.read_idx(labels_path, 1)
    if len(images) != len(labels) or labels.max(initial=0) > 9:
        raise InputError(
            f"{images_path} has {len(images)} digits and {labels_path} has {len(labels)} labels up to "
            f"{labels.max(initial=0)}: they are not a pair; fetch both again."
        )
    if part == "test" and len(images) > 10_000 or part == "train" and len(images) != 60_000:
        raise InputError(
            f"{images_path} has {len(images)} digits, not {'at most 10,000' if part == 'test' else '60,000'}: "
            "training and test files were swapped or cut off; fetch them again."
        )
    rows = {"train": slice(0, 50_000), "validation": slice(50_000, None), "test": slice(None)}[split]
    return Images(images[rows, None], labels[rows].astype("int64"), "mnist")


def lsun_bedrooms(split: str = "train", size: int = 64, count: int | None = None, fallback: bool = False) -> Images:
    """LSUN bedrooms: the central square of each, averaged down.

    They are read from the publisher's database (unpacked; what was read is kept beside it as an array, so that the next
    run starts at once) or from a folder of images. The last tenth, in the order of keys or names, is for validation.

    Args:
        split: "train" or "validation".
        size: height and width in pixels.
        count: how many images to use of both splits together; all when None (37 GB at 64 pixels).
        fallback: whether to take `embedded_patches` if the data are missing.

    Returns:
        Images [n, 3, size, size] without labels.

    Raises:
        InputError: the data are missing or damaged, or the images are too small.
    """
    _check_split(split, ("train", "validation"))
    if count is not None and count < 10:
        raise InputError(f"count is {count}; at least 10 images are needed for training and validation.")
    try:
        path = download.obtain("lsun_bedroom")
    except catalogue.Missing:
        if fallback and environment.may_embed():
            return embedded_patches(split, size)
        raise
    if path.suffix == ".zip":
        raise InputError(f"{path} is still packed; unpack it with: unzip {path} -d {path.parent}")
    read = _read_database if path.name == "bedroom_train_lmdb" else _read_folder
    images = read(path, size, count)
    if len(images) < 10:
        raise InputError(f"{path} has {len(images)} images; at least 10 are needed for training and validation.")
    validation = len(images) // 10
    return Images(images[:-validation] if split == "train" else images[-validation:], None, "lsun_bedroom")


@lru_cache(maxsize=2)  # a worker process runs many settings on the same images
def _read_cached_folder(modified, path, size, count):
    return formats.read_folder(path, size, count)


def _read_folder(path, size, count):
    return _read_cached_folder(path.stat().st_mtime_ns, path, size, count)


def _read_database(path, size, count):
    array_path, images = path.with_name(f"{path.name}_{size}.npy"), ()
    if array_path.exists():
        images = _map(array_path, size)
        if count is not None and count <= len(images):
            return images[:count]
    database = Lmdb(path)
    count = len(database) if count is None else min(count, len(database))
    if len(images) < count:
        header = {"descr": "|u1", "fortran_order": False, "shape": (count, 3, size, size)}
        with replacing(array_path) as file, Progress(f"reading {path.name}", count) as bar:
            np.lib.format.write_array_header_1_0(file, header)
            for chunk in formats.read_chunks(islice(database, count), size):
                file.write(chunk)
                for _ in chunk:
                    bar.update()
        images = _map(array_path, size)
    return images[:count]


def _map(path, size):
    with reading(path, "not a whole array"):
        images = np.load(path, mmap_mode="r", allow_pickle=False)
        kind = images.dtype, images.shape[1:], images.flags.c_contiguous
        if kind != ("uint8", (3, size, size), True) or images.offset + images.nbytes != path.stat().st_size:
            raise ValueError(f"{images.dtype} {list(images.shape)}")
        return images


def embedded_digits(split: str = "train") -> Images:
    """scikit-learn's 1,797 digits, 8x8 drawn at 20x20 in the middle of 28x28, in place of MNIST.

    Args:
        split: "train" (1,297), "validation" (250) or "test" (250).

    Returns:
        Images [n, 1, 28, 28] with labels 0 to 9, named "embedded".
    """
    _check_split(split, ("train", "validation", "test"))
    digits = load_digits()
    images = np.zeros([len(digits.images), 1, 28, 28], "uint8")
    for image, digit in zip(images, digits.images, strict=True):
        small = Image.fromarray((digit * 255 / 16).astype("uint8"))
        image[0, 4:24, 4:24] = small.resize((20, 20), Image.Resampling.BILINEAR)
    rows = {"train": slice(0, 1297), "validation": slice(1297, 1547), "test": slice(1547, None)}[split]
    return Images(images[rows], digits.target[rows].astype("int64"), "embedded")


def embedded_patches(split: str = "train", size: int = 32) -> Images:
    """Overlapping patches of scikit-learn's two photographs, in place of CIFAR-10 and LSUN.

    Args:
        split: "train" (from the left three quarters of each photograph), "test" or "validation" (from the
            right quarter).
        size: of the patches in pixels, 1 to 160; every eighth position is taken.

    Returns:
        Images [n, 3, size, size], named "embedded", with ten labels: the photograph, and the fifth that the
        patch's brightness falls into.
    """
    _check_split(split, ("train", "test", "validation"))
    if not 1 <= size <= 160:
        raise InputError(f"there are embedded patches of 1 to 160 pixels, not of {size}; use real data.")
    images, labels = [], []
    for number, photograph in enumerate(load_sample_images().images):
        edge = photograph.shape[1] * 3 // 4
        photograph = photograph[:, :edge] if split == "train" else photograph[:, edge:]
        windows = np.lib.stride_tricks.sliding_window_view(photograph, (size, size), axis=(0, 1))[::8, ::8]
        patches = windows.reshape(-1, 3, size, size)
        rank = patches.mean(axis=(1, 2, 3)).argsort(kind="stable").argsort(kind="stable")
        images.append(patches)
        labels.append(5 * number + rank * 5 // len(patches))
    return Images(np.concatenate(images), np.concatenate(labels).astype("int64"), "embedded")
