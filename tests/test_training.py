"""The training loop: seeds, data, callbacks, settings, time."""

import time

import numpy as np
import paddle
import pandas as pd
import pytest
from toy_gan import new, weights

from wgangp import Callback, InputError
from wgangp.data.toy import Toy
from wgangp.errors import BudgetSpent
from wgangp.runtime import checkpoint


def test_generator_is_not_stepped_in_the_first_iteration():
    gan = new()
    before = [p.numpy() for p in gan.generator.parameters()]
    history = gan.train(Toy("8gaussians"), batch_size=16, iterations=1, progress=None)
    assert all((a == p.numpy()).all() for a, p in zip(before, gan.generator.parameters(), strict=True))
    assert "generator_loss" not in history


def test_sizes_may_be_numpys():
    history = new().train(Toy("8gaussians"), batch_size=np.int64(16), iterations=np.int64(2), progress=None)
    assert len(history) == 2


def test_decay_and_generator_batch_size():
    rates, sizes = [], []
    gan = new()
    whole_step, whole_fakes = gan.critic_step, gan.in_batches
    gan.critic_step = lambda real, fake, optimizer: (
        rates.append(optimizer.get_lr()) or whole_step(real, fake, optimizer)
    )
    gan.in_batches = lambda batch_sizes, *z: sizes.extend(batch_sizes) or whole_fakes(batch_sizes, *z)
    gan.train(
        Toy("8gaussians"), 16, iterations=4, lr_decay=True, generator_batch_size=24, d_learning_rate=1.0, progress=None
    )
    assert rates == pytest.approx(np.repeat([1, 0.75, 0.5, 0.25], 5))
    assert sizes == [16] * 5 + ([24] + [16] * 5) * 3


def test_training_data_of_every_kind_gives_the_same_training():
    array = np.random.default_rng(0).normal(size=(64, 2)).astype("float32")

    class Data(paddle.io.Dataset):
        def __len__(self):
            return 64

        def __getitem__(self, i):
            return array[i], 7

    class Stream(paddle.io.IterableDataset):
        def __iter__(self):
            return iter(array)

    def trained(data):
        gan = new()
        gan.train(data, batch_size=16, iterations=2, progress=None)
        return weights(gan)

    assert (trained(array) == trained(paddle.to_tensor(array))).all()
    assert (trained(array) == trained(Data())).all()
    in_order = [array[i : i + 16] for i in range(0, 64, 16)]
    assert (trained(in_order_loader(array)) == trained(iter(in_order * 3))).all()
    assert (trained(Stream()) == trained(iter(in_order * 3))).all()


def in_order_loader(array):
    return paddle.io.DataLoader(paddle.io.TensorDataset([paddle.to_tensor(array)]), batch_size=16)


def test_same_seed_same_result_other_seed_other_result():
    def trained(seed):
        gan = new()
        gan.train(Toy("swissroll"), batch_size=16, iterations=3, seed=seed, progress=None)
        return weights(gan)

    assert (trained(1) == trained(1)).all()
    assert (trained(1) != trained(2)).any()


def test_a_step_that_was_interrupted_leaves_no_gradient(tmp_path):
    """Ctrl-C between the critic's backward pass and its step."""
    options = {"batch_size": 16, "iterations": 4, "progress": None}
    whole, gan = new(), new()
    whole.train(Toy("8gaussians"), **options)
    true_backward, calls = gan.critic_backward, []

    def backward(real, fake):
        losses = true_backward(real, fake)
        calls.append(1)
        if len(calls) == 7:
            raise KeyboardInterrupt
        return losses

    gan.critic_backward = backward
    with pytest.raises(KeyboardInterrupt):
        gan.train(Toy("8gaussians"), checkpoint=tmp_path / "c.npz", **options)
    assert any(p.grad is not None for p in gan.discriminator.parameters())
    gan.train(Toy("8gaussians"), checkpoint=tmp_path / "c.npz", **options)
    assert (weights(gan) == weights(whole)).all()


