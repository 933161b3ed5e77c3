"""Numbered batches of whatever the user trains on."""

import random
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import paddle
import paddle.nn.functional as F
from paddle.io.dataloader.collate import default_collate_fn
from paddle.io.dataloader.worker import _DatasetKind

from wgangp.errors import InputError, check_number
from wgangp.runtime.files import array_sha256

Batch = paddle.Tensor | tuple[paddle.Tensor, paddle.Tensor]  # samples, or samples and labels

SCALINGS = {
    "resnet": lambda x: 2 * (x / 256 - 0.5) + paddle.uniform(x.shape, min=0.0, max=1 / 128),
    "dcgan": lambda x: 2 * (x / 255 - 0.5),
    "unit": lambda x: x / 255,
}


def scale(pixels: paddle.Tensor, scaling: str) -> paddle.Tensor:
    """Turn bytes into the numbers that a network is trained on.

    Args:
        pixels: tensor uint8 [n, ...].
        scaling: "resnet" (-1 to 1, with noise of one grey level from Paddle's random numbers), "dcgan"
            (-1 to 1) or "unit" (0 to 1, MNIST).

    Returns:
        float32 [n, ...].

    Source: gan_cifar_resnet.py lines 194-195, gan_cifar.py line 92, tflib/mnist.py.
    """
    return SCALINGS[scaling](pixels.astype("float32"))


def to_bytes(samples: np.ndarray, scaling: str) -> np.ndarray:
    """Turn a generator's samples into images of bytes, as the authors do before scoring.

    Args:
        samples: [n, ...] in the range of the scaling; values outside of it are clipped.
        scaling: as in `scale`.

    Returns:
        uint8 [n, ...].

    Raises:
        InputError: an unknown scaling, or NaN or infinite values, which would become black.

    Source: gan_cifar_resnet.py line 361 ("resnet"), gan_cifar.py line 165 ("dcgan").
    """
    if scaling not in SCALINGS:
        raise InputError(f"scaling {scaling!r} is unknown; use one of {', '.join(SCALINGS)}.")
    if not np.isfinite(samples).all():
        raise InputError("the generated samples have NaN or infinite values; the training has diverged.")
    bytes_ = {"resnet": (samples + 1) * (255.99 / 2), "dcgan": (samples + 1) * (255 / 2), "unit": samples * 255.99}
    return np.clip(bytes_[scaling], 0, 255).astype("uint8")


def as_numbers(value: Any, what: str) -> np.ndarray:
    """Turn samples or labels into an array of real numbers.

    Args:
        value: an array, a tensor, or a list of them or of numbers.
        what: what messages call it, such as "batch 3 of train_data".

    Returns:
        An array of its own type; of a tensor of floating-point numbers, float32.

    Raises:
        InputError: it has masked values, is complex or ragged, or is not numbers at all.
    """
    if isinstance(value, dict):
        raise InputError(
            f"{what} is a dict ({', '.join(map(str, value))}); give arrays, or pairs of samples and labels."
        )
    if np.ma.is_masked(value):
        raise InputError(f"{what} has {np.ma.count_masked(value)} masked values; fill them in or leave them out.")
    try:
        if isinstance(value, list) and any(isinstance(item, (paddle.Tensor, np.ma.MaskedArray)) for item in value):
            array = np.stack([as_numbers(item, what) for item in value])
        elif isinstance(value, paddle.Tensor) and "float" in str(value.dtype):
            array = value.astype("float32").numpy()  # numpy has no bfloat16
        else:
            array = np.asarray(value)
    except InputError:
        raise
    except (TypeError, ValueError) as error:
        raise InputError(
            f"{what} is not one array of numbers ({error}); give equal shapes, and samples with labels as a tuple."
        ) from None
    if array.dtype.kind not in "fiub":
        raise InputError(f"{what} has dtype {array.dtype}; give numbers{' that are real' * (array.dtype.kind == 'c')}.")
    return array


