import random

import numpy as np
import paddle
import pandas as pd
import pytest

from wgangp import InputError
from wgangp.data.batches import as_batches, as_labels, iterate_once
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


POINTS = np.random.default_rng(0).normal(size=(40, 2)).astype("float32")
LABELS = np.random.default_rng(1).integers(3, size=40)
ONE_HOT = np.eye(3)[LABELS]


class Points(paddle.io.Dataset):
    """Items made of a number's point and label."""

    def __init__(self, make):
        self.make = make

    def __len__(self):
        return len(POINTS)

    def __getitem__(self, i):
        return self.make(POINTS[i], LABELS[i])


def first(data, k=0, **options):
    return as_batches(data, 8, seed=0, **options)(k)


@pytest.mark.parametrize(
    "labels", [LABELS, LABELS[:, None], LABELS.astype("float64"), ONE_HOT, ONE_HOT > 0, list(LABELS)]
)
def test_a_pair_is_samples_with_labels(labels):
    for k in (0, 7):
        assert (first((POINTS, labels), k).numpy() == first(POINTS, k).numpy()).all()
        samples, numbers = first((POINTS, labels), k, classes=3)
        assert (samples.numpy() == first(POINTS, k).numpy()).all() and numbers.dtype == paddle.int64
        rows = [np.flatnonzero((POINTS == sample).all(axis=1)).item() for sample in samples.numpy()]
        assert (numbers.numpy() == LABELS[rows]).all()


def test_labels_of_data_sets_and_loaders_are_used_where_there_are_classes():
    def pair(point, label):
        return point.reshape(2, 1), label

    expected = first((POINTS.reshape(-1, 2, 1), LABELS), 3, classes=3)
    got = first(Points(pair), 3, classes=3)
    assert got[0].shape == [8, 2, 1] and all((a.numpy() == b.numpy()).all() for a, b in zip(expected, got, strict=True))
    loader = paddle.io.DataLoader(Points(pair), batch_size=8)
    samples, labels = first(loader, 2, classes=3)
    assert (samples.numpy() == POINTS[16:24].reshape(8, 2, 1)).all() and (labels.numpy() == LABELS[16:24]).all()
    assert (first(loader, 2).numpy() == samples.numpy()).all()


@pytest.mark.parametrize(
    "data, words",
    [
        ((POINTS, POINTS + 1), r"the labels of train_data are float32 \[40, 2\] for 40 samples; give one for each"),
        ((POINTS, LABELS[:30]), r"the labels of train_data are int64 \[30\] for 40 samples"),
        ((POINTS, LABELS + 0.5), "the labels of train_data are float64"),
        ((POINTS,), "train_data is a tuple of 1"),
        ((POINTS, LABELS, LABELS), "train_data is a tuple of 3"),
        ([POINTS, LABELS], "train_data is not one array of numbers"),
        ([[1.0, 2.0], [1.0]], "train_data is not one array of numbers"),
        (Points(lambda point, label: point[: 1 + label % 2]), "train_data is not one array of numbers"),
        (np.ma.masked_less(POINTS, -1), r"train_data has \d+ masked values"),
        ([np.ma.masked_less(point, -1) for point in POINTS], r"train_data has \d masked values"),
        (Points(lambda point, label: np.ma.masked_less(point, 9)), "sample 0 of train_data has 2 masked values"),
        (iter([np.ma.masked_less(POINTS, -1)]), r"batch 0 of train_data has \d+ masked values"),
        (POINTS + 1j, "train_data has dtype complex64; give numbers that are real"),
        (paddle.to_tensor(POINTS + 1j), "train_data has dtype complex64"),
        (iter([POINTS + 1j]), "batch 0 of train_data has dtype complex64"),
        (iter([POINTS[:0]]), "batch 0 of train_data is empty"),
        (POINTS[:, :0], "train_data is empty"),
        (iter([3.0]), "batch 0 of train_data is empty"),
        (iter(["words"]), "batch 0 of train_data has dtype <U5; give numbers"),
        (iter([[[1.0, 2.0], [1.0]]]), "batch 0 of train_data is not one array"),
        ({"x": POINTS}, "train_data is a dict"),
        ("points.npy", "train_data is a str"),
        (Points(lambda point, label: {"x": point, "y": label}), r"sample 0 of train_data is a dict \(x, y\)"),
        (pd.DataFrame({"x": POINTS[:, 0], "name": ["a"] * 40}), "train_data has dtype object"),
        (pd.DataFrame(np.where(POINTS > 2, np.nan, POINTS)), "train_data has NaN or infinite values in"),
        (np.full((40, 2), 1e300), "train_data has NaN or infinite values in 40 of 40"),
    ],
)
def test_what_cannot_be_trained_on_is_refused(data, words):
    with pytest.raises(InputError, match=words):
        first(data)


