"""Progress with rate and time left: a bar on a terminal, a line every half minute elsewhere."""

import sys
import time

from tqdm import tqdm


class Progress:
    """Counts steps.

    Args:
        label: what is running; None shows nothing.
        total: number of steps in all.
        done: number of steps done before.
    """

    position = 0  # the line of the bar on a terminal that several processes share

    def __init__(self, label: str | None, total: int, done: int = 0):
        self.label, self.total, self.done = label, total, done
        self.initial, self.started = done, time.monotonic()
        self.last_shown = self.started
        self.bar = None

    def __enter__(self):
        if self.label and sys.stderr and sys.stderr.isatty():
            self.bar = tqdm(total=self.total, initial=self.done, desc=self.label, position=self.position, leave=False)
        return self

    def __exit__(self, *_):
        if self.bar is not None:
            self.bar.close()

    def update(self) -> None:
        """Count one step."""
        self.done += 1
        if self.bar is not None:
            self.bar.update()
        elif self.label and time.monotonic() - self.last_shown > 30:
            self.last_shown = time.monotonic()
            meter = tqdm.format_meter(
                self.done, self.total, self.last_shown - self.started, prefix=self.label, initial=self.initial, ncols=0
            )
            print(meter, file=sys.stderr, flush=True)
