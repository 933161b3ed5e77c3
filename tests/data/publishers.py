"""Small files in the publishers' formats."""

import pickle

import numpy as np


class Python2Pickler(pickle._Pickler):
    """Writes what Python 2 wrote: byte strings, as the publisher's CIFAR-10 has them."""

    dispatch = dict(pickle._Pickler.dispatch)

    def save_string(self, value):
        raw = value.encode("latin1") if isinstance(value, str) else value
        self.write(pickle.BINSTRING + len(raw).to_bytes(4, "little") + raw)
        self.memoize(value)

    dispatch[str] = dispatch[bytes] = save_string


def cifar10_batch(name, count=10_000, **changes):
    """A batch with constant images of the value of their label."""
    labels = [i % 10 for i in range(count)]
    data = np.repeat(np.array(labels, "uint8")[:, None], 3072, axis=1)
    label = f"training batch {name[-1]} of 5" if name != "test_batch" else "testing batch 1 of 1"
    return {"data": data, "labels": labels, "batch_label": label, "filenames": ["x.png"] * count} | changes


def write_cifar10(folder, **batches):
    """The publisher's unpacked folder with the named batches."""
    folder = folder / "cifar-10-batches-py"
    folder.mkdir()
    for name, batch in batches.items():
        with open(folder / name, "wb") as file:
            Python2Pickler(file, 2).dump(batch)
    return folder


def whole_cifar10(tests=10_000):
    """All six batches."""
    train = {f"data_batch_{i}": cifar10_batch(f"data_batch_{i}") for i in range(1, 6)}
    return train | {"test_batch": cifar10_batch("test_batch", tests)}


def write_idx(path, array, write=None):
    """An MNIST file; `write` packs it."""
    header = bytes([0, 0, 8, array.ndim]) + b"".join(n.to_bytes(4, "big") for n in array.shape)
    raw = header + np.asarray(array, "uint8").tobytes()
    path.write_bytes(write(raw) if write else raw)
