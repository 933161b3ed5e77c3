"""Writing a file whole or not at all, reading files of arrays, locks between processes, and the digest of an array."""

import fcntl
import hashlib
import math
import os
import platform
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

import numpy as np

from wgangp.errors import InputError, InUse

UNPACKED = 2**28  # bytes: the most that the compressed arrays of a run may take


@contextmanager
def replacing(path: Path | str, keep: Path | None = None) -> Iterator[BinaryIO]:
    """Open a file for writing that takes the place of `path` only when it is complete and on the disk.

    Args:
        path: the target; its folder is made.
        keep: where the file that was at `path` goes then; None deletes it. Where the file system has links, there is
            a file at `path` at every instant.

    Yields:
        A binary file.

    Raises:
        InputError: no permission, no space, or the like; what was at `path` is untouched.
    """
    path = Path(path)
    if not path.name:
        raise InputError(f"{str(path)!r} is not the name of a file; give one.")
    part, old = (path.with_name(f"{path.name}.{os.getpid()}.{ending}") for ending in ("part", "old"))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(part, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if keep is not None:
            try:
                os.link(path, old)
                os.replace(old, keep)
            except OSError:  # a file system without links
                os.replace(path, keep)
        os.replace(part, path)
        with suppress(OSError):  # some file systems cannot
            folder = os.open(path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
    except OSError as error:
        raise write_error(path, error) from None
    finally:
        for rest in (part, old):
            if os.access(rest, os.F_OK):
                rest.unlink()


@contextmanager
def reading(path: Path | str, damage: str = "cut off or damaged") -> Iterator[None]:
    """Say in one sentence what is wrong with a file that cannot be read; a damaged one can raise nearly anything.

    Args:
        path: of the file.
        damage: what to call it when its reader raises anything, after "is".

    Raises:
        InputError: instead of any other exception.
    """
    try:
        yield
    except InputError:
        raise
    except MemoryError:
        raise InputError(f"there is too little memory for what {path} says that it holds.") from None
    except Exception as error:
        if isinstance(error, OSError) and error.strerror:
            raise InputError(f"cannot read {path}: {error.strerror}.") from None
        reason = str(error)[:200] or type(error).__name__
        raise InputError(f"{path} is {damage} ({reason}); delete it or get it again.") from None


def read_npz(path: Path | str, most: int = UNPACKED) -> dict[str, np.ndarray]:
    """Read a file of arrays without unpickling.

    Args, Returns: as of `unpack`.

    Raises:
        InputError: the file is missing, truncated or something else, or its arrays take more.
    """
    with reading(path, "not a whole npz file of arrays"):
        return unpack(path, most)


def unpack(path: Path | str, most: int) -> dict[str, np.ndarray]:
    """The arrays of an npz, of which everything is checked that can be: sizes before any memory is taken.

    Args:
        path: the file.
        most: bytes that the arrays may take; they may always take as many as the file.

    Returns:
        {name: array}, of numbers or strings.

    Raises:
        Exception: any, when the file is damaged.
    """
    with open(path, "rb") as file, zipfile.ZipFile(file) as archive:
        file.seek(-22, os.SEEK_END)
        count = int.from_bytes(file.read()[10:12], "little")  # zipfile does not look at it
        entries, most = archive.infolist(), max(most, file.tell())
        if sum(entry.file_size for entry in entries) > most:
            raise ValueError(f"its arrays take more than {most} bytes")
        arrays = {entry.filename.removesuffix(".npy"): _array(archive, entry) for entry in entries}
        if len(arrays) != count or count == 0:
            raise ValueError(f"{len(arrays)} of its {count} arrays are found")
    return arrays


def _array(archive, entry):
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ValueError(f"{entry.filename} is packed in another way than npz files are")
    with archive.open(entry) as file:
        if np.lib.format.read_magic(file) != (1, 0):
            raise ValueError(f"{entry.filename} is no plain array")
        shape, _, dtype = np.lib.format.read_array_header_1_0(file)
        size = entry.file_size - file.tell()
    if dtype.kind not in "biufcSU" or dtype.itemsize == 0 or math.prod(shape) * dtype.itemsize != size:
        raise ValueError(f"{entry.filename} is {dtype} {list(shape)} in {size} bytes")
    with archive.open(entry) as file:
        return np.lib.format.read_array(file, allow_pickle=False)


def largest_size(shapes: dict[str, tuple[int, ...]]) -> int:
    """Bytes that numbers take at most in an npz, with their headers.

    Args:
        shapes: {name: shape}.
    """
    return sum(8 * math.prod(shape) + 256 for shape in shapes.values())


def check_floats(
    arrays: dict[str, np.ndarray], shapes: dict[str, tuple[int, ...]], refusal: str, advice: str
) -> dict[str, np.ndarray]:
    """Hold arrays against what they should be.

    Args:
        arrays: {name: array}.
        shapes: {name: shape} of those that there must be; others are left out.
        refusal, advice: the beginning and the end of the message.

    Returns:
        {name: array}, floating-point and finite.

    Raises:
        InputError: one is missing, of another shape or type, or not finite.
    """
    for name, shape in shapes.items():
        array = arrays.get(name)
        if array is None or array.shape != shape or array.dtype.kind != "f" or not np.isfinite(array).all():
            what = "is missing" if array is None else f"is {array.dtype} {list(array.shape)}, or not finite"
            raise InputError(f"{refusal}: {name}, float {list(shape)}, {what}; {advice}.")
    return {name: arrays[name] for name in shapes}


@contextmanager
def locked(path: Path | str, wait: bool = True) -> Iterator[None]:
    """Hold a lock that other processes respect; it ends with the process at the latest.

    Args:
        path: the lock's file; its folder is made.
        wait: wait for another holder, or raise.

    Raises:
        InUse: another process holds it; the message says which.
        InputError: the file cannot be made.
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = open(path, "ab", buffering=0)
    except OSError as error:
        raise write_error(path, error) from None
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            holder = path.read_text("utf-8", errors="replace").strip() or "another process"
            raise InUse(f"{path.parent} is in use by {holder}; wait for it or stop it.") from None
        except OSError as error:
            raise write_error(path, error) from None
        if not wait:
            with suppress(OSError):  # a full disk
                file.truncate(0)
                since = time.strftime("%Y-%m-%d %H:%M")
                file.write(f"process {os.getpid()} on {platform.node()} since {since}\n".encode())
        yield


def write_error(path: Path | str, error: OSError) -> InputError:
    """The InputError for an OSError."""
    return InputError(
        f"cannot write {path}: {error.strerror or error}; make room, or set WGANGP_OUTPUT to a folder that can be "
        "written, and run again."
    )


def check_memory(size: int, what: str) -> None:
    """Refuse what does not fit into the machine's memory.

    Args:
        size: in bytes.
        what: takes them, for the message, a plural.

    Raises:
        InputError: it does not.
    """
    there = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if size > there:
        raise InputError(f"{what} take {size / 2**30:,.0f} GiB and this machine has {there / 2**30:,.0f}; take fewer.")


def write_npz(file: BinaryIO, arrays: dict[str, np.ndarray], compressed: bool = False) -> None:
    """Write what `np.savez` writes; where the disk is full, its zip file is closed in order.

    Args:
        file: a binary file.
        arrays: {name: array}.
        compressed: as `np.savez_compressed` does.
    """
    method = zipfile.ZIP_DEFLATED if compressed else zipfile.ZIP_STORED
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, np.asanyarray(array), allow_pickle=False)


def array_sha256(array: np.ndarray) -> str:
    """Hexadecimal sha256 of an array's bytes in order."""
    return hashlib.sha256(np.ascontiguousarray(array)).hexdigest()
