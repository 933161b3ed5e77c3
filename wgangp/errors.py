"""The exceptions that carry one sentence for the user, and the check of a number that the user gave."""

import numbers
import re
import reprlib
from typing import Any

PADDLE_DETAILS = r"\[Hint:|\[operator <|\(at [^()]*:\d+\)"  # what Paddle adds to its messages for its developers


class InputError(ValueError):
    """Something the user gave cannot be used; the message says what, where and what to do."""


class InUse(InputError):
    """Another process holds the lock of what was asked for."""


class Diverged(ArithmeticError):
    """A loss became NaN or infinite during training."""


class BudgetSpent(Exception):
    """The time given to a run is over; its checkpoint is written."""


def plain_message(error: Exception) -> str:
    """The message of an error without what Paddle puts around it: the kind of error, stacks, hints and lines of C++.

    Args:
        error: an exception.

    Returns:
        One line without a full stop at its end; the name of the error's class where the message is empty.
    """
    text = str(error).split("Error Message Summary:")[-1].lstrip("-\n ")
    text = re.sub(r"^\(\w+\) ", "", re.split(PADDLE_DETAILS, text)[0])
    return " ".join(text.split()).rstrip(". ") or type(error).__name__


def plain_cause(error: Exception) -> Exception | None:
    """The error that an InputError is raised from: None instead of one whose message has Paddle's lines of C++.

    Args:
        error: an exception that an InputError explains.
    """
    return None if re.search(PADDLE_DETAILS, str(error)) else error


def check_number(
    name: str,
    value: Any,
    at_least: float | None = None,
    above: float | None = None,
    below: float | None = None,
    whole: bool = False,
) -> int | float:
    """Check a number that the user gave.

    Args:
        name: of the option, for the message.
        value: anything; True and False do not count as numbers.
        at_least, above, below: bounds of the range; None for no bound.
        whole: whether it must be an integer.

    Returns:
        The value, as Python's int or float.

    Raises:
        InputError: it is not a number, not finite in float32, or out of its range.
    """
    if (
        isinstance(value, numbers.Integral if whole else numbers.Real)
        and not isinstance(value, bool)
        and abs(value) < 3.4e38  # False for NaN
        and (at_least is None or value >= at_least)
        and (above is None or value > above)
        and (below is None or value < below)
    ):
        return int(value) if whole else float(value)
    bounds = (("of at least", at_least), ("above", above), ("below", below))
    limits = " and".join(f" {word} {bound}" for word, bound in bounds if bound is not None)
    kind = "an integer" if whole else "a finite number"
    raise InputError(f"{name} is {reprlib.repr(value)}; use {kind}{limits}.")
