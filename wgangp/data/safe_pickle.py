"""Reading pickles that contain data, and refusing those that would run something."""

import pickle
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

from wgangp.errors import InputError

MEMORY = 1 << 28  # bytes that the objects of one pickle may take, besides its own
STEP = 200  # bytes, an upper bound of what one opcode takes of it
# Opcodes that data never need: instances of classes, sets, bytearrays, and registered extensions.
REFUSED_OPCODES = b"".join(
    [pickle.INST, pickle.OBJ, pickle.NEWOBJ, pickle.NEWOBJ_EX, pickle.EXT1, pickle.EXT2, pickle.EXT4]
    + [pickle.EMPTY_SET, pickle.ADDITEMS, pickle.FROZENSET, pickle.BYTEARRAY8, pickle.NEXT_BUFFER]
    + [pickle.READONLY_BUFFER]
)


class Refused(pickle.UnpicklingError):
    """A pickle asks for a name that is not on the list."""


class _Opcodes(dict):
    """The function of each opcode; every use counts against `MEMORY`."""

    used = 0

    def take(self, size):
        self.used += size
        if self.used > MEMORY:
            raise pickle.UnpicklingError(f"its objects take more than {MEMORY >> 20} MiB")

    def __getitem__(self, code):
        self.take(STEP)
        if code not in self:
            raise pickle.UnpicklingError(f"opcode {bytes([code])}")
        return self.get(code)


class _CompleteReads:
    """A file that raises if it ends too early; Python's unpickler would continue with what it got."""

    def __init__(self, file):
        self.file = file

    def read(self, count):
        raw = self.file.read(count)
        if len(raw) < count:
            raise EOFError("it ends too early")
        return raw

    def readline(self):
        line = self.file.readline()
        if line[-1:] != b"\n":
            raise EOFError("it ends too early")
        return line


class RestrictedUnpickler(pickle._Unpickler):
    """Unpickler that knows only the names given to it and imports nothing.

    It extends the one written in Python, because the one in C takes memory for every index of its memo up to the
    largest: gigabytes for a pickle of nine bytes.

    Args:
        file: open for reading, binary.
        allowed: {(module, name): object}, what each name in the pickle stands for. A pickle may call these objects,
            and give a state to the `__setstate__` of what they return (without one it is dropped), so both must be
            harmless whatever they are given.
        persistent_load: maps a persistent id to an object; ids are refused when None.
        encoding: of the strings that Python 2 wrote, "bytes" for CIFAR-10's.

    Raises:
        Refused: by `load`, for any other name.
    """

    def __init__(
        self,
        file: BinaryIO,
        allowed: dict[tuple[str, str], Any],
        persistent_load: Callable[[Any], Any] | None = None,
        encoding: str = "ASCII",
    ):
        super().__init__(_CompleteReads(file), encoding=encoding)
        self.allowed, self.load_id = allowed, persistent_load
        self.dispatch = _Opcodes(self.dispatch)

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in self.allowed:
            raise Refused(f"{module}.{name}"[:200])
        return self.allowed[module, name]

    def persistent_load(self, pid: Any) -> Any:
        if self.load_id is None:
            raise pickle.UnpicklingError("a persistent id")  # asks for nothing; a zip file's first letter reads as one
        return self.load_id(pid)

    def load_reduce(self) -> None:
        arguments = self.stack.pop()
        if not isinstance(arguments, tuple):
            raise pickle.UnpicklingError("a call without a tuple of arguments")
        self.stack[-1] = self.stack[-1](*arguments)
        self.dispatch.take(sys.getsizeof(self.stack[-1]))

    def load_build(self) -> None:
        state, instance = self.stack.pop(), self.stack[-1]
        if setstate := getattr(type(instance), "__setstate__", None):
            setstate(instance, state)

    def set_items(self, items: list) -> None:
        target = self.stack[-1]
        for key, value in zip(items[::2], items[1::2], strict=True):
            # The hash of nested tuples takes time without bound, and arrays take nested lists as keys.
            if not isinstance(target, dict) or not isinstance(key, (str, bytes, int)):
                raise pickle.UnpicklingError("a key that is neither a name nor a number")
            target[key] = value

    def load_setitem(self) -> None:
        value, key = self.stack.pop(), self.stack.pop()
        self.set_items([key, value])

    def load_setitems(self) -> None:
        self.set_items(self.pop_mark())

    def load_dict(self) -> None:
        items = self.pop_mark()
        self.append({})
        self.set_items(items)

    dispatch = {code: step for code, step in pickle._Unpickler.dispatch.items() if code not in REFUSED_OPCODES} | {
        pickle.REDUCE[0]: load_reduce,
        pickle.BUILD[0]: load_build,
        pickle.SETITEM[0]: load_setitem,
        pickle.SETITEMS[0]: load_setitems,
        pickle.DICT[0]: load_dict,
    }


def load(
    file: Path | str | BinaryIO,
    allowed: dict[tuple[str, str], Any],
    persistent_load: Callable[[Any], Any] | None = None,
    encoding: str = "ASCII",
    name: str | None = None,
) -> Any:
    """Read one pickle.

    Args:
        file: a path, or a file open for reading, binary (afterwards it is at the end of the pickle).
        allowed, persistent_load, encoding: as for `RestrictedUnpickler`.
        name: what messages call the file; by default its path.

    Returns:
        The pickled object.

    Raises:
        InputError: it asks for a name that is not allowed, cannot be read, or is not a whole pickle.
    """
    if not hasattr(file, "read"):
        try:
            with open(file, "rb") as opened:
                return load(opened, allowed, persistent_load, encoding, name or str(file))
        except OSError as error:
            raise InputError(f"cannot read {file}: {error.strerror}.") from None
    name = name or getattr(file, "name", "the file")
    try:
        return RestrictedUnpickler(file, allowed, persistent_load, encoding).load()
    except Refused as error:
        raise InputError(
            f"{name} is refused: it asks for {error}, which the data in such a file never needs; nothing in it was run."
        ) from None
    except Exception as error:  # a damaged pickle can raise nearly anything
        raise InputError(f"{name} is not a whole pickle ({type(error).__name__}: {error}); get it again.") from None
