import json

import numpy as np
import paddle
import pytest

from wgangp.data.batches import SCALINGS, scale, to_bytes
from wgangp.data.images import embedded_patches
from wgangp.metrics.judge import PIXELS, Judge, frechet_pixels, precision_recall_pixels


@pytest.fixture(autouse=True)
def folders(tmp_path, monkeypatch):
    monkeypatch.setenv("WGANGP_OUTPUT", str(tmp_path))
    monkeypatch.setenv("WGANGP_DATA", str(tmp_path / "none"))
    return tmp_path


def test_pixel_distance_of_a_shift_is_its_squared_length():
    images = np.random.default_rng(0).integers(0, 200, size=(400, 3, 16, 16)).astype("uint8")
    assert frechet_pixels(images, images) == pytest.approx(0, abs=1e-6)
    assert frechet_pixels(images + np.uint8(5), images) == pytest.approx(192 * 25, rel=1e-6)


def test_pixel_recall_is_the_share_of_averages_within_the_others_neighbourhoods():
    rng = np.random.default_rng(0)
    images, real = (rng.integers(0, 256, size=(n, 3, 16, 24)).astype("uint8") for n in (40, 50))

    def averages(x):
        blocks = [x[:, :, 2 * i : 2 * i + 2, 3 * j : 3 * j + 3].mean(axis=(2, 3)) for i in range(8) for j in range(8)]
        return np.stack(blocks, axis=1).reshape(len(x), -1)

    def share(samples, manifold):
        between = np.linalg.norm(manifold[:, None] - manifold, axis=2)
        radii = np.sort(between, axis=1)[:, 3]  # the third nearest of the others; itself is at 0
        return (np.linalg.norm(samples[:, None] - manifold, axis=2) <= radii).any(axis=1).mean()

    ours, theirs = averages(images), averages(real)
    expected = share(ours, theirs), share(theirs, ours)
    assert precision_recall_pixels(images, real) == pytest.approx(expected, abs=1e-12)
    assert 0 < expected[1] < 1


def test_embedded_images_are_judged_by_pixels(folders):
    data = embedded_patches("train", 32)
    judge = Judge(data, 50, 200)
    assert judge.metrics == list(PIXELS) and judge.cheap == ["frechet_pixels"]
    assert (judge.distance, judge.recall) == ("frechet_pixels", "recall_pixels")
    assert (judge.others.shape[0], judge.reference.shape[0]) == (50, 200)
    rows = {row["quantity"]: row for row in judge.rows(255 - judge.others)}
    assert set(rows) == {name + ending for name in PIXELS for ending in ("", "_of_real_images")}
    for row in rows.values():
        assert (row["dataset"], row["data_sha256"], row["samples"]) == ("embedded", data.sha256, 50)
        assert row["weights_sha256"] == ""
    assert rows["frechet_pixels"]["value"] > 1.5 * rows["frechet_pixels_of_real_images"]["value"]
    (kept,) = (folders / "runs" / "real").glob("*.json")
    kept.write_text(json.dumps({"frechet_pixels": [7.0, None]}))
    assert Judge(data, 50, 200).real == {"frechet_pixels": (7.0, None)}  # not computed again
    assert Judge(data, 50, 201).real != {"frechet_pixels": (7.0, None)}  # another protocol


def test_only_what_is_asked_for_is_judged():
    data = embedded_patches("train", 32)
    judge = Judge(data, 20, 50)
    whole = judge.judge(judge.others)
    for metric in PIXELS:
        assert judge.judge(judge.others, [metric]) == {metric: whole[metric]}
    constant = np.zeros_like(judge.others)
    assert judge.judge(constant)["recall_pixels"] == (0, None)  # one image covers no other
    rows = judge.rows_of(whole, "_of_noise")
    assert [(row["quantity"], row["value"]) for row in rows] == [(f"{m}_of_noise", v) for m, (v, _) in whole.items()]


def test_more_judged_than_half_of_the_data_leaves_all_of_it_as_reference():
    data = embedded_patches("train", 32)
    n = len(data.images)
    judge = Judge(data, n, n)
    assert len(judge.reference) == n and len(judge.others) + len(judge.reference_of_real) == n
    halves = np.concatenate([judge.others, judge.reference_of_real]).reshape(n, -1)
    assert (np.sort(halves.sum(1)) == np.sort(data.images.reshape(n, -1).sum(1))).all()  # apart, and together all
    rows = {row["quantity"]: row for row in judge.rows(data.images)}
    assert rows["frechet_pixels"]["value"] == pytest.approx(0, abs=1e-6)
    assert rows["frechet_pixels"]["protocol"].startswith(f"{n} images against {n} real ones")
    of_real = rows["frechet_pixels_of_real_images"]
    assert of_real["protocol"].startswith(f"{n // 2} images against {n - n // 2} real ones") and of_real["value"] > 0


def test_judgements_are_published_and_read_back_from_the_history():
    import pandas as pd

    data = embedded_patches("train", 32)
    judge, published, records = Judge(data, 20, 50), [], []

    class Generator:
        def generate(self, n, seed):
            return np.random.default_rng(seed).uniform(-1, 1, (n, 3, 32, 32))

    callback = judge.callback(5, "dcgan", judge.metrics, published.extend)
    assert callback.every == 5
    for iteration in (4, 9):
        records.append({})
        callback(Generator(), iteration, records[-1])
    history = pd.DataFrame(records, index=[4, 9])
    rows = judge.rows_over_training(history, judge.metrics)
    assert sorted(rows, key=str) == sorted(published, key=str)
    assert {row["part"] for row in published} == {"iteration 5", "iteration 10"}


@pytest.mark.parametrize("scaling", SCALINGS)
def test_bytes_survive_scaling_and_back(scaling):
    pixels = np.arange(256, dtype="uint8").reshape(1, 1, 16, 16)
    back = to_bytes(scale(paddle.to_tensor(pixels), scaling).numpy(), scaling)
    assert back.dtype == np.uint8 and abs(back.astype(int) - pixels).max() <= 1


def test_samples_out_of_range_are_cut():
    assert to_bytes(np.array([-9.0, 9.0]), "dcgan").tolist() == [0, 255]