def test_a_clock_set_back_stops_no_checkpoint(tmp_path, monkeypatch):
    hours = iter(range(10**6, 0, -1))
    monkeypatch.setattr(time, "time", lambda: 3600.0 * next(hours))
    seen = []

    def look(gan, iteration, losses):
        seen.append(checkpoint.read(tmp_path / "c.npz")[1]["iteration"])

    options = {"checkpoint": tmp_path / "c.npz", "checkpoint_seconds": 0, "callbacks": [look], "progress": None}
    seconds = new().train(Toy("8gaussians"), batch_size=16, iterations=4, **options)["seconds"]
    assert seen == [0, 1, 2, 3]
    assert (np.diff(seconds) >= 0).all() and 0 <= seconds.iloc[-1] < 60


def test_seconds_do_not_count_callbacks():
    def slow(gan, iteration, losses):
        time.sleep(0.2)

    began = time.time()
    options = {"batch_size": 16, "iterations": 5, "progress": None}
    seconds = new().train(Toy("8gaussians"), callbacks=[slow], **options)["seconds"]
    assert (np.diff(seconds) >= 0).all() and seconds.iloc[-1] < time.time() - began - 0.9


def test_callbacks_add_columns():
    def callback(gan, iteration, losses):
        if iteration % 2:
            return {"norm": iteration}

    history = new().train(Toy("8gaussians"), batch_size=16, iterations=4, callbacks=[callback], progress=None)
    assert history["norm"].dropna().tolist() == [1, 3]


@pytest.mark.parametrize("value", ["good", b"1", None, [1, 2], np.zeros(3), 1j])
def test_what_is_no_number_in_a_record_is_refused_at_its_callback(value, tmp_path):
    def callback(gan, iteration, losses):
        if iteration == 2:
            return {"verdict": value}

    with pytest.raises(InputError, match="a callback returned .* as 'verdict'"):
        new().train(
            Toy("8gaussians"),
            batch_size=16,
            iterations=4,
            checkpoint=tmp_path / "c.npz",
            callbacks=[callback],
            progress=None,
        )


def test_numbers_of_any_kind_in_a_record_are_the_same_after_resuming(tmp_path):
    def callback(gan, iteration, losses):
        return {"a": np.float32(iteration), "b": np.array([iteration]), "c": paddle.to_tensor(2.0), "d": True}

    options = {"batch_size": 16, "callbacks": [callback], "progress": None}
    whole = new().train(Toy("8gaussians"), iterations=4, **options)
    new().train(Toy("8gaussians"), iterations=2, checkpoint=tmp_path / "c.npz", **options)
    history = new().train(Toy("8gaussians"), iterations=4, checkpoint=tmp_path / "c.npz", **options)
    names = ["a", "b", "c", "d"]
    pd.testing.assert_frame_equal(history[names], whole[names])
    assert whole["b"].tolist() == [0, 1, 2, 3]


def test_deadline_stops_with_a_checkpoint(tmp_path):
    path = tmp_path / "c.npz"
    with pytest.raises(BudgetSpent, match="after iteration 1 of 50"):
        new().train(
            Toy("8gaussians"), batch_size=16, iterations=50, checkpoint=path, deadline=time.time(), progress=None
        )
    assert checkpoint.read(path)[1]["iteration"] == 1


NAN = np.ones((50, 2), "float32")

NAN[7, 1] = np.nan


