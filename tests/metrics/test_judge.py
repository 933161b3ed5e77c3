import json

import numpy as np
import paddle
import pytest

from wgangp.data.batches import SCALINGS, scale, to_bytes
from wgangp.data.images import embedded_patches
from wgangp.metrics.judge import Judge, frechet_pixels


@pytest.fixture(autouse=True)
def folders(tmp_path, monkeypatch):
    monkeypatch.setenv("WGANGP_OUTPUT", str(tmp_path))
    monkeypatch.setenv("WGANGP_DATA", str(tmp_path / "none"))
    return tmp_path


def test_pixel_distance_of_a_shift_is_its_squared_length():
    images = np.random.default_rng(0).integers(0, 200, size=(400, 3, 16, 16)).astype("uint8")
    assert frechet_pixels(images, images) == pytest.approx(0, abs=1e-6)
    assert frechet_pixels(images + np.uint8(5), images) == pytest.approx(192 * 25, rel=1e-6)


def test_embedded_images_are_judged_by_pixels_and_say_so(folders):
    data = embedded_patches("train", 32)
    judge = Judge(data, 50, 200)
    assert judge.metrics == judge.cheap == ["frechet_pixels"]
    assert (judge.others.shape[0], judge.reference.shape[0]) == (50, 200)
    rows = {row["quantity"]: row for row in judge.rows(255 - judge.others)}
    assert set(rows) == {"frechet_pixels", "frechet_pixels_of_real_images"}
    assert all("dataset=embedded" in row["protocol"] and row["data_sha256"] == data.sha256 for row in rows.values())
    assert rows["frechet_pixels"]["value"] > 1.5 * rows["frechet_pixels_of_real_images"]["value"]
    (kept,) = (folders / "runs" / "real").iterdir()
    kept.write_text(json.dumps({"frechet_pixels": [7.0, None]}))
    assert Judge(data, 50, 200).real == {"frechet_pixels": (7.0, None)}  # not computed again
    assert Judge(data, 50, 201).real != {"frechet_pixels": (7.0, None)}  # another protocol


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
    assert judge.rows_over_training(history, judge.metrics) == published
    assert [row["setting"] for row in published] == ["iteration 5", "iteration 10"]


@pytest.mark.parametrize("scaling", SCALINGS)
def test_bytes_survive_scaling_and_back(scaling):
    pixels = np.arange(256, dtype="uint8").reshape(1, 1, 16, 16)
    back = to_bytes(scale(paddle.to_tensor(pixels), scaling).numpy(), scaling)
    assert back.dtype == np.uint8 and abs(back.astype(int) - pixels).max() <= 1


def test_samples_out_of_range_are_cut():
    assert to_bytes(np.array([-9.0, 9.0]), "dcgan").tolist() == [0, 255]
