"""Checks of the numbers that measures are given."""

from typing import Any

import numpy as np

from wgangp.errors import InputError

LARGEST = 1e50  # beyond the range of float32; cubes and sums of smaller numbers are still finite in float64


def real_numbers(values: Any, name: str, form: str | None = None) -> np.ndarray:
    """Turn numbers into an array; they may still be NaN or infinite.

    Args:
        values: an array, a tensor or a list.
        name: what messages call them, a plural.
        form: the shape they must have, such as "[n, 2]" (a letter is any size of at least 1); when None, any shape
            that is not empty.

    Returns:
        An array of integers or floating-point numbers.

    Raises:
        InputError: they are complex numbers, objects, strings, truth values, masked, empty or of another shape.
    """
    if isinstance(values, np.ma.MaskedArray):
        raise InputError(f"{name} are a masked array; leave out or fill in the masked values.")
    if str(getattr(values, "dtype", "")) == "paddle.bfloat16":  # numpy would see its bits as integers
        values = values.astype("float32")
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise InputError(f"{name} are not an array ({error}); give {form or 'one'} of real numbers.") from None
    if array.dtype.kind not in "iuf" or not _fits(array.shape, form):
        raise InputError(f"{name} are {array.dtype} {list(array.shape)}; give {form or 'an array'} of real numbers.")
    return array


def _fits(shape, form):
    sizes = form.strip("[]").split(", ") if form else ["n"] * len(shape)
    same_length = len(sizes) == len(shape)
    return same_length and all(n == int(size) if size.isdigit() else n > 0 for n, size in zip(shape, sizes))


def finite(values: Any, name: str, form: str | None = None) -> np.ndarray:
    """Turn numbers into float64 and check that all are finite and at most 1e50 in size.

    Args:
        values, name, form: as for `real_numbers`.

    Returns:
        float64, the same shape.

    Raises:
        InputError: as of `real_numbers`; or some are NaN, infinite or larger.
    """
    array = real_numbers(values, name, form).astype("float64", copy=False)
    unusable = ~(np.abs(array) <= LARGEST)
    if unusable.any():
        first = [int(i) for i in np.unravel_index(unusable.argmax(), unusable.shape)]
        raise InputError(
            f"{name} are not finite: NaN, infinite or above 1e50 in {unusable.sum()} of {unusable.size} places, the "
            f"first at {first}; the computation that gave them has failed."
        )
    return array
