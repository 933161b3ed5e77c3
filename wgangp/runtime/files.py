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

MOST_UNPACKED = 2**28  # bytes that the compressed arrays of a run may take


@contextmanager
def replacing(path: Path | str, keep: Path | None = None) -> Iterator[BinaryIO]:
    """Open a file for writing that takes the place of `path` only when it is complete and on the disk.

    Args:
        path: the target; its folder is made. Of a symbolic link, the file that it leads to is replaced.
        keep: where to move the file that was at `path`; None deletes it. If the file system has links, there is a file
            at `path` at every instant.

    Yields:
        A binary file.

    Raises:
        InputError: it cannot be written (no permission, no space and so on); what was at `path` is untouched.
    """
    path = Path(os.path.realpath(path) if os.path.islink(path) else path)
    if not path.name:
        raise InputError(f"{str(path)!r} is not the name of a file; name a file.")
    check_no_device(path)  # whose place a file would take
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
        for leftover in (part, old):
            if os.access(leftover, os.F_OK):
                leftover.unlink()


def check_no_device(path: Path | str) -> None:
    """Refuse what is neither a file nor a folder; reading it could wait for ever.

    Args:
        path: of anything, or of nothing.

    Raises:
        InputError: it is a device, a pipe or a socket.
    """
    if os.path.exists(path) and not (os.path.isfile(path) or os.path.isdir(path)):
        raise InputError(f"{path} is a device or pipe, not a file; name a file.")


@contextmanager
def reading(path: Path | str, damage: str = "cut off or damaged") -> Iterator[None]:
    """A context that says in one sentence what is wrong with a file; reading a damaged file can raise nearly anything.

    Args:
        path: of the file.
        damage: what the message says that the file is, if its reader raises something else than an OSError.

    Raises:
        InputError: instead of any other exception.
    """
    try:
        yield
    except InputError:
        raise
    except MemoryError:
        raise InputError(f"there is too little memory for the contents that {path} claims to have.") from None
    except Exception as error:
        if isinstance(error, OSError) and error.strerror:
            raise InputError(f"cannot read {path}: {error.strerror}.") from None
        reason = str(error)[:200] or type(error).__name__
        raise InputError(f"{path} is {damage} ({reason}); delete it or get it again.") from None


def read_npz(path: Path | str, limit: int = MOST_UNPACKED) -> dict[str, np.ndarray]:
    """Read a file of arrays without unpickling.

    Args:
        path, limit: as of `unpack`.

    Returns:
        {name: array}, of numbers or strings.

    Raises:
        InputError: the file is missing, truncated or something else, or its arrays take more bytes.
    """
    with reading(path, "not a whole npz file of arrays"):
        return unpack(path, limit)


def unpack(path: Path | str, limit: int) -> dict[str, np.ndarray]:
    """Read the arrays of an npz file and check all that can be checked, sizes before any memory is taken.

    Args:
        path: the file.
        limit: bytes that the arrays may take; they may always take as many as the file.

    Returns:
        {name: array}, of numbers or strings.

    Raises:
        Exception: any, when the file is damaged.
    """
    with open(path, "rb") as file, zipfile.ZipFile(file) as archive:
        file.seek(-22, os.SEEK_END)
        count = int.from_bytes(file.read()[10:12], "little")  # zipfile ignores it
        entries, limit = archive.infolist(), max(limit, file.tell())
        if sum(entry.file_size for entry in entries) > limit:
            raise ValueError(f"its arrays take more than {limit} bytes")
        arrays = {entry.filename.removesuffix(".npy"): _array(archive, entry) for entry in entries}
        if len(arrays) != count or count == 0:
            raise ValueError(f"{len(arrays)} of its {count} arrays are readable")
    return arrays


def _array(archive, entry):
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ValueError(f"{entry.filename} is not packed as in npz files")
    with archive.open(entry) as file:
        if np.lib.format.read_magic(file) != (1, 0):
            raise ValueError(f"{entry.filename} is not a plain array")
        shape, _, dtype = np.lib.format.read_array_header_1_0(file)
        size = entry.file_size - file.tell()
    if dtype.kind not in "biufcSU" or dtype.itemsize == 0 or math.prod(shape) * dtype.itemsize != size:
        raise ValueError(f"{entry.filename} is {dtype} {list(shape)} in {size} bytes")
    with archive.open(entry) as file:
        return np.lib.format.read_array(file, allow_pickle=False)


def largest_size(shapes: dict[str, tuple[int, ...]]) -> int:
    """The most bytes that arrays of some shapes take in an npz file, with their headers.

    Args:
        shapes: {name: shape}.
    """
    return sum(8 * math.prod(shape) + 256 for shape in shapes.values())


def check_floats(
    arrays: dict[str, np.ndarray], shapes: dict[str, tuple[int, ...]], refusal: str, advice: str
) -> dict[str, np.ndarray]:
    """Check that arrays have the expected shapes and are finite.

    Args:
        arrays: {name: array}.
        shapes: {name: shape} of the arrays to find; others are left out.
        refusal, advice: the beginning and the end of the message.

    Returns:
        {name: array}, floating-point and finite.

    Raises:
        InputError: one is missing, of another shape or type, or not finite.
    """
    for name, shape in shapes.items():
        array = arrays.get(name)
        if array is None or array.shape != shape or array.dtype.kind != "f" or not np.isfinite(array).all():
            problem = "is missing" if array is None else f"is {array.dtype} {list(array.shape)}, or not finite"
            raise InputError(f"{refusal}: {name}, float {list(shape)}, {problem}; {advice}.")
    return {name: arrays[name] for name in shapes}


@contextmanager
def locked(path: Path | str, wait: bool = True) -> Iterator[None]:
    """Hold a lock that other processes respect; it is released when the process ends, at the latest.

    Args:
        path: the lock's file; its folder is made.
        wait: whether to wait for another holder, or to raise.

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
    """The InputError for a file that cannot be written.

    Args:
        path: of the file.
        error: what writing raised.
    """
    if isinstance(error, IsADirectoryError):
        return InputError(f"cannot write {path}: {error.filename2 or path} is a folder; move it or name another file.")
    return InputError(
        f"cannot write {path}: {error.strerror or error}; make room, or name a folder that can be written (for what "
        "wgangp run writes, set WGANGP_OUTPUT), and run again."
    )


def check_memory(size: int, what: str) -> None:
    """Check that something fits into the memory of the machine.

    Args:
        size: in bytes.
        what: is that large, for the message; a plural.

    Raises:
        InputError: it does not fit.
    """
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if size > memory:
        raise InputError(f"{what} take {size / 2**30:,.0f} GiB and this machine has {memory / 2**30:,.0f}; use fewer.")


def write_npz(file: BinaryIO, arrays: dict[str, np.ndarray], compressed: bool = False) -> None:
    """Write what `np.savez` writes, but close the zip file properly where the disk is full.

    Args:
        file: a binary file.
        arrays: {name: array}.
        compressed: whether to compress, as `np.savez_compressed` does.
    """
    method = zipfile.ZIP_DEFLATED if compressed else zipfile.ZIP_STORED
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, np.asanyarray(array), allow_pickle=False)


def array_sha256(array: np.ndarray) -> str:
    """The hexadecimal sha256 digest of the bytes of an array, in order."""
    return hashlib.sha256(np.ascontiguousarray(array)).hexdigest()
