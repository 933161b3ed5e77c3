"""Named arrays and a description in one file, written whole or not at all, read without executing anything."""

import json
import os
import zipfile
from pathlib import Path

import numpy as np

from wgangp.errors import InputError
from wgangp.files import replacing


def write(path, arrays, about):
    """Write arrays and a description; the file that was there is kept as `<name>.previous.npz`.

    Args:
        path: ends in .npz.
        arrays: {name: array}.
        about: what json can hold.

    Raises:
        InputError: the file cannot be written (the old one is untouched).
    """
    path = Path(path)
    with replacing(path) as file:
        np.savez(file, about=np.array(json.dumps(about)), **arrays)
        if path.exists():
            os.replace(path, previous(path))


def previous(path):
    """The path that holds the checkpoint before the newest."""
    return Path(path).with_suffix(".previous.npz")


def read(path):
    """Read what `write` wrote.

    Returns:
        {name: array} and the description.

    Raises:
        InputError: the file is missing, truncated or something else.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        return arrays, json.loads(str(arrays.pop("about")))
    except FileNotFoundError:
        raise InputError(f"there is no checkpoint {path}.") from None
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zipfile.zlib.error) as error:
        raise InputError(f"{path} is not a whole checkpoint ({error}); delete it.") from None


def read_newest(path, say=print):
    """Read a checkpoint, or the one before it where the newest is damaged.

    Returns:
        As `read`, or None where there is neither.

    Raises:
        InputError: there are files, and none can be read.
    """
    path = Path(path)
    if not path.exists() and not previous(path).exists():
        return None
    try:
        return read(path)
    except InputError as error:
        if not previous(path).exists():
            raise
        say(f"{error} Going on from {previous(path)}.")
        return read(previous(path))
