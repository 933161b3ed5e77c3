"""What a training takes beside its data."""

from collections.abc import Callable, Mapping
from typing import Any

from wgangp.errors import InputError, number


class Callback:
    """A function that `.train` calls after every so many iterations.

    Args:
        function: called as function(gan, iteration, losses), with iterations counted from 0 and the losses of this
            one, {name: float}. The numbers that it returns, {name: number} or None, become columns of the history.
        every: iterations from one call to the next, at least 1.

    Raises:
        InputError: the function cannot be called, or every is no such number.
    """

    def __init__(self, function: Callable[[Any, int, dict[str, float]], Mapping[str, Any] | None], every: int = 1):
        if not callable(function):
            raise InputError(f"{function!r} is no callback; give a function.")
        self.function, self.every = function, number("every", every, at_least=1, whole=True)