def as_labels(labels: Any, n: int, classes: int | None = None, what: str = "train_data") -> np.ndarray:
    """Turn labels into integers.

    Args:
        labels: integers [n] or [n, 1], of any type, or one-hot vectors [n, classes].
        n: how many samples they belong to.
        classes: how many classes there are; None for any number.
        what: what messages call the samples.

    Returns:
        int64 [n].

    Raises:
        InputError: there are none, or they are not such labels.
    """
    if labels is None:
        raise InputError(f"{what} has no labels; give samples and labels.")
    labels = as_numbers(labels, f"the array of labels of {what}")
    if labels.ndim == 2 and labels.shape[1] > 1 and classes in (None, labels.shape[1]):
        if ((labels == 0) | (labels == 1)).all() and (labels.sum(axis=1) == 1).all():
            labels = labels.argmax(axis=1)
    if labels.shape not in ((n,), (n, 1)) or not np.isfinite(labels).all() or (labels != labels.round()).any():
        raise InputError(
            f"the labels of {what} are {labels.dtype} {list(labels.shape)} for {n} samples; give one for each: "
            "integers [n], or one-hot vectors [n, classes]."
        )
    labels = labels.reshape(n).astype("int64")
    if classes is not None and n and (labels.min() < 0 or labels.max() >= classes):
        raise InputError(f"there are labels from {labels.min()} to {labels.max()}; use 0 to {classes - 1}.")
    return labels


def split_labels(item: Any) -> tuple[Any, Any]:
    """Split a batch, or an item of a data set, into samples and labels.

    Args:
        item: samples; or a tuple, or a list of arrays or tensors, whose first element is the samples.

    Returns:
        The samples, and the labels or None.
    """
    if isinstance(item, (tuple, list)) and item and (isinstance(item, tuple) or hasattr(item[0], "__array__")):
        return item[0], item[1] if len(item) > 1 else None
    return item, None


@dataclass(frozen=True)
class ScaledImages:
    """Training images as bytes, which are turned into numbers batch by batch.

    Args:
        images: uint8 [n, channels, height, width].
        scaling: as in `scale`.
        labels: integers [n]; batches are then pairs (images, labels).

    Raises:
        InputError: the images are not bytes, the scaling is unknown, or there are not as many labels as images.
    """

    images: np.ndarray
    scaling: str
    labels: np.ndarray | None = None

    def __post_init__(self):
        images = as_numbers(self.images, "the array of images")
        if images.dtype != np.uint8 or images.ndim != 4:
            raise InputError(
                f"images are {images.dtype} {list(images.shape)}; give uint8 [n, channels, height, width]."
            )
        if self.scaling not in SCALINGS:
            raise InputError(f"scaling '{self.scaling}' is unknown; use one of {', '.join(SCALINGS)}.")
        if self.labels is not None and len(self.labels) != len(self.images):
            raise InputError(f"there are {len(self.images)} images and {len(self.labels)} labels; give as many.")


@dataclass(frozen=True)
class Characters:
    """Training text as the numbers of its characters, which become one-hot vectors batch by batch.

    Args:
        codes: uint8 [n, length].
        vocabulary: how many characters there are, more than the largest code.
    """

    codes: np.ndarray
    vocabulary: int


@contextmanager
def temporary_seed(sequence: np.random.SeedSequence) -> Iterator[None]:
    """A context with its own seed for the global random numbers of Paddle, numpy and Python, which continue after it.

    Args:
        sequence: gives the seed.
    """
    seed = int(sequence.generate_state(1)[0])
    before = paddle.get_rng_state(), np.random.get_state(), random.getstate()
    paddle.seed(seed), np.random.seed(seed), random.seed(seed)
    try:
        yield
    finally:
        paddle.set_rng_state(before[0]), np.random.set_state(before[1]), random.setstate(before[2])


def iterate_once(stream: Iterable) -> Iterator:
    """Iterate once over batches; those of a DataLoader without workers are read in this thread.

    Paddle would read them ahead in another thread, whose random numbers would mix with those of the training.

    Args:
        stream: an iterable of batches.

    Returns:
        An iterator.
    """
    if not isinstance(stream, paddle.io.DataLoader) or stream.num_workers or stream.batch_sampler is None:
        return iter(stream)
    collate = stream.collate_fn or default_collate_fn
    fetcher = _DatasetKind.create_fetcher(stream.dataset_kind, stream.dataset, True, collate, stream.drop_last)
    return map(fetcher.fetch, stream.batch_sampler)