def test_a_loader_of_dicts_is_refused():
    loader = paddle.io.DataLoader(Points(lambda point, label: {"x": point, "y": label}), batch_size=8)
    with pytest.raises(InputError, match=r"batch 0 of train_data is a dict \(x, y\); give arrays, or pairs"):
        first(loader)


def test_batches_of_another_shape_are_refused():
    batches = as_batches(iter([POINTS[:8], POINTS[:8, :1]]), 8, 0)
    batches(0)
    with pytest.raises(InputError, match=r"batch 1 of train_data has samples of shape \[1\], those before have \[2\]"):
        batches(1)


@pytest.mark.parametrize(
    "labels, words",
    [
        (None, "train_data has no labels"),
        ([0, 1, 3], "there are labels from 0 to 3; use 0 to 2"),
        ([-1, 1, 2], "there are labels from -1 to 2"),
        ([0, 1], "give one for each"),
        (np.eye(4)[:3], r"float64 \[3, 4\] for 3 samples"),
        (np.ones((3, 3)), "or one-hot vectors"),
        (["a", "b", "c"], "has dtype <U1; give numbers"),
        ([0, 1, np.nan], "the labels of train_data are float64"),
    ],
)
def test_labels_that_do_not_fit_are_refused(labels, words):
    with pytest.raises(InputError, match=words):
        as_labels(labels, 3, 3)


@pytest.mark.parametrize("wrap", [lambda x: x, list, lambda x: iter([x]), lambda x: iter([(x, 7)])])
def test_bfloat16_is_cast(wrap):
    values = paddle.full([40, 2], 0.03, "bfloat16")
    assert np.allclose(first(wrap(values)).numpy(), 0.03, rtol=0.01)


def test_a_data_frame_is_its_array():
    assert (first(pd.DataFrame(POINTS), 2).numpy() == first(POINTS, 2).numpy()).all()


class Ring:
    """What the documentation asks of a distribution, and no more."""

    def sample(self, n, rng):
        angle = rng.uniform(0, 2 * np.pi, n)
        return np.stack([np.cos(angle), np.sin(angle)], axis=1)


def test_a_distribution_needs_only_sample():
    one, two = as_batches(Ring(), 8, 0), as_batches(Ring(), 8, 0)
    assert one(3).dtype == paddle.float32 and one(3).shape == [8, 2]
    assert (one(4).numpy() == two(4).numpy()).all() and (one(4).numpy() != one(3).numpy()).any()
    assert one.describe() == "samples of Ring, each batch used 1 times"


def test_a_data_set_with_a_member_named_sample_is_a_data_set():
    class Named(Points):
        sample = 3

    data = Named(lambda point, label: point)
    assert sorted(map(tuple, first(data).tolist())) == sorted(map(tuple, first(POINTS).tolist()))


def test_what_has_another_sample_method_is_told_so():
    with pytest.raises(InputError, match=r"train_data.sample\(8, rng\) cannot be called"):
        as_batches(paddle.distribution.Normal(0.0, 1.0), 8, 0)(0)


def test_a_data_set_without_a_length_is_refused():
    class Endless(paddle.io.Dataset):
        def __getitem__(self, i):
            return POINTS[0]

    with pytest.raises(InputError, match="the data set Endless has no __len__"):
        as_batches(Endless(), 8, 0)