@pytest.mark.parametrize(
    "data, options, words",
    [
        (np.zeros((0, 2)), {}, "train_data is empty"),
        (NAN, {}, r"NaN or infinite values in 1 of 50 samples \(the first is number 7\)"),
        (np.zeros((50, 2, 2)), {}, r"shape \[2, 2\] but the generator makes \[2\]"),
        (np.zeros((50,)), {}, r"shape \[\] but the generator makes \[2\]"),
        (np.zeros((8, 2)), {}, "batch_size is 16 but train_data has 8 samples"),
        (np.array([["a", "b"]] * 50), {}, "give numbers"),
        (7, {}, "train_data is a int"),
        (iter([]), {}, "ended after 0 batches"),
        (iter([NAN]), {}, "batch 0 of train_data has NaN"),
        (np.zeros((50, 2)), {"batch_size": 0}, "batch_size is 0"),
        (np.zeros((50, 2)), {"iterations": 1.5}, "iterations is 1.5"),
        (np.zeros((50, 2)), {"iterations": True}, "iterations is True; use an integer of at least 1"),
        (np.zeros((50, 2)), {"seed": "a"}, "seed is 'a'"),
        (np.zeros((50, 2)), {"seed": 2**64}, "seed is 18446744073709551616"),
        (np.zeros((50, 2)), {"optimizer": "sgd"}, "optimizer 'sgd' is unknown"),
        (np.zeros((50, 2)), {"optimizer": ""}, "optimizer '' is unknown"),
        (np.zeros((50, 2)), {"g_learning_rate": 0}, "g_learning_rate is 0; use a finite number above 0"),
        (np.zeros((50, 2)), {"d_learning_rate": -1e-4}, "d_learning_rate is -0.0001"),
        (np.zeros((50, 2)), {"d_learning_rate": float("nan")}, "d_learning_rate is nan"),
        (np.zeros((50, 2)), {"g_learning_rate": "1e-4"}, "g_learning_rate is '1e-4'"),
        (np.zeros((50, 2)), {"g_learning_rate": np.array([1e-4, 1])}, r"g_learning_rate is array\("),
        (np.zeros((50, 2)), {"beta1": 1.0}, "beta1 is 1.0; use a finite number of at least 0 and below 1"),
        (np.zeros((50, 2)), {"beta2": -0.1}, "beta2 is -0.1"),
        (np.zeros((50, 2)), {"beta2": 1.5, "optimizer": "rmsprop"}, "beta2 is 1.5"),
        (np.zeros((50, 2)), {"generator_batch_size": 0}, "generator_batch_size is 0"),
        (np.zeros((50, 2)), {"generator_batch_size": 2.5}, "generator_batch_size is 2.5"),
        (np.zeros((50, 2)), {"d_weight_decay": -0.1}, "d_weight_decay is -0.1"),
        (np.zeros((50, 2)), {"d_weight_decay": "0.1"}, "d_weight_decay is '0.1'"),
        (np.zeros((50, 2)), {"checkpoint_seconds": float("inf")}, "checkpoint_seconds is inf"),
        (np.zeros((50, 2)), {"deadline": "noon"}, "deadline is 'noon'; use a finite number."),
        (np.zeros((50, 2)), {"checkpoint": 5}, "'5' cannot be a checkpoint"),
        (np.zeros((50, 2)), {"checkpoint": ""}, "'' cannot be a checkpoint"),
        (np.zeros((50, 2)), {"lr_decay": "no"}, "lr_decay is 'no'; use True or False"),
        (np.zeros((50, 2)), {"callbacks": print}, "give a list of functions"),
        (np.zeros((50, 2)), {"callbacks": ["print"]}, "'print' is no callback"),
        (np.zeros((50, 2)), {"progress": True}, "progress is True; give the label"),
        (np.zeros((50, 2)), {"callbacks": [lambda *_: {"seconds": 1}]}, "a callback returned seconds, which"),
    ],
)
def test_unusable_training_data_and_settings(data, options, words):
    with pytest.raises(InputError, match=words):
        new().train(data, **{"batch_size": 16, "iterations": 2, "progress": None} | options)


@pytest.mark.parametrize("every", [0, 1.5, "2", None])
def test_a_callback_s_every_is_checked(every):
    with pytest.raises(InputError, match="every is"):
        Callback(print, every)


def test_a_callback_is_called_after_every_so_many_iterations():
    calls = []
    callback = Callback(lambda gan, iteration, losses: calls.append((iteration, sorted(losses))), every=3)
    history = new().train(Toy("8gaussians"), batch_size=16, iterations=7, callbacks=[callback], progress=None)
    assert calls == [(i, sorted(history)) for i in (2, 5)]


def test_an_interrupted_training_leaves_its_history():
    def stop(gan, iteration, losses):
        if iteration == 3:
            raise KeyboardInterrupt

    gan = new()
    with pytest.raises(KeyboardInterrupt):
        gan.train(Toy("8gaussians"), batch_size=16, iterations=9, callbacks=[stop], progress=None)
    whole = new().train(Toy("8gaussians"), batch_size=16, iterations=4, progress=None)
    assert gan.history["critic_loss"].equals(whole["critic_loss"])


def test_memory_does_not_grow():
    import psutil

    gan = new()
    data = Toy("8gaussians")
    gan.train(data, batch_size=64, iterations=40, progress=None)
    before = psutil.Process().memory_info().rss
    gan.train(data, batch_size=64, iterations=200, progress=None)  # 1,000 critic steps
    assert psutil.Process().memory_info().rss - before < 20e6
