"""Damages small files and reads them: the process must live, and readers may raise InputError alone.

    python tests/fuzz_readers.py FOLDER [COUNT]

Each reader gets COUNT damaged files (1,000), and both unpicklers 10 times as many pickles made at random, in a process
of its own whose memory may grow by 1 GB. Where a format has a checksum, what is read without an exception must be what
was written. Prints a line per reader, its name and "ok" or what went wrong; the file that did it stays in FOLDER.
"""

import gzip
import io
import os
import random
import signal
import sys
import tarfile
import traceback
from pathlib import Path

import memory
import numpy as np
import pytest
from PIL import Image

sys.path.insert(0, str(Path(__file__).parent / "data"))
from publishers import cifar10_batch, write_cifar10, write_idx, write_lmdb
from torch_writer import save

from wgangp import InputError
from wgangp.data import formats, images, safe_pickle, text, torch_file
from wgangp.data.lmdb_file import Lmdb

MEMORY = 1 << 30
SECONDS = 300  # of a reader
CODES = [code.encode() for code in formats.NUMBERS]
RNG = np.random.default_rng(0)
STATE = {"a.weight": RNG.normal(size=(4, 3, 2)).astype("float32"), "b": np.array(7), "c": np.linspace(0, 1, 5)}


def cifar10_batches(folder):
    data = {"data": RNG.integers(0, 256, [3, 3072], dtype="uint8")}
    return write_cifar10(folder, test_batch=cifar10_batch("test_batch", 3) | data) / "test_batch"


def cifar10_archive(folder, mode="w:gz"):
    path = cifar10_batches(folder).parent
    with tarfile.open(folder / "cifar.tar", mode) as tar:
        tar.add(path, path.name)
    return folder / "cifar.tar"


def digits(folder, write=None):
    write_idx(folder / "digits", RNG.integers(0, 256, [5, 28, 28]), write)
    return folder / "digits"


def state_dict(folder, legacy=False):
    save(folder / "state.pth", STATE, pytest.MonkeyPatch, legacy)
    return folder / "state.pth"


def database(folder):
    values = {}
    for i in range(12):
        file = io.BytesIO()
        Image.fromarray(RNG.integers(0, 256, [16 + 2 * i, 20, 3], dtype="uint8")).save(file, "png")
        values[b"%02d" % i] = file.getvalue()
    return write_lmdb(folder, values) / "data.mdb"


def sentences(folder):
    (folder / "text.txt").write_text("".join(f"sentence {i} of a text\n" for i in range(30)))
    return folder / "text.txt"


def kept_array(folder):
    np.save(folder / "kept.npy", RNG.integers(0, 256, [10, 3, 4, 4], dtype="uint8"))
    return folder / "kept.npy"


def read_cifar10(path):
    return formats.read_cifar10(path, "test")


def read_database(path):
    return [np.frombuffer(file.read(), "u1") for file, _ in Lmdb(path.parent)]


READERS = {  # name: what writes a valid file, what reads it, whether the format has a checksum
    "cifar10 archive": (cifar10_archive, read_cifar10, True),
    "cifar10 tar": (lambda folder: cifar10_archive(folder, "w"), read_cifar10, False),
    "cifar10 folder": (cifar10_batches, lambda path: read_cifar10(path.parent), False),
    "mnist packed": (lambda folder: digits(folder, gzip.compress), lambda path: [formats.read_idx(path, 3)], True),
    "mnist": (digits, lambda path: [formats.read_idx(path, 3)], False),
    "torch": (state_dict, lambda path: list(torch_file.read_state_dict(path).values()), True),
    "torch before 1.6": (
        lambda folder: state_dict(folder, legacy=True),
        lambda path: list(torch_file.read_state_dict(path).values()),
        False,
    ),
    "lmdb": (database, read_database, False),
    "text": (sentences, lambda path: [text.read(path).codes], False),
    "kept array": (kept_array, lambda path: [np.array(images._map(path, 4))], False),
}


def damaged(raw, rng):
    """Bytes with one to three of: bits flipped, the end cut off, a part copied elsewhere, repeated or left out, a field
    set to an extreme value."""
    raw = bytearray(raw)
    for _ in range(rng.randint(1, 3)):
        at = rng.randint(0, rng.choice([len(raw), min(len(raw), 200)]))  # headers are at the beginning or the end
        at = len(raw) - at if rng.random() < 0.3 else at
        start, length = rng.randint(0, len(raw)), int(2 ** rng.uniform(0, 10))
        match rng.randrange(6):
            case 0:
                for _ in range(rng.randint(1, 4) if raw else 0):
                    raw[rng.randrange(len(raw))] ^= 1 << rng.randrange(8)
            case 1:
                del raw[at:]
            case 2:
                raw[at : at + rng.choice([0, length])] = raw[start : start + length]
            case 3:
                raw[at:at] = raw[at : at + length] * rng.randint(1, 50)
            case 4:
                del raw[at : at + length]
            case 5:
                width = rng.choice([1, 2, 4, 8])
                value = rng.choice([0, 1, 0x7F << 8 * (width - 1), (1 << 8 * width - 1) - 1, (1 << 8 * width) - 1])
                raw[at : at + width] = value.to_bytes(width, rng.choice(["little", "big"]))
    return bytes(raw)


