import numpy as np
import pytest

from wgangp.data.batches import as_batches
from wgangp.data.toy import Toy


def test_an_epoch_holds_every_sample_once_and_the_next_is_shuffled_anew():
    data = np.arange(50, dtype="float32")[:, None]
    batches = as_batches(data, 16, seed=0)
    epochs = [np.concatenate([batches(3 * epoch + i).numpy() for i in range(3)])[:, 0] for epoch in range(2)]
    assert all(len(set(epoch)) == 48 for epoch in epochs)
    assert (epochs[0] != epochs[1]).any() and set(epochs[0]) <= set(range(50))


@pytest.mark.parametrize("data", [np.random.default_rng(0).normal(size=(40, 2)), Toy("8gaussians"), Toy("swissroll")])
def test_batch_k_does_not_depend_on_what_was_read_before(data):
    fresh, used = as_batches(data, 8, seed=1), as_batches(data, 8, seed=1)
    for k in (0, 3, 11):
        used(k)
    assert (fresh(7).numpy() == used(7).numpy()).all()
    assert (as_batches(data, 8, seed=2)(7).numpy() != used(7).numpy()).any()


def test_reused_draws():
    batches = as_batches(Toy("8gaussians", reuse=3), 8, seed=0)
    assert (batches(0).numpy() == batches(2).numpy()).all()
    assert (batches(2).numpy() != batches(3).numpy()).any()


def test_stream_goes_on_where_a_resumed_run_needs_it():
    stream = [np.full((4, 2), i) for i in range(5)]
    assert float(as_batches(stream_of(stream), 4, 0)(3)[0, 0]) == 3
    batches = as_batches(ReadAgain(stream), 4, 0)
    assert [float(batches(k)[0, 0]) for k in range(7)] == [0, 1, 2, 3, 4, 0, 1]


def stream_of(items):
    yield from items


class ReadAgain:
    def __init__(self, items):
        self.items = items

    def __iter__(self):
        return iter(self.items)
