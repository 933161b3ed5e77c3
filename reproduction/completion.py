"""What the shell completes, after eval "$(register-python-argcomplete wgangp)": experiments and their settings."""

import argparse
import os
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "experiments"


def experiments(prefix: str, **_: object) -> list[str]:
    """Names of experiments.

    Args:
        prefix: what has been typed; argcomplete leaves out what does not begin with it.
    """
    return sorted(path.parent.name for path in FOLDER.glob("*/config.yaml"))


def settings(prefix: str, parsed_args: argparse.Namespace, **_: object) -> list[str]:
    """Names of the settings of the experiments on the command line, or of all.

    Args:
        prefix: as of `experiments`.
        parsed_args: the command line before it.
    """
    import yaml

    typed = tuple(getattr(parsed_args, "names", None) or [""])
    files = [path for path in FOLDER.glob("*/config.yaml") if path.parent.name.startswith(typed)]
    return [setting for path in files for setting in yaml.safe_load(path.read_text("utf-8"))["settings"]]


def complete(parser: argparse.ArgumentParser) -> None:
    """Answer the shell, and end, where it asks; nothing where the process is a command."""
    if "_ARGCOMPLETE" in os.environ:
        import argcomplete

        argcomplete.autocomplete(parser)
