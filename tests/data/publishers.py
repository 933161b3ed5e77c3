"""Small files in the publishers' formats."""

import pickle
import struct

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


def write_lmdb(folder, values, page_size=4096, per_page=3):
    """A database as the library lmdb writes it, `folder`/data.mdb, of {key: value}, in one transaction."""
    pages = [b"", b""]

    def add(flag, nodes):
        raw, top = bytearray(page_size), page_size
        lower = 16 + 2 * len(nodes)
        for i, node in enumerate(nodes):
            top -= len(node) + len(node) % 2
            raw[top : top + len(node)] = node
            raw[16 + 2 * i : 18 + 2 * i] = top.to_bytes(2, "little")
        raw[:16] = struct.pack("<Q2x3H", len(pages), flag, lower, top)
        pages.append(bytes(raw))
        return len(pages) - 1

    def node(flag, key, number, value=b""):
        return struct.pack("<I2H", number, flag, len(key)) + key + value

    def leaf(key, value):
        if 8 + len(key) + len(value) <= page_size // 4:
            return node(0, key, len(value), value)
        first, count = len(pages), (15 + len(value)) // page_size + 1
        raw = (struct.pack("<Q2xHI", first, 4, count) + value).ljust(count * page_size, b"\0")
        pages.extend(raw[i * page_size : (i + 1) * page_size] for i in range(count))
        return node(1, key, len(value), first.to_bytes(8, "little"))

    def parts(row):
        return [row[i : i + per_page] for i in range(0, len(row), per_page)]

    level = [(part[0][0], add(2, [leaf(*item) for item in part])) for part in parts(sorted(values.items()))]
    depth = min(1, len(level))
    while len(level) > 1:
        level = [
            (part[0][0], add(1, [node(0, key if i else b"", page) for i, (key, page) in enumerate(part)]))
            for part in parts(level)
        ]
        depth += 1
    root = level[0][1] if level else (1 << 64) - 1
    for transaction in (0, 1):
        free = (page_size, 8, 0, 0, 0, 0, 0, (1 << 64) - 1)
        main = (0, 0, depth, 0, 0, 0, len(values), root) if transaction else (0, 0, 0, 0, 0, 0, 0, (1 << 64) - 1)
        head = struct.pack("<Q2xH4x2I2Q", transaction, 8, 0xBEEFC0DE, 1, 0, 1 << 24)
        rest = struct.pack("<I2H5QI2H5Q2Q", *free, *main, len(pages) - 1 if transaction else 1, transaction)
        pages[transaction] = (head + rest).ljust(page_size, b"\0")
    folder.mkdir(exist_ok=True)
    (folder / "data.mdb").write_bytes(b"".join(pages))
    return folder