class Shuffle:
    """The examples of batch k: reshuffled in each epoch, the remainder dropped (as in the authors' cifar10.py).

    Batch k depends on the seed and k alone, so that a resumed run needs no reading position.

    Args:
        n: number of examples.
        batch_size: examples per batch.
        seed: of the shuffles.

    Raises:
        InputError: there are fewer examples than the batch size.
    """

    def __init__(self, n: int, batch_size: int, seed: int):
        if batch_size > n:
            raise InputError(f"batch_size is {batch_size} but train_data has {n} samples; use a smaller batch.")
        self.n, self.batch_size, self.seed = n, batch_size, seed
        self.per_epoch = n // batch_size
        self.epoch, self.order = None, None

    def __call__(self, k: int) -> np.ndarray:
        epoch, i = divmod(k, self.per_epoch)
        if epoch != self.epoch:
            self.epoch = epoch
            self.order = np.random.default_rng([self.seed, epoch]).permutation(self.n)
        return self.order[i * self.batch_size : (i + 1) * self.batch_size]


class Batches:
    """Numbered batches: `draw(k)` draws an array on the host, and `load` turns it into batch k on the device.

    What is drawn is small (indices) or has to come from the host (samples); what `load` does can be part of a captured
    graph.

    Attributes:
        shape: of a sample of floating-point numbers; None before the first.
        classes: None, or how many classes the labels have. Samples are then drawn as flat vectors, each with its label
            as the last number.
    """

    shape = classes = None

    def load(self, drawn: paddle.Tensor) -> Batch:
        if self.classes is None:
            return drawn
        samples, labels = drawn.split([drawn.shape[1] - 1, 1], axis=1)
        return samples.reshape([-1, *self.shape]), labels.reshape([-1]).astype("int64")

    def __call__(self, k: int) -> Batch:
        return self.load(paddle.to_tensor(self.draw(k)))

    def check_samples(self, samples: Any, what: str) -> np.ndarray:
        """Turn samples into float32 and check that they are finite and have the shape of those before.

        Args:
            samples: [n, ...].
            what: what messages call them.

        Returns:
            float32 [n, ...].

        Raises:
            InputError: there are none, they are not finite numbers, or their shape is another.
        """
        samples = as_numbers(samples, what)
        if samples.ndim == 0 or samples.size == 0:
            raise InputError(f"{what} is empty; give at least one sample, [n, ...].")
        if self.shape not in (None, samples.shape[1:]):
            raise InputError(
                f"{what} has samples of shape {list(samples.shape[1:])}, those before have {list(self.shape)}."
            )
        self.shape = samples.shape[1:]
        with np.errstate(over="ignore"):  # an error follows below
            samples = samples.astype("float32", copy=False)
        unusable = ~np.isfinite(samples.reshape(len(samples), -1)).all(axis=1)
        if unusable.any():
            raise InputError(
                f"{what} has NaN or infinite values in {unusable.sum()} of {len(samples)} samples (the first "
                f"is number {unusable.argmax()}); remove them."
            )
        return samples

    def append_labels(self, samples: np.ndarray, labels: Any, what: str) -> np.ndarray:
        """Append its label to each sample, as a last number, where there are classes.

        Args:
            samples: float32 [n, ...].
            labels: as of `as_labels`.
            what: what messages call the samples.

        Returns:
            The samples; with classes, float32 [n, size + 1].
        """
        if self.classes is None:
            return samples
        labels = as_labels(labels, len(samples), self.classes, what)
        return np.concatenate([samples.reshape(len(samples), -1), labels[:, None].astype("float32")], axis=1)


class ImageBatches(Batches):
    """Batches of images that lie on the device as bytes, shuffled as `Shuffle` says.

    Args:
        data: the images.
        batch_size: examples per batch, 1 to n.
        seed: of the shuffles; the noise of a scaling comes from Paddle's random numbers, which the training loop seeds
            in every iteration.
        classes: how many classes the labels have, where labels are needed.
    """

    def __init__(self, data: ScaledImages, batch_size: int, seed: int, classes: int | None = None):
        self.shuffle = Shuffle(len(data.images), batch_size, seed)
        self.scaling, self.labels = data.scaling, None
        images = np.ascontiguousarray(data.images)
        self.description = f"images {list(images.shape)}, {self.scaling}, sha256 {array_sha256(images)[:16]}"
        self.images = paddle.to_tensor(images)
        if data.labels is not None or classes is not None:
            labels = as_labels(data.labels, len(images), classes)
            self.description += f", labels sha256 {array_sha256(labels)[:16]}"
            self.labels = paddle.to_tensor(labels)

    def draw(self, k: int) -> np.ndarray:
        return self.shuffle(k)

    def load(self, chosen: paddle.Tensor) -> Batch:
        images = scale(paddle.gather(self.images, chosen), self.scaling)
        return images if self.labels is None else (images, paddle.gather(self.labels, chosen))

    def describe(self) -> str:
        return self.description