def random_pickle(allowed, rng):
    """A pickle of a few values, arrays and tensors, most parts of them as they should be, and of opcodes at random."""

    def mostly(right, *others):
        return right if rng.random() < 0.8 else rng.choice(others)()

    def integer():
        value = rng.choice([0, 1, 2, 3, 5, 8, 33, 255, (1 << 31) - 1, 1 << 40, (1 << 63) - 1, 1 << 70, -1, -5])
        raw = value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)
        return b"\x8a" + bytes([len(raw)]) + raw

    def string():
        words = [b"O", b"V8", b"U1", b"S0", b"|", b">", b"storage", b"0", b"latin1", b"\xff" * 24, b"", *CODES]
        word = rng.choice(words)
        return rng.choice([b"U", b"C"]) + bytes([len(word)]) + word

    def name():
        return b"c%b\n%b\n" % tuple(part.encode() for part in rng.choice(allowed))

    def several():
        return b"(" + b"".join(value() for _ in range(rng.choice([0, 1, 2, 3, 33]))) + b"t"

    def value():
        return rng.choice([integer, string, name, lambda: rng.choice([b"N", b"]", b"}", b")", b"\x88"])])()

    def array():
        code, count = rng.choice(CODES), rng.randrange(20)
        dtype = b"cnumpy\ndtype\n(" + mostly(b"U\x02" + code, string, lambda: b"U\x01O") + b"K\x00K\x01tR"
        order = mostly(b"", lambda: b"(K\x03" + string() + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb", several)
        shape = mostly(b"K%c\x85" % count, several, integer)
        size = count * int(code[1:])
        data = mostly(b"U%c" % size + bytes(size), string, value, lambda: b"]")
        state = b"(" + mostly(b"K\x01", value) + shape + mostly(dtype, name) + order + b"\x89" + data + b"tb"
        return b"cnumpy.core.multiarray\n_reconstruct\n" + mostly(b")", several) + b"R" + mostly(state, value)

    def tensor():
        kind = b"ctorch\n" + rng.choice([b"FloatStorage\n", b"HalfStorage\n"])
        storage = b"(" + mostly(b"U\x07storage", string) + mostly(kind, name, value) + mostly(b"U\x010", value)
        storage += b"U\x03cpuK\x05tQ"
        layout = mostly(b"K\x00", value) + mostly(b"K\x05\x85", several) + mostly(b"K\x01\x85", several)
        return b"ctorch._utils\n_rebuild_tensor_v2\n(" + mostly(storage, value) + layout + b"\x89)tR"

    def opcode():
        index = rng.choice([0, 1, 1 << 20, 1 << 27, (1 << 32) - 1]).to_bytes(4, "little")
        codes = b"(.012RQtlde]}auosbNh)\x85\x86\x87\x88\x89\x90\x91\x94\x93\x81\x8f\x96\x97\x98\x92i"
        return rng.choice(
            [bytes([rng.choice(codes)]), b"q%c" % rng.randrange(3), b"h%c" % rng.randrange(3), b"r" + index]
        )

    makers = [value, array, array] if ("numpy", "dtype") in allowed else [value, tensor, tensor]
    steps = [mostly(rng.choice(makers)(), opcode) for _ in range(rng.randrange(1, 6))]
    return b"\x80\x02(" + b"".join(steps) + b"t."


def pickles(allowed, load_id, encoding):
    """Reads one of `random_pickle`, and every byte of the arrays in it."""

    def read(raw):
        result = safe_pickle.load(io.BytesIO(raw), allowed, load_id, encoding, "a pickle")
        for part in result if isinstance(result, (list, tuple)) else [result]:
            if isinstance(part, np.ndarray):
                part.tobytes()

    return read


PICKLES = {
    "pickles of arrays": (formats.ARRAYS, None, "bytes"),
    "pickles of tensors": (torch_file._allowed(), torch_file._storage, "ASCII"),
}


def cases(name, folder, count):
    """Yields the damaged input's path and what reads it; raises where a reader's answer is wrong."""
    rng = random.Random(name)
    if name in PICKLES:
        path, read, names = folder / "pickle", pickles(*PICKLES[name]), list(PICKLES[name][0])
        for _ in range(10 * count):
            raw = random_pickle(names, rng)
            path.write_bytes(raw)
            yield lambda raw=raw: read(raw)
        return
    write, read, has_checksum = READERS[name]
    path = write(folder)
    raw, original = path.read_bytes(), [array.copy() for array in read(path)]

    def check():
        arrays = read(path)
        if has_checksum:
            assert len(arrays) == len(original), f"{len(arrays)} arrays instead of {len(original)}"
            for got, want in zip(arrays, original):
                assert got.dtype == want.dtype and np.array_equal(got, want), "other numbers without a word"

    for _ in range(count):
        path.write_bytes(damaged(raw, rng))
        yield check


def run(name, folder, count):
    folder.mkdir(parents=True)
    memory.limit(MEMORY)
    signal.alarm(SECONDS)
    for case in cases(name, folder, count):
        try:
            case()
        except InputError:
            pass
    return "ok"


def main(folder, count=1000):
    right = True
    for name in (*READERS, *PICKLES):
        sys.stdout.flush()
        child = os.fork()
        if not child:
            try:
                print(f"{name}: {run(name, Path(folder) / name, int(count))}", flush=True)
                os._exit(0)
            except BaseException:
                print(f"{name}: {traceback.format_exc()}", flush=True)
                os._exit(1)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        if status < 0:
            print(f"{name}: ended by {signal.Signals(-status).name}")
        right = right and status == 0
    return 0 if right else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
