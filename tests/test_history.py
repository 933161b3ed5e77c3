"""The record of a training."""

import time

import numpy as np
import paddle
import pytest

from wgangp import Diverged, InputError
from wgangp.history import History, as_floats


def losses(value):
    return {"critic_loss": paddle.to_tensor(float(value)), "generator_loss": paddle.to_tensor([2.0 * value])}


def test_rows_are_the_losses_in_order_and_seconds_go_on():
    history = History([{"critic_loss": 7.0, "seconds": 100.0}], lambda: "")
    for i in range(250):  # more than wait on the device at once
        history.add(losses(i))
        assert len(history.waiting) < History.MOST
    table = history.table()
    assert table["critic_loss"].tolist() == [7.0, *range(250)]
    assert table["generator_loss"].tolist()[1:] == [2.0 * i for i in range(250)] and np.isnan(
        table["generator_loss"][0]
    )
    assert (np.diff(table["seconds"]) >= 0).all() and 100 <= table["seconds"].iloc[-1] < 160


def test_the_first_iteration_that_is_not_finite_is_named():
    history = History([{"seconds": 0.0}] * 3, lambda: "go back to c.npz")
    for value in (1.0, float("nan"), 2.0, float("inf")):
        history.add(losses(value))
    with pytest.raises(Diverged, match=r"in iteration 4: critic_loss = nan, generator_loss = nan; go back to c\.npz"):
        history.read()


def test_time_in_a_pause_does_not_count():
    history = History([], lambda: "")
    with history.paused():
        time.sleep(0.3)
    history.add(losses(1))
    assert history.table()["seconds"].iloc[-1] < 0.25


def test_numbers_of_a_callback_become_floats():
    numbers = as_floats({"a": np.float32(0.5), "b": np.array([3]), "c": paddle.to_tensor(2.0), "d": True})
    assert numbers == {"a": 0.5, "b": 3.0, "c": 2.0, "d": 1.0} and {type(x) for x in numbers.values()} == {float}
    assert as_floats(None) == {}


@pytest.mark.parametrize("returned", [3.0, [("a", 1)], {"a": "1"}, {"a": [1, 2]}, {1: 1.0}, {"a": None}])
def test_what_is_no_number_is_refused(returned):
    with pytest.raises(InputError, match="a callback returned"):
        as_floats(returned)
