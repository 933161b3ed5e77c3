"""Reading pickles that hold data, and refusing those that would run something."""

import pickle

from wgangp.errors import InputError


class Refused(pickle.UnpicklingError):
    """A pickle asks for a name that is not on the list."""


class RestrictedUnpickler(pickle.Unpickler):
    """Unpickler that knows no names but those given to it and imports nothing.

    Args:
        file: open for reading, binary.
        allowed: {(module, name): object}, what each name in the pickle stands for. A pickle may call
            these objects and set their attributes, so they are harmless classes or values, or
            functions made for one reading.
        persistent_load: maps a persistent id to an object; ids are refused when None.
        encoding: of the strings that Python 2 wrote, "bytes" for CIFAR-10's.

    Raises:
        Refused: from `load`, for any other name.
    """

    def __init__(self, file, allowed, persistent_load=None, encoding="ASCII"):
        super().__init__(file, encoding=encoding)
        self.allowed, self.load_id = allowed, persistent_load

    def find_class(self, module, name):
        if (module, name) not in self.allowed:
            raise Refused(f"{module}.{name}")
        return self.allowed[module, name]

    def persistent_load(self, pid):
        if self.load_id is None:
            raise Refused("a persistent id")
        return self.load_id(pid)


def load(file, allowed, persistent_load=None, encoding="ASCII", name=None):
    """Read one pickle.

    Args:
        file: a path, or a file open for reading, binary (left behind the pickle's end).
        allowed, persistent_load, encoding: as for `RestrictedUnpickler`.
        name: what messages call the file; by default its path.

    Returns:
        What was pickled.

    Raises:
        InputError: it asks for a name that is not allowed, or cannot be read, or is not a whole pickle.
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
