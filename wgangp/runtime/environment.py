"""The folders and switches that the environment names."""

import os
from pathlib import Path

from wgangp.errors import InputError


def expand_home(path: Path | str, name: str) -> Path:
    """Write out the home folder of a path that begins with ~ or ~user.

    Args:
        path: of a file or a folder.
        name: of what the user gave, for the message.

    Raises:
        InputError: there is no such user.
    """
    try:
        return Path(path).expanduser()
    except RuntimeError:
        raise InputError(f"{name} is {path}: there is no such user; name another folder.") from None


def named_folder(variable: str, default: Path | str) -> Path:
    """The folder that an environment variable names.

    Args:
        variable: its name.
        default: the folder where the variable is not set, or empty.

    Raises:
        InputError: it names the home folder of a user who does not exist.
    """
    return expand_home(os.environ.get(variable) or default, variable)


def data_folder() -> Path:
    """The folder of the data: $WGANGP_DATA, or ./data."""
    return named_folder("WGANGP_DATA", "data")


def is_offline() -> bool:
    """Whether nothing may be downloaded: $WGANGP_OFFLINE is set and not empty."""
    return bool(os.environ.get("WGANGP_OFFLINE"))


def may_embed() -> bool:
    """Whether small embedded data may stand in for missing ones: $WGANGP_NO_EMBEDDED is not set, or empty."""
    return not os.environ.get("WGANGP_NO_EMBEDDED")
