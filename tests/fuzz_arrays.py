"""Damaged files of arrays: python tests/fuzz_arrays.py FOLDER COUNT damages each reader's file in COUNT random ways.

Each damaged file must be refused with an InputError or give exactly the arrays that were written, within 1 GB of
address space above what the imports take. The same readers, writers and damages serve the tests.
"""

import io
import json
import random
import resource
import sys
import warnings
import zipfile
from pathlib import Path

import memory
import numpy as np
import paddle

from wgangp.errors import InputError
from wgangp.metrics import classifier, digits, inception_weights
from wgangp.metrics.statistics import Statistics
from wgangp.runtime import checkpoint, files

# Networks of a few layers: their files are small, and each array is read as in the whole ones.
SMALL_LAYERS = inception_weights.LAYERS[:2]
SMALL_SHAPES = {name: shape for name, shape in classifier.SHAPES.items() if name.startswith(("conv1", "bn1"))}
RNG = np.random.default_rng(0)


def floats(shapes):
    return {name: RNG.normal(size=shape).astype("float32") for name, shape in shapes.items()}


ARRAYS = floats({"generator/a": (4, 3), "critic/a": (5,), "g_optimizer/0/moment1_0": (4, 3), "d_optimizer/0/power": ()})
ABOUT = {"iteration": 7, "settings": {"method": "WGAN_GP"}}


def write_statistics(path):
    statistics = Statistics(20, 6)
    statistics.update(RNG.normal(size=(20, 6)))
    statistics.write(path)


def read_statistics(path):
    return {name: np.asarray(value) for name, value in vars(Statistics.read(path)).items() if name != "pending"}


def write_digits(path):
    shapes = {name: value.shape for name, value in digits.DigitClassifier().state_dict().items()}
    np.savez(path, about=np.array("{}"), **floats(shapes))


def read_digits(path):
    return {name: value.numpy() for name, value in digits.load_classifier(path).state_dict().items()}


# How each file is written, and how it is read.
FORMATS = {
    "checkpoint": (lambda path: checkpoint.write(path, ARRAYS, ABOUT), lambda path: checkpoint.read(path)[0]),
    "checkpoint of an earlier version": (
        lambda path: np.savez(path, about=np.array(json.dumps(ABOUT)), **ARRAYS),
        lambda path: checkpoint.read(path)[0],
    ),
    "classifier": (lambda path: np.savez(path, **floats(classifier.SHAPES)), classifier.read_weights),
    "inception": (
        lambda path: np.savez_compressed(path, **floats(inception_weights._shapes(False))),
        inception_weights.read_weights,
    ),
    "statistics": (write_statistics, read_statistics),
    "digits": (write_digits, read_digits),
    "a run's arrays": (lambda path: np.savez_compressed(path, x=np.arange(500) % 7, y=np.eye(3)), files.read_npz),
}


def entries(raw, signature=b"PK\1\2"):
    """Where the entries of a zip file's directory begin; with PK\\3\\4 their own headers, with PK\\5\\6 its end."""
    positions, start = [], raw.find(signature)
    while start >= 0:
        positions.append(start)
        start = raw.find(signature, start + 4)
    return positions


def changed(raw, offset, change, entry=0):
    """A file with one byte of an entry in its directory changed."""
    raw = bytearray(raw)
    offset += entries(raw)[entry]
    raw[offset] = change(raw[offset])
    return bytes(raw)


def repacked(raw, change, name=None):
    """A file with an entry (the last for None) changed and everything else, checksums too, as it must be."""
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(raw)) as old, zipfile.ZipFile(packed, "w") as new:
        name = name or old.namelist()[-1]
        for entry in old.infolist():
            content = old.read(entry)
            new.writestr(entry.filename, change(content) if entry.filename == name else content, entry.compress_type)
    return packed.getvalue()


def with_header(header):
    """A change that gives an array another header."""

    def change(content):
        text = header.encode().ljust(117) + b"\n"
        return b"\x93NUMPY\1\0" + len(text).to_bytes(2, "little") + text + content[128:]

    return change


def npy(raw):
    file = io.BytesIO()
    np.save(file, np.zeros(3))
    return file.getvalue()


# What each raised when it reached np.load.
DAMAGES = {
    "EOFError, BadZipFile": lambda raw: raw[: len(raw) // 2],
    "NotImplementedError: packed in an unknown way": lambda raw: changed(raw, 10, lambda byte: 99),
    "RuntimeError: encrypted": lambda raw: changed(raw, 8, lambda byte: byte | 1),
    "NotImplementedError: patched data": lambda raw: changed(raw, 8, lambda byte: byte | 32),
    "MemoryError: 10^13 numbers": lambda raw: repacked(
        raw, with_header("{'descr': '<f4', 'fortran_order': False, 'shape': (10000000000000,), }")
    ),
    "IndexError: no type": lambda raw: repacked(
        raw, with_header("{'descr': (), 'fortran_order': False, 'shape': (4,), }")
    ),
    "TypeError: not a dict": lambda raw: repacked(raw, with_header("{[]: 1}")),
    "AttributeError: an npy file": npy,
    "nothing: the first entry is swallowed": lambda raw: changed(raw, 33, lambda byte: byte | 128),
}


def damaged(raw, chance):
    """A file damaged at random: bits, an end cut off, spliced bytes, or the headers of its zip."""
    raw = bytearray(raw)
    kind = chance.choice(["bits", "cut", "splice", "directory", "directory"])
    if kind == "bits":
        for _ in range(chance.randint(1, 4)):
            raw[chance.randrange(len(raw))] ^= 1 << chance.randrange(8)
    elif kind == "cut":
        del raw[chance.randrange(len(raw)) :]
    elif kind == "splice":
        start, at, length = chance.randrange(len(raw)), chance.randrange(len(raw)), chance.choice([1, 4, 30, 300])
        raw[at : at + chance.choice([0, length])] = raw[start : start + length]
    else:
        signature, size = chance.choice([(b"PK\1\2", 60), (b"PK\1\2", 60), (b"PK\3\4", 60), (b"PK\5\6", 22)])
        at = chance.choice(entries(raw, signature)) + chance.randrange(size)
        width = chance.choice([1, 2, 4])
        value = chance.choice([0, 1, 0x80, 0xFF, 0x7FFFFFFF, 0xFFFFFFFF, chance.randrange(2**32)])
        raw[at : at + width] = (value % 256**width).to_bytes(width, "little")
    return bytes(raw)


def same(arrays, expected):
    return arrays.keys() == expected.keys() and all(
        arrays[name].dtype == expected[name].dtype and np.array_equal(arrays[name], expected[name]) for name in expected
    )


def fuzz(folder, count):
    """Damage the file of every format, read it and end the process at the first fault."""
    for number, (name, (write, read)) in enumerate(FORMATS.items()):
        path, chance, refused = folder / f"{number}.npz", random.Random(number), 0
        write(path)
        raw, expected = path.read_bytes(), read(path)
        for i in range(count):
            path.write_bytes(damaged(raw, chance))
            try:
                if not same(read(path), expected):
                    sys.exit(f"{name}, damage {i}: other arrays without a word ({path})")
            except InputError:
                refused += 1
        print(f"{name}: {refused} of {count} refused")


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    inception_weights.LAYERS, classifier.SHAPES = SMALL_LAYERS, SMALL_SHAPES
    digits.DigitClassifier = lambda: paddle.nn.Linear(5, 3)
    memory.limit(2**30)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    fuzz(Path(sys.argv[1]), int(sys.argv[2]))
    more = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    if more > 200_000:
        sys.exit(f"{more} kB of memory for files of a few kB")