@pytest.mark.parametrize(
    "drawn, words",
    [
        (lambda n: np.full((n, 2), np.nan), r"of train_data.sample\(n, rng\) has NaN or infinite values"),
        (lambda n: np.zeros((n + 1, 2)), r"sample\(8, rng\) returns 9 samples"),
        (lambda n: np.ones((n, 2)) * 1j, "has dtype complex128"),
    ],
)
def test_what_a_distribution_gives_is_checked(drawn, words):
    ring = Ring()
    ring.sample = lambda n, rng: drawn(n)
    with pytest.raises(InputError, match=words):
        first(ring)


class Jittered(Points):
    """Points with noise of global random numbers, as of augmentations."""

    def __getitem__(self, i):
        return POINTS[i] + np.random.normal() + random.random() + paddle.randn([1]).numpy()


class Stream(paddle.io.IterableDataset):
    def __iter__(self):
        return (POINTS[i] + np.random.normal() for i in np.random.permutation(40))


def loaders():
    points = Points(lambda point, label: point)
    return {
        "shuffled": paddle.io.DataLoader(points, batch_size=8, shuffle=True),
        "augmented": paddle.io.DataLoader(Jittered(None), batch_size=8, shuffle=True),
        "read whole": Jittered(None),
        "workers": paddle.io.DataLoader(Jittered(None), batch_size=8, shuffle=True, num_workers=2),
        "iterable": Stream(),
        "generator": (paddle.randn([8, 2]) + np.random.normal() for _ in range(20)),
        "distributed": paddle.io.DataLoader(
            points, batch_sampler=paddle.io.DistributedBatchSampler(points, 8, num_replicas=1, rank=0, shuffle=True)
        ),
    }


def read(loader, seed, numbers):
    np.random.seed(None), random.seed(None)
    batches = as_batches(loader, 8, seed)
    arrays = [batches(k).numpy() for k in numbers]
    for _ in getattr(batches, "iterator", ()):  # to its end, so that workers end, too
        pass
    return arrays


@pytest.mark.parametrize("kind", loaders())
def test_random_numbers_of_the_data_follow_the_seed(kind):
    loader = loaders()[kind]
    one = read(loader, 0, range(12))
    two, other = read(loaders()[kind], 0, range(12)), read(loaders()[kind], 1, range(12))
    assert (np.array(one) == two).all()
    assert (np.array(one) != other).any() == (kind != "distributed")  # Paddle's sampler takes no seed
    assert (one[0] != one[5]).any()  # the second pass is shuffled anew
    assert (read(loaders()[kind], 0, [11])[0] == one[11]).all()  # resumed
    if kind != "generator":
        assert (read(loader, 0, [3])[0] == one[3]).all()  # of one object, too


def test_random_numbers_outside_the_data_are_left_alone():
    def numbers(read):
        np.random.seed(3), random.seed(3), paddle.seed(3)
        batches = as_batches(loaders()["augmented"], 8, 0)
        if read:
            batches(0)
        return np.random.rand(), random.random(), paddle.rand([1]).item()

    assert numbers(False) == numbers(True)


@pytest.mark.parametrize("drop_last", [False, True])
def test_loaders_give_what_paddle_gives(drop_last):
    def pair(point, label):
        return {"all": (point, label)}

    def collate(items):
        return [np.stack([item["all"][0] for item in items]), np.array([item["all"][1] for item in items])]

    for dataset, options in ((Points(pair), {"collate_fn": collate}), (Stream(), {})):
        loader = paddle.io.DataLoader(dataset, batch_size=12, drop_last=drop_last, **options)
        np.random.seed(0)
        expected = [batch for batch in loader]
        np.random.seed(0)
        got = list(iterate_once(loader))
        assert len(got) == len(expected) == 4 - drop_last
        assert all(
            (np.asarray(a) == np.asarray(b)).all()
            for one, two in zip(got, expected, strict=True)
            for a, b in zip(one, two, strict=True)
        )
