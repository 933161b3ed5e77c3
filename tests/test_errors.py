"""Messages of Paddle's errors without what is for its developers."""

import paddle
import pytest
from paddle import nn

from wgangp.errors import plain_cause, plain_message

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
    told = plain_message(error.value)
    assert words in told
    assert not any(noise in told for noise in ("\n", "(at ", "Hint", "/paddle/", "(InvalidArgument)", "operator <"))
    assert plain_cause(error.value) is None


def test_other_errors():
    assert plain_message(RuntimeError(WITH_STACK)) == "InvalidArgumentError: The sizes differ"
    assert plain_cause(RuntimeError(WITH_STACK)) is None
    error = KeyError("a")
    assert (plain_message(error), plain_cause(error)) == ("'a'", error)
    assert plain_message(AssertionError()) == "AssertionError"
    assert plain_message(ValueError("two lines\n  of text (at most).")) == "two lines of text (at most)"
