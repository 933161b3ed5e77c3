"""Reading pickles without letting them call anything but what is named here."""

import pickle

from wgangp.errors import InputError


class RestrictedUnpickler(pickle.Unpickler):
    """An unpickler that finds nothing but the names it is given.

    Args:
        file: open for reading bytes.
        allowed: {(module, name): object}; the object stands for what the pickle asks for, so that it may be a
            harmless substitute.
        path: for messages.
        encoding: of the byte strings of Python 2, as in pickle.load.
    """

    def __init__(self, file, allowed, path, encoding="ASCII"):
        super().__init__(file, encoding=encoding)
        self.allowed, self.path = allowed, path

    def find_class(self, module, name):
        if (module, name) not in self.allowed:
            raise InputError(f"{self.path} is refused: it asks for {module}.{name}, which such a file never needs.")
        return self.allowed[module, name]

    def load(self):
        """Read one object.

        Returns:
            The object.

        Raises:
            InputError: the pickle asks for a name that is not allowed, is cut off, or is not a pickle.
        """
        try:
            return super().load()
        except InputError:
            raise
        except Exception as error:  # a malformed pickle can raise nearly anything
            raise InputError(
                f"{self.path} is cut off or not a pickle ({type(error).__name__}: {error}); "
                "delete it and fetch it again."
            ) from None
