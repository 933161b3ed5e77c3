"""Writing a file whole or not at all, locks between processes, and the digest of an array."""

import fcntl
import hashlib
import os
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from wgangp.errors import InputError


@contextmanager
def replacing(path):
    """Open a file for writing that takes the place of `path` only when it is complete.

    Args:
        path: the target; its folder is made.

    Yields:
        A binary file.

    Raises:
        InputError: no permission, no space, or the like; what was at `path` is untouched.
    """
    path = Path(path)
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(part, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    except OSError as error:
        raise cannot_write(path, error) from None
    finally:
        if os.access(part, os.F_OK):
            part.unlink()


@contextmanager
def locked(path, wait=True):
    """Hold a lock that other processes respect; it ends with the process at the latest.

    Args:
        path: the lock's file; its folder is made.
        wait: wait for another holder, or raise.

    Raises:
        InputError: another process holds it, or the file cannot be made.
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = open(path, "a")
    except OSError as error:
        raise cannot_write(path, error) from None
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            raise InputError(f"{path.parent} is in use by another process; wait for it.") from None
        yield


def cannot_write(path, error):
    """The InputError for an OSError."""
    return InputError(
        f"cannot write {path}: {error.strerror}; make room, or set WGANGP_OUTPUT to a folder that can be "
        "written, and run again."
    )


def array_sha256(array):
    """Hexadecimal sha256 of an array's bytes in order."""
    return hashlib.sha256(np.ascontiguousarray(array)).hexdigest()