class CharacterBatches(Batches):
    """Batches of text that lies on the device as bytes, shuffled as `Shuffle` says.

    Args:
        data: the text.
        batch_size: examples per batch, 1 to n.
        seed: of the shuffles.
    """

    def __init__(self, data: Characters, batch_size: int, seed: int):
        self.shuffle, self.vocabulary = Shuffle(len(data.codes), batch_size, seed), data.vocabulary
        codes = np.ascontiguousarray(data.codes)
        self.description = f"characters {list(codes.shape)} of {data.vocabulary}, sha256 {array_sha256(codes)[:16]}"
        self.codes = paddle.to_tensor(codes)

    def draw(self, k: int) -> np.ndarray:
        return self.shuffle(k)

    def load(self, chosen: paddle.Tensor) -> paddle.Tensor:
        return F.one_hot(paddle.gather(self.codes, chosen).astype("int64"), self.vocabulary)

    def describe(self) -> str:
        return self.description


class ArrayBatches(Batches):
    """Batches of an array, shuffled as `Shuffle` says.

    Args:
        samples: [n, ...].
        batch_size: examples per batch, 1 to n.
        seed: of the shuffles.
        labels: as of `as_labels`.
        classes: how many classes they have, where batches are to have labels.
    """

    def __init__(self, samples: Any, batch_size: int, seed: int, labels: Any = None, classes: int | None = None):
        self.classes = classes
        self.array = self.append_labels(self.check_samples(samples, "train_data"), labels, "train_data")
        self.shuffle = Shuffle(len(self.array), batch_size, seed)

    def draw(self, k: int) -> np.ndarray:
        return self.array[self.shuffle(k)]

    def describe(self) -> str:
        return f"array {list(self.array.shape)}, sha256 {array_sha256(self.array)[:16]}"


class StreamBatches(Batches):
    """Batches of an iterable, in its own order; when it ends, it is iterated again.

    While batch k is read, the seed and k determine the global random numbers of Paddle, numpy and Python, which a
    DataLoader uses for its order and augmentations. A resumed run skips the batches that it has already used.

    Args:
        stream: yields arrays or tensors [n, ...], or lists or tuples of samples and labels, as of `as_labels`.
        seed: of the random numbers.
        classes: how many classes the labels have, where batches are to have labels.
    """

    def __init__(self, stream: Iterable, seed: int, classes: int | None = None):
        self.stream, self.seed, self.classes = stream, seed, classes
        self.iterator, self.passes, self.position = iter(()), 0, 0
        self.batch = None

    def draw(self, k: int) -> np.ndarray:
        if self.position <= k:
            while self.position <= k:
                with temporary_seed(np.random.SeedSequence([self.seed, self.position], spawn_key=[1])):
                    batch = next(self.iterator, None)
                    if batch is None:
                        batch = self.start_pass()
                self.position += 1
            samples, labels = split_labels(batch)
            what = f"batch {k} of train_data"
            self.batch = self.append_labels(self.check_samples(samples, what), labels, what)
        return self.batch

    def start_pass(self) -> Any:
        """Start the next pass and return its first batch.

        Raises:
            InputError: the iterable cannot be iterated again.
        """
        sampler = getattr(self.stream, "batch_sampler", None)
        if hasattr(sampler, "set_epoch"):
            sampler.set_epoch(self.passes)
        self.passes += 1
        self.iterator = iterate_once(self.stream)
        batch = next(self.iterator, None)
        if batch is None:
            raise InputError(
                f"train_data ended after {self.position} batches; give one that can be iterated "
                "again, or enough batches for iterations x critic_iters."
            )
        return batch

    def describe(self) -> str:
        return f"stream {type(self.stream).__name__}"


