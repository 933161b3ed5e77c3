"""What every measure asks of the numbers that it is given."""

from typing import Any

import numpy as np

from wgangp.errors import InputError

LARGEST = 1e50  # more than float32 holds; cubes and sums of what is below are still finite in float64


def real_numbers(values: Any, name: str, form: str | None = None) -> np.ndarray:
    """Numbers as an array, which may still be NaN or infinite.

    Args:
        values: an array, a tensor or a list.
        name: what messages call them, a plural.
        form: the shape to have, such as "[n, 2]" (a letter is any size of at least 1); any that is not empty when None.

    Returns:
        An array of integers or floating-point numbers.

    Raises:
        InputError: complex numbers, objects, strings, truth values, a masked array, an empty one, or another shape.
    """
    if isinstance(values, np.ma.MaskedArray):
        raise InputError(f"{name} are a masked array; leave out or fill in what is masked.")
    if str(getattr(values, "dtype", "")) == "paddle.bfloat16":  # numpy would see its bits as integers
        values = values.astype("float32")
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise InputError(f"{name} are no array ({error}); give {form or 'one'} of real numbers.") from None
    if array.dtype.kind not in "iuf" or not _fits(array.shape, form):
        raise InputError(f"{name} are {array.dtype} {list(array.shape)}; give {form or 'an array'} of real numbers.")
    return array


def _fits(shape, form):
    sizes = form.strip("[]").split(", ") if form else ["n"] * len(shape)
    same = len(sizes) == len(shape)
    return same and all(have == int(size) if size.isdigit() else have > 0 for have, size in zip(shape, sizes))


def finite(values: Any, name: str, form: str | None = None) -> np.ndarray:
    """Numbers in float64, all finite and at most 1e50 in size.

    Args:
        values, name, form: as for `real_numbers`.

    Returns:
        float64, the same shape.

    Raises:
        InputError: as `real_numbers`, or NaN, infinite or larger values.
    """
    array = real_numbers(values, name, form).astype("float64", copy=False)
    bad = ~(np.abs(array) <= LARGEST)
    if bad.any():
        first = [int(i) for i in np.unravel_index(bad.argmax(), bad.shape)]
        raise InputError(
            f"{name} are not finite: NaN, infinite or above 1e50 in {bad.sum()} of {bad.size} places, the first at "
            f"{first}; what made them has failed."
        )
    return array
