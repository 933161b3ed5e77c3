"""Named arrays and a description in one file, written whole or not at all, read without executing anything."""

import json
import os
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np

from wgangp.errors import InputError
from wgangp.runtime.environment import expand_home
from wgangp.runtime.files import array_sha256, reading, replacing, unpack, write_npz

_known_whole = {}  # {path: identity of the file that was last written or read there and was not damaged}


def write(path: Path | str, arrays: dict[str, np.ndarray], about: dict) -> None:
    """Write arrays and a description; the checkpoint before it is kept as `<name>.previous.npz`.

    A damaged checkpoint is not kept, so that it never takes the place of a whole one.

    Args:
        path: ends in .npz.
        arrays: {name: array}.
        about: the description, a dict of what JSON can hold.

    Raises:
        InputError: the path is not one of a checkpoint, or the file cannot be written (the old one is untouched).
    """
    path = check_path(path)
    about = json.dumps(about | {"arrays": _listing(arrays)})
    with replacing(path, keep=previous_path(path) if _is_whole(path) else None) as file:
        write_npz(file, {"about": np.array(about), **arrays})
    _known_whole[path] = _identity(path)


def check_path(path: Path | str) -> Path:
    """Check that a path can be that of a checkpoint.

    Args:
        path: what the user gave.

    Raises:
        InputError: it does not end in .npz, or it is a folder.

    Returns:
        The path, with ~ written out.
    """
    known = isinstance(path, (str, os.PathLike))
    named = expand_home(path, "the checkpoint") if known else None
    if not known or named.suffix != ".npz" or named.is_dir():
        raise InputError(f"'{path}' cannot be a checkpoint: give the path of a new or existing file that ends in .npz.")
    return named


def previous_path(path: Path | str) -> Path:
    """The path of the checkpoint before the newest.

    Args:
        path: of the newest checkpoint.
    """
    return Path(path).with_suffix(".previous.npz")


def read(path: Path | str) -> tuple[dict[str, np.ndarray], dict]:
    """Read what `write` wrote; warn of a file of an earlier version, which has no list of its arrays.

    Args:
        path: of the checkpoint.

    Returns:
        {name: array} and the description.

    Raises:
        InputError: the file is missing, damaged or something else.
    """
    path = check_path(path)
    if not path.exists():
        raise InputError(f"there is no checkpoint {path}.")
    _known_whole.pop(path, None)
    with reading(path, "not a whole checkpoint"):
        identity = _identity(path)
        arrays = unpack(path, limit=0)
        about = json.loads(str(arrays.pop("about")))
        listing = about.pop("arrays", None)
        if listing is None:
            warnings.warn(
                f"{path} is of an earlier version, without a list of its arrays: some damage to it cannot be noticed.",
                stacklevel=2,
            )
        elif listing != _listing(arrays):
            raise ValueError("its arrays are not those that were written")
    _known_whole[path] = identity
    return arrays, about


def read_newest(path: Path | str, say: Callable[[str], None] = print) -> tuple[dict[str, np.ndarray], dict] | None:
    """Read a checkpoint, or the one before it where the newest is damaged.

    Args:
        path: of the newest checkpoint.
        say: called with one line where the newest is damaged.

    Returns:
        As of `read`; None where there is neither.

    Raises:
        InputError: the path is not one of a checkpoint, or neither file can be read.
    """
    path = check_path(path)
    if not os.path.exists(path) and not os.path.exists(previous_path(path)):
        return None
    try:
        return read(path)
    except InputError as error:
        if not os.path.exists(previous_path(path)):
            raise
        say(f"{error} Resuming from {previous_path(path)}.")
        return read(previous_path(path))


def _listing(arrays):
    """The type, shape and digest of each array."""
    return {name: [array.dtype.str, list(array.shape), array_sha256(array)] for name, array in arrays.items()}


def _identity(path):
    status = os.stat(path)
    return status.st_ino, status.st_size, status.st_mtime_ns


def _is_whole(path):
    """Whether a path has an undamaged checkpoint; it is read only if it is not the one last written or read."""
    if os.path.exists(path) and _known_whole.get(path) != _identity(path):
        try:
            read(path)
        except InputError:
            pass
    return os.path.exists(path) and _known_whole.get(path) == _identity(path)
