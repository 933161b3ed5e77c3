"""Messages of Paddle's errors without what is for its developers, and checks of the user's numbers."""

from fractions import Fraction

import numpy as np
import paddle
import pytest
from paddle import nn

from wgangp.errors import InputError, check_number, plain_cause, plain_message

WITH_STACK = """

--------------------------------------
C++ Traceback (most recent call last):
--------------------------------------
0   phi::KernelImpl<void (*)(phi::CPUContext const&)>
1   phi::MatmulKernel(phi::DenseTensor const&)

----------------------
Error Message Summary:
----------------------
InvalidArgumentError: The sizes differ.
  [Hint: Expected a == b, but received a:3 != b:4.] (at /paddle/paddle/phi/infermeta/binary.cc:100)
  [operator < matmul > error]"""


@pytest.mark.parametrize(
    "wrong, words",
    [
        (
            lambda: nn.Linear(3, 1)(paddle.ones([2, 2])),
            "In operator matmul, the [1] dimension of Input(X) must be equal",
        ),
        (lambda: paddle.ones([4]).reshape([3]), "The 'shape' in ReshapeOp is invalid"),
        (
            lambda: paddle.concat([paddle.ones([2, 2]), paddle.ones([3, 3])]),
            "is expected to be equal",
        ),
        (lambda: nn.Conv2D(3, 4, 3)(paddle.ones([2, 2, 8, 8])), "input's channels should be equal"),
        (lambda: paddle.ones([2]).sum(axis=5), "But received dim index = 5"),
    ],
)
def test_paddles_errors_are_one_sentence(wrong, words):
    with pytest.raises(Exception) as error:
        wrong()
    assert "(at " in str(error.value)  # what is to be left out
    message = plain_message(error.value)
    assert words in message
    assert not any(noise in message for noise in ("\n", "(at ", "Hint", "/paddle/", "(InvalidArgument)", "operator <"))
    assert plain_cause(error.value) is None


def test_other_errors():
    assert plain_message(RuntimeError(WITH_STACK)) == "InvalidArgumentError: The sizes differ"
    assert plain_cause(RuntimeError(WITH_STACK)) is None
    error = KeyError("a")
    assert (plain_message(error), plain_cause(error)) == ("'a'", error)
    assert plain_message(AssertionError()) == "AssertionError"
    assert plain_message(ValueError("two lines\n  of text (at most).")) == "two lines of text (at most)"


@pytest.mark.parametrize("value", [2, 2.0, np.int32(2), np.float32(2), Fraction(4, 2)])
def test_numbers_of_every_type_become_pythons(value):
    assert (check_number("n", value), type(check_number("n", value))) == (2.0, float)


def test_whole_numbers_are_integers_of_any_type():
    assert type(check_number("n", np.int64(3), whole=True)) is int
    for value in (3.0, np.float32(3), True):
        with pytest.raises(InputError, match="use an integer"):
            check_number("n", value, whole=True)


@pytest.mark.parametrize(
    "bounds, inside, outside, words",
    [
        ({"at_least": 1}, [1, 1.5, 3e38], [0.999, -2], "use a finite number of at least 1."),
        ({"above": 0}, [1e-30, 5], [0, -1], "use a finite number above 0."),
        ({"below": 2}, [1.99, -5], [2, 3], "use a finite number below 2."),
        ({"at_least": 0, "below": 1}, [0, 0.5], [-0.1, 1], "use a finite number of at least 0 and below 1."),
        ({}, [0, -3e38], [], "use a finite number."),
    ],
)
def test_bounds_of_numbers(bounds, inside, outside, words):
    assert [check_number("rate", value, **bounds) for value in inside] == inside
    for value in [*outside, float("nan"), float("inf"), -float("inf"), 1e39, "1", None, True, 1j]:
        with pytest.raises(InputError) as caught:
            check_number("rate", value, **bounds)
        assert str(caught.value) == f"rate is {value!r}; {words}"
