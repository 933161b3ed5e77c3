"""The record of a training: losses stay on the device and are read every so often."""

import math
import reprlib
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import paddle
import pandas as pd

from wgangp.errors import Diverged, InputError


class History:
    """Rows of a training's history, one per iteration.

    Reading a loss waits for the device, so that many are read at once: every MOST iterations or every second.

    Args:
        records: rows of the iterations before, dicts.
        last_good: names the checkpoint that a diverged training can go back to, a function without arguments.
    """

    MOST = 100

    def __init__(self, records: list[dict[str, float]], last_good: Callable[[], str]):
        self.records, self.last_good, self.waiting = records, last_good, []
        self.before = records[-1]["seconds"] if records else 0.0
        self.began = self.last_read = time.monotonic()

    def add(self, losses: dict[str, paddle.Tensor]) -> None:
        """Put the losses of the next iteration on record.

        Args:
            losses: {name: scalar tensor}.
        """
        now = time.monotonic()
        values = paddle.stack([value.reshape([]) for value in losses.values()])
        self.waiting.append((list(losses), values, self.before + now - self.began))
        if len(self.waiting) >= self.MOST or now - self.last_read > 1:
            self.read()

    def read(self) -> dict[str, float] | None:
        """Read what waits on the device.

        Returns:
            The last row; None where there is none.

        Raises:
            Diverged: a loss is NaN or infinite; it names the first iteration that has one.
        """
        for names, values, seconds in self.waiting:
            record = dict(zip(names, values.numpy().tolist(), strict=True))
            bad = ", ".join(f"{name} = {value}" for name, value in record.items() if not math.isfinite(value))
            if bad:
                raise Diverged(f"training diverged in iteration {len(self.records)}: {bad}; {self.last_good()}.")
            self.records.append(record | {"seconds": seconds})
        self.last_read = time.monotonic()
        if self.waiting:  # the device has only now done the last of them
            self.records[-1]["seconds"] = self.before + self.last_read - self.began
        self.waiting = []
        return self.records[-1] if self.records else None

    @contextmanager
    def paused(self) -> Iterator[None]:
        """A context whose time does not count as training."""
        began = time.monotonic()
        yield
        self.began += time.monotonic() - began

    def table(self) -> pd.DataFrame:
        """All rows, a pandas.DataFrame."""
        self.read()
        return self.so_far()

    def so_far(self) -> pd.DataFrame:
        """The rows that have been read, a pandas.DataFrame."""
        return pd.DataFrame(self.records)


def as_floats(returned: Mapping[str, Any] | None) -> dict[str, float]:
    """What a callback returned, as Python's floats: a checkpoint keeps no others.

    Args:
        returned: {name: number}, or None for nothing.

    Returns:
        {name: float}.

    Raises:
        InputError: it is something else.
    """
    if returned is None:
        return {}
    if not isinstance(returned, Mapping):
        raise InputError(f"a callback returned {reprlib.repr(returned)}; return numbers by name, or nothing.")
    numbers = {}
    for name, value in returned.items():
        try:
            value = value.item() if hasattr(value, "item") else value  # of an array or a tensor
            if not isinstance(name, str) or isinstance(value, (str, bytes)):
                raise TypeError
            numbers[name] = float(value)
        except (TypeError, ValueError):
            raise InputError(
                f"a callback returned {reprlib.repr(value)} as {name!r}; return single numbers by name."
            ) from None
    return numbers
