"""What a terminal shows: while jobs run a line for each, with rate and time left, below the lines that stay."""

import sys
import time
from typing import Any, TextIO

from tqdm import tqdm

from wgangp.runtime.progress import line

BAR = "{desc}: {percentage:3.0f}% {n_fmt}/{total_fmt} [{elapsed}, {remaining} left, {rate_fmt}]"


def counted(count: float, noun: str) -> str:
    """A number with its noun: "1 run", "12 runs"."""
    return f"{count:.10g} {noun}{'' if count == 1 else 's'}"


class Display:
    """The lines of the running jobs, a bar each on a terminal, elsewhere a printed line every half minute.

    Args:
        stream: where the bars are drawn; the standard error when None. Lines that stay go to the standard output.
    """

    EVERY = 30.0  # seconds between two lines of a job where there is no terminal

    def __init__(self, stream: TextIO | None = None):
        self.stream = stream or sys.stderr
        self.on_terminal = bool(self.stream) and self.stream.isatty()
        self.bars, self.printed = {}, {}

    def show(self, position: int, progress: dict[str, Any]) -> None:
        """Show how far a job is.

        Args:
            position: of its worker, from 0.
            progress: as `Progress.listener` is given it.
        """
        if self.on_terminal:
            bar = self.bars.get(position)
            if bar is None or bar.desc.removesuffix(": ") != progress["label"]:
                self.clear(position)
                bar = self.bars[position] = tqdm(
                    total=progress["total"],
                    initial=progress["initial"],
                    desc=progress["label"],
                    position=position,
                    leave=False,
                    file=self.stream,
                    dynamic_ncols=True,
                    bar_format=BAR,
                )
                bar.start_t = time.time() - progress["seconds"]
            bar.n = progress["done"]
            bar.refresh()
        elif self.stream and time.monotonic() - self.printed.setdefault(position, time.monotonic()) > self.EVERY:
            self.printed[position] = time.monotonic()
            print(line(progress), file=self.stream, flush=True)

    def clear(self, position: int) -> None:
        """Take a job's line away."""
        bar = self.bars.pop(position, None)
        if bar is not None:
            bar.close()
        self.printed.pop(position, None)

    def close(self) -> None:
        """Take all lines of jobs away."""
        for position in list(self.bars):
            self.clear(position)

    def print(self, text: str) -> None:
        """Print lines that stay."""
        with tqdm.external_write_mode(file=sys.stdout):
            print(text, flush=True)
