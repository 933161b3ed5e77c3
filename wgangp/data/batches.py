"""Turns what the user trains on into numbered batches."""

from dataclasses import dataclass

import numpy as np
import paddle
import paddle.nn.functional as F

from wgangp.errors import InputError
from wgangp.files import array_sha256

SCALINGS = {
    "resnet": lambda x: 2 * (x / 256 - 0.5) + paddle.uniform(x.shape, min=0.0, max=1 / 128),
    "dcgan": lambda x: 2 * (x / 255 - 0.5),
    "unit": lambda x: x / 255,
}


def scale(pixels, scaling):
    """Turn bytes into what a network is trained on.

    Args:
        pixels: tensor uint8 [n, ...].
        scaling: "resnet" (-1 to 1, with noise of one grey level from Paddle's random numbers), "dcgan"
            (-1 to 1) or "unit" (0 to 1, MNIST).

    Returns:
        float32 [n, ...].

    Source: gan_cifar_resnet.py lines 194-195, gan_cifar.py line 92, tflib/mnist.py.
    """
    return SCALINGS[scaling](pixels.astype("float32"))


def to_bytes(samples, scaling):
    """Turn a generator's samples into images of bytes, as the authors do before scoring.

    Args:
        samples: [n, ...] in the range of the scaling; what is outside is cut.
        scaling: as in `scale`.

    Returns:
        uint8 [n, ...].

    Source: gan_cifar_resnet.py line 361 ("resnet"), gan_cifar.py line 165 ("dcgan").
    """
    bytes_ = {"resnet": (samples + 1) * (255.99 / 2), "dcgan": (samples + 1) * (255 / 2), "unit": samples * 255.99}
    return np.clip(bytes_[scaling], 0, 255).astype("uint8")


@dataclass(frozen=True)
class ScaledImages:
    """Training images as bytes, and how they are turned into numbers batch by batch.

    Args:
        images: uint8 [n, channels, height, width].
        scaling: as in `scale`.
        labels: integers [n]; batches are then pairs (images, labels).

    Raises:
        InputError: not bytes, an unknown scaling, or another number of labels than of images.
    """

    images: np.ndarray
    scaling: str
    labels: np.ndarray | None = None

    def __post_init__(self):
        if self.images.dtype != np.uint8 or self.images.ndim != 4:
            raise InputError(
                f"images are {self.images.dtype} {list(self.images.shape)}; give uint8 [n, channels, height, width]."
            )
        if self.scaling not in SCALINGS:
            raise InputError(f"scaling '{self.scaling}' is unknown; use one of {', '.join(SCALINGS)}.")
        if self.labels is not None and len(self.labels) != len(self.images):
            raise InputError(f"there are {len(self.images)} images and {len(self.labels)} labels; give as many.")


@dataclass(frozen=True)
class Characters:
    """Training text as numbers of characters, which become one-hot vectors batch by batch.

    Args:
        codes: uint8 [n, length].
        vocabulary: how many characters there are, more than the largest code.
    """

    codes: np.ndarray
    vocabulary: int


class Shuffle:
    """Which examples batch k has: reshuffled each epoch, the remainder dropped (the authors' cifar10.py).

    Batch k is a function of the seed and k alone, so that a resumed run needs no reading position.

    Args:
        n: number of examples.
        batch_size: examples per batch.
        seed: of the shuffles.

    Raises:
        InputError: there are fewer examples than a batch has.
    """

    def __init__(self, n, batch_size, seed):
        if batch_size > n:
            raise InputError(f"batch_size is {batch_size} but train_data has {n} samples; use a smaller batch.")
        self.n, self.batch_size, self.seed = n, batch_size, seed
        self.per_epoch = n // batch_size
        self.epoch, self.order = None, None

    def __call__(self, k):
        epoch, i = divmod(k, self.per_epoch)
        if epoch != self.epoch:
            self.epoch = epoch
            self.order = np.random.default_rng([self.seed, epoch]).permutation(self.n)
        return self.order[i * self.batch_size : (i + 1) * self.batch_size]


class Batches:
    """Numbered batches: `draw(k)` draws an array on the host, and `load` makes batch k of it on the device.

    What is drawn is small or has to come from the host, indices or samples; what `load` does can be
    part of a captured graph.
    """

    labels = None

    def load(self, drawn):
        return drawn

    def __call__(self, k):
        return self.load(paddle.to_tensor(self.draw(k)))


class ImageBatches(Batches):
    """Batches of images that lie on the device as bytes, shuffled as `Shuffle` says.

    Args:
        data: ScaledImages.
        batch_size: examples per batch, 1 to n.
        seed: of the shuffles; the noise of a scaling comes from Paddle's random numbers, which the training
            loop seeds in every iteration.
    """

    def __init__(self, data, batch_size, seed):
        self.shuffle = Shuffle(len(data.images), batch_size, seed)
        self.scaling = data.scaling
        images = np.ascontiguousarray(data.images)
        self.about = f"images {list(images.shape)}, {self.scaling}, sha256 {array_sha256(images)[:16]}"
        self.images = paddle.to_tensor(images)
        if data.labels is not None:
            labels = np.asarray(data.labels, "int64")
            self.about += f", labels sha256 {array_sha256(labels)[:16]}"
            self.labels = paddle.to_tensor(labels)

    def draw(self, k):
        return self.shuffle(k)

    def load(self, chosen):
        images = scale(paddle.gather(self.images, chosen), self.scaling)
        return images if self.labels is None else (images, paddle.gather(self.labels, chosen))

    def describe(self):
        return self.about


