"""Files of the data folder that some tests need."""

import functools
import os
import pickle
import tarfile
from pathlib import Path

import numpy as np
import pytest

FOLDER = Path(os.environ.get("WGANGP_DATA", "data"))


def needed(name):
    """The path of a file in the data folder; without it the test is skipped."""
    if not (FOLDER / name).exists():
        pytest.skip(f"needs {name} in {FOLDER.resolve()} (set WGANGP_DATA)")
    return FOLDER / name


@functools.cache
def cifar10_test_images():
    """The first 1,000 test images, uint8 [1000, 3, 32, 32], and their labels."""
    with tarfile.open(needed("cifar-10-python.tar.gz")) as archive:
        # One pass: asking for the member by name reads the archive to its end and then once more.
        member = next(member for member in archive if member.name.endswith("/test_batch"))
        batch = pickle.load(archive.extractfile(member), encoding="bytes")
    return batch[b"data"].reshape(-1, 3, 32, 32)[:1000], np.array(batch[b"labels"][:1000])
