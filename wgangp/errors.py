"""The exceptions that carry one sentence for the user."""


class InputError(ValueError):
    """Something the user gave cannot be used; the message says what, where and what to do."""


class Diverged(ArithmeticError):
    """A loss became NaN or infinite during training."""


class BudgetSpent(Exception):
    """The time given to a run is over; its checkpoint is written."""