class CharacterBatches(Batches):
    """Batches of text that lies on the device as bytes, shuffled as `Shuffle` says.

    Args:
        data: Characters.
        batch_size: examples per batch, 1 to n.
        seed: of the shuffles.
    """

    def __init__(self, data, batch_size, seed):
        self.shuffle, self.vocabulary = Shuffle(len(data.codes), batch_size, seed), data.vocabulary
        codes = np.ascontiguousarray(data.codes)
        self.about = f"characters {list(codes.shape)} of {data.vocabulary}, sha256 {array_sha256(codes)[:16]}"
        self.codes = paddle.to_tensor(codes)

    def draw(self, k):
        return self.shuffle(k)

    def load(self, chosen):
        return F.one_hot(paddle.gather(self.codes, chosen).astype("int64"), self.vocabulary)

    def describe(self):
        return self.about


class ArrayBatches(Batches):
    """Batches of an array, shuffled as `Shuffle` says.

    Args:
        array: samples, [n, ...].
        batch_size: examples per batch, 1 to n.
        seed: of the shuffles.
    """

    def __init__(self, array, batch_size, seed):
        array = np.asarray(array)
        if array.ndim == 0 or len(array) == 0:
            raise InputError("train_data is empty; give at least batch_size samples.")
        if array.dtype == object or array.dtype.kind not in "fiub":
            raise InputError(f"train_data has dtype {array.dtype}; give numbers.")
        array = array.astype("float32", copy=False)
        bad = ~np.isfinite(array.reshape(len(array), -1)).all(axis=1)
        if bad.any():
            raise InputError(
                f"train_data has NaN or infinite values in {bad.sum()} of {len(array)} samples (the first "
                f"is number {bad.argmax()}); remove them."
            )
        self.array, self.shuffle = array, Shuffle(len(array), batch_size, seed)

    def draw(self, k):
        return self.array[self.shuffle(k)]

    def describe(self):
        return f"array {list(self.array.shape)}, sha256 {array_sha256(self.array)[:16]}"


class StreamBatches(Batches):
    """Batches of an iterable, in its own order, begun again when it ends.

    A resumed run reads past the batches that it has already used.

    Args:
        stream: yields arrays or tensors [n, ...], or lists or tuples whose first item is one.
    """

    def __init__(self, stream):
        self.stream, self.iterator, self.position = stream, iter(stream), 0
        self.batch = None

    def draw(self, k):
        while self.position <= k:
            batch = next(self.iterator, None)
            if batch is None:
                self.iterator = iter(self.stream)
                batch = next(self.iterator, None)
                if batch is None:
                    raise InputError(
                        f"train_data ended after {self.position} batches; give one that can be iterated "
                        "again, or enough batches for iterations x critic_iters."
                    )
            self.position += 1
            self.batch = np.asarray(batch[0] if isinstance(batch, (list, tuple)) else batch, "float32")
        if not np.isfinite(self.batch).all():
            raise InputError(f"batch {k} of train_data has NaN or infinite values; remove them.")
        return self.batch

    def describe(self):
        return f"stream {type(self.stream).__name__}"


class SampledBatches(Batches):
    """Batches drawn afresh from a distribution with a method `sample(n, rng)`.

    Args:
        distribution: such as `wgangp.data.toy.Toy`.
        batch_size: examples per batch.
        seed: of the draws; batch k depends on the seed and k alone.
    """

    def __init__(self, distribution, batch_size, seed):
        self.distribution, self.batch_size, self.seed = distribution, batch_size, seed
        self.number, self.batch = None, None

    def draw(self, k):
        number = k // self.distribution.reuse
        if number != self.number:
            rng = np.random.default_rng([self.seed, number])
            self.number, self.batch = number, self.distribution.sample(self.batch_size, rng)
        return self.batch

    def describe(self):
        return f"samples of {self.distribution.name}, each batch used {self.distribution.reuse} times"


def as_batches(train_data, batch_size, seed):
    """Turn training data into numbered batches.

    Args:
        train_data: an array or tensor [n, ...]; ScaledImages; Characters; a paddle.io.Dataset (map-style: read
            whole, the first field of each item); a paddle.io.DataLoader or an iterator of batches; or an object
            with `sample(n, rng)`.
        batch_size: examples per batch (loaders and iterators bring their own).
        seed: of shuffles and draws.

    Returns:
        Batches; batch k is float32 [batch_size, ...], a pair with the labels, int64 [batch_size], for
        ScaledImages that have them.

    Raises:
        InputError: empty data, NaN or infinite values, or fewer samples than a batch.
    """
    if batch_size < 1:
        raise InputError(f"batch_size is {batch_size}; use at least 1.")
    if isinstance(train_data, ScaledImages):
        return ImageBatches(train_data, batch_size, seed)
    if isinstance(train_data, Characters):
        return CharacterBatches(train_data, batch_size, seed)
    if hasattr(train_data, "sample"):
        return SampledBatches(train_data, batch_size, seed)
    if isinstance(train_data, (np.ndarray, paddle.Tensor, list)):
        return ArrayBatches(np.asarray(train_data), batch_size, seed)
    if isinstance(train_data, paddle.io.Dataset) and not isinstance(train_data, paddle.io.IterableDataset):
        items = [train_data[i] for i in range(len(train_data))]
        items = [item[0] if isinstance(item, (list, tuple)) else item for item in items]
        return ArrayBatches(np.stack([np.asarray(i) for i in items]) if items else [], batch_size, seed)
    if isinstance(train_data, paddle.io.IterableDataset):
        return StreamBatches(paddle.io.DataLoader(train_data, batch_size=batch_size))
    if hasattr(train_data, "__iter__"):
        return StreamBatches(train_data)
    raise InputError(
        f"train_data is a {type(train_data).__name__}; give an array, a paddle.io.Dataset, a DataLoader "
        "or an iterator of batches."
    )