class SampledBatches(Batches):
    """Batches of new samples of a distribution with a method `sample(n, rng)`.

    Args:
        distribution: such as `wgangp.data.toy.Toy`; it may have a `name`, and a number `reuse`: how many batches in a
            row are the same draw.
        batch_size: examples per batch.
        seed: of the draws; batch k depends on the seed and k alone.
    """

    def __init__(self, distribution: Any, batch_size: int, seed: int):
        self.distribution, self.batch_size, self.seed = distribution, batch_size, seed
        self.name = getattr(distribution, "name", type(distribution).__name__)
        self.reuse = check_number("train_data.reuse", getattr(distribution, "reuse", 1), at_least=1, whole=True)
        self.draw_number, self.batch = None, None

    def draw(self, k: int) -> np.ndarray:
        i = k // self.reuse
        if i != self.draw_number:
            rng = np.random.default_rng([self.seed, i])
            try:
                drawn = self.distribution.sample(self.batch_size, rng)
            except TypeError as error:
                raise InputError(f"train_data.sample({self.batch_size}, rng) cannot be called: {error}.") from error
            self.draw_number, self.batch = i, self.check_samples(drawn, "the return value of train_data.sample(n, rng)")
            if len(self.batch) != self.batch_size:
                raise InputError(f"train_data.sample({self.batch_size}, rng) returns {len(self.batch)} samples.")
        return self.batch

    def describe(self) -> str:
        return f"samples of {self.name}, each batch used {self.reuse} times"


def as_batches(train_data: Any, batch_size: int, seed: int, classes: int | None = None) -> Batches:
    """Turn training data into numbered batches.

    Args:
        train_data: an array, tensor or data frame [n, ...]; a pair of samples [n, ...] and labels, as of `as_labels`;
            ScaledImages; Characters; a paddle.io.Dataset (a map-style one is read whole; an item is a sample, or begins
            with a sample and its label); a paddle.io.DataLoader or an iterator of batches, which may begin with samples
            and labels; or an object with `sample(n, rng)`.
        batch_size: examples per batch (loaders and iterators have their own).
        seed: of shuffles and draws.
        classes: how many classes the labels have, where batches are to have labels; without it labels are left out.

    Returns:
        Batches; batch k is float32 [batch_size, ...]. For ScaledImages with labels, and where there are classes, it is
        a pair with the labels, int64 [batch_size].

    Raises:
        InputError: the data cannot be trained on: they are empty, masked or complex, have NaN or infinite values, or
            are fewer than the batch size.
    """
    batch_size = check_number("batch_size", batch_size, at_least=1, whole=True)
    if isinstance(train_data, ScaledImages):
        return ImageBatches(train_data, batch_size, seed, classes)
    if isinstance(train_data, Characters):
        return CharacterBatches(train_data, batch_size, seed)
    if isinstance(train_data, tuple):
        if len(train_data) != 2:
            raise InputError(
                f"train_data is a tuple of {len(train_data)}; give samples, (samples, labels), or iter(...) of batches."
            )
        batches = ArrayBatches(train_data[0], batch_size, seed, train_data[1], classes)
        as_labels(train_data[1], len(batches.array))  # checked even if left out: the tuple may be two batches
        return batches
    if hasattr(train_data, "__array__") or isinstance(train_data, list):
        return ArrayBatches(train_data, batch_size, seed, classes=classes)
    if isinstance(train_data, paddle.io.IterableDataset):
        return StreamBatches(paddle.io.DataLoader(train_data, batch_size=batch_size), seed, classes)
    if isinstance(train_data, paddle.io.Dataset):
        if type(train_data).__len__ is paddle.io.Dataset.__len__:
            raise InputError(f"the data set {type(train_data).__name__} has no __len__; add it.")
        with temporary_seed(np.random.SeedSequence(seed, spawn_key=[1])):
            items = [split_labels(train_data[i]) for i in range(len(train_data))]
        samples = [as_numbers(sample, f"sample {i} of train_data") for i, (sample, _) in enumerate(items)]
        labels = [label for _, label in items] if items and items[0][1] is not None else None
        return ArrayBatches(samples, batch_size, seed, labels, classes)
    if callable(getattr(train_data, "sample", None)):
        return SampledBatches(train_data, batch_size, seed)
    if hasattr(train_data, "__iter__") and not isinstance(train_data, (dict, str, bytes)):
        return StreamBatches(train_data, seed, classes)
    raise InputError(
        f"train_data is a {type(train_data).__name__}; give an array, (samples, labels), a paddle.io.Dataset, a "
        "DataLoader or an iterator of batches."
    )
