"""Progress with rate and time left: a bar on a terminal, a line every half minute elsewhere."""

import sys
import time
from collections.abc import Callable
from typing import Any

from tqdm import tqdm


class Progress:
    """Counts steps.

    Args:
        label: what is running; None shows nothing.
        total: number of steps in all.
        done: number of steps done before.

    Attributes:
        listener: where set, it is given {"label", "total", "initial", "done", "seconds"} about once a second, and
            nothing is shown here; of the class, for a process whose parent shows it.
    """

    listener: Callable[[dict[str, Any]], None] | None = None

    def __init__(self, label: str | None, total: int, done: int = 0):
        self.label, self.total, self.done = label, total, done
        self.initial, self.started = done, time.monotonic()
        self.last_shown = self.started
        self.bar = None

    def __enter__(self):
        if self.label and not Progress.listener and sys.stderr and sys.stderr.isatty():
            self.bar = tqdm(total=self.total, initial=self.done, desc=self.label, leave=False)
        return self

    def __exit__(self, *_):
        if self.bar is not None:
            self.bar.close()

    def update(self) -> None:
        """Count one step."""
        self.done += 1
        if self.bar is not None:
            self.bar.update()
        elif self.label and time.monotonic() - self.last_shown > (1 if Progress.listener else 30):
            self.last_shown = time.monotonic()
            progress = {"label": self.label, "total": self.total, "initial": self.initial, "done": self.done}
            progress["seconds"] = self.last_shown - self.started
            if Progress.listener:
                Progress.listener(progress)
            else:
                print(line(progress), file=sys.stderr, flush=True)


def line(progress: dict[str, Any]) -> str:
    """Progress in a line: label, share, steps, time, time left, rate.

    Args:
        progress: as `Progress.listener` is given it.
    """
    counts = {"n": progress["done"], "total": progress["total"], "initial": progress["initial"]}
    return tqdm.format_meter(elapsed=progress["seconds"], prefix=progress["label"], ncols=0, **counts)
