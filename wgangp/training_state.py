"""Everything that a training needs to go on later, in one file."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from wgangp import network_state
from wgangp.errors import Diverged, InputError
from wgangp.optimizers import load_state_arrays, state_arrays
from wgangp.runtime import checkpoint as checkpoints
from wgangp.runtime import distributed


class TrainingState:
    """The networks, the optimizers and the history of a training, and the checkpoint that holds them.

    Args:
        path: of the checkpoint; None where there is to be none.
        networks: {name: Paddle layer}.
        optimizers: {name: optimizer}.
        settings: the hyperparameters that a checkpoint must match, {name: value}.
        batch_size: of the generator, for `generate`.
    """

    def __init__(self, path: Path | None, networks: dict, optimizers: dict, settings: dict[str, Any], batch_size: int):
        self.path, self.networks, self.optimizers = path, networks, optimizers
        self.settings, self.batch_size = settings, batch_size

    def restore(self) -> list[dict[str, float]] | None:
        """Go on from the checkpoint where it is there.

        Returns:
            The rows of the history so far; None where there is no checkpoint.

        Raises:
            InputError: it cannot be read, or is of another training or of one that diverged.
        """
        saved = checkpoints.read_newest(self.path) if self.path else None
        if saved is None:
            return None
        arrays, about = saved
        theirs = about.get("settings", {})
        differing = [name for name, value in self.settings.items() if theirs.get(name) != value]
        if differing:
            what = "; ".join(f"{name} was {theirs.get(name)!r}, is {self.settings[name]!r}" for name in differing)
            paths = (self.path, checkpoints.previous_path(self.path))
            files = " and ".join(str(path) for path in paths if path.exists())
            raise InputError(f"the checkpoint {self.path} is of another run ({what}); delete {files} or name another.")
        if bad := network_state.first_not_finite(self.networks, arrays):
            raise InputError(
                f"the checkpoint {self.path} is of a training that diverged: {bad} has NaN or infinite values; delete "
                f"it, to go on from {checkpoints.previous_path(self.path)} where that is there."
            )
        network_state.load(self.networks, arrays, self.path)
        for name, optimizer in self.optimizers.items():
            load_state_arrays(optimizer, name, arrays)
        history = pd.DataFrame({k.split("/", 1)[1]: v for k, v in arrays.items() if k.startswith("history/")})
        return [{k: v for k, v in row.items() if not np.isnan(v)} for row in history.to_dict("records")]

    def write(self, history: pd.DataFrame) -> None:
        """Write the checkpoint, where there is to be one, after making sure that all weights are finite.

        Args:
            history: a row per iteration.

        Raises:
            Diverged: a weight is not finite; the checkpoint is left as it was.
            InputError: the file cannot be written.
        """
        arrays = network_state.arrays_of(self.networks)
        if bad := network_state.first_not_finite(self.networks, arrays):
            raise Diverged(
                f"training diverged: after {len(history)} iterations {bad} has NaN or infinite values; "
                f"{self.last_good()}."
            )
        if self.path is None or distributed.rank() != 0:
            return
        for name, optimizer in self.optimizers.items():
            arrays |= state_arrays(optimizer, name)
        arrays |= {f"history/{name}": history[name].to_numpy("float64") for name in history}
        about = {"iteration": len(history), "settings": self.settings, "batch_size": self.batch_size}
        checkpoints.write(self.path, arrays, about)

    def last_good(self) -> str:
        """Name the checkpoint that a diverged training can go back to, in words."""
        if self.path and self.path.exists():
            return f"the last good checkpoint is {self.path}"
        return "there is no checkpoint"
