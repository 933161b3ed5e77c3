import numpy as np
import pandas as pd
import pytest

from reproduction.evaluation import ImageEvaluation, LanguageEvaluation, rows_over_training
from wgangp.data import text
from wgangp.data.images import embedded_patches
from wgangp.metrics.pixels import PIXEL_METRICS


@pytest.fixture(autouse=True)
def folders(tmp_path, monkeypatch):
    monkeypatch.setenv("WGANGP_OUTPUT", str(tmp_path))
    monkeypatch.setenv("WGANGP_DATA", str(tmp_path / "none"))
    return tmp_path


def test_rows_of_generated_and_of_real_images(folders):
    data = embedded_patches("train", 32)
    evaluation = ImageEvaluation(data, 50, 200)
    images = 255 - evaluation.held_out
    scores, real = evaluation.evaluate(images), evaluation.real
    rows = {row["quantity"]: row for row in evaluation.rows(images)}
    assert set(rows) == {name + ending for name in PIXEL_METRICS for ending in ("", "_of_real_images")}
    for metric in PIXEL_METRICS:
        assert (rows[metric]["value"], rows[metric]["err"]) == scores[metric]
        assert (rows[f"{metric}_of_real_images"]["value"], rows[f"{metric}_of_real_images"]["err"]) == real[metric]
    for row in rows.values():
        assert (row["dataset"], row["data_sha256"], row["samples"]) == ("embedded", data.sha256, 50)
        assert row["weights_sha256"] == "" and row["protocol"] == "50 images against 200 real ones"
    assert len(list((folders / "runs" / "real").glob("*.json"))) == 1
    rows = evaluation.rows_of(scores, "_of_noise", part="iteration 7")
    expected = [(f"{metric}_of_noise", value, "iteration 7") for metric, (value, _) in scores.items()]
    assert [(row["quantity"], row["value"], row["part"]) for row in rows] == expected


def test_rows_of_real_images_say_how_many_they_were():
    data = embedded_patches("train", 32)
    n = len(data.images)
    rows = {row["quantity"]: row for row in ImageEvaluation(data, n, n).rows(data.images)}
    generated, real = rows["frechet_pixels"], rows["frechet_pixels_of_real_images"]
    assert (generated["protocol"], generated["samples"]) == (f"{n} images against {n} real ones", n)
    assert (real["protocol"], real["samples"]) == (f"{n // 2} images against {n - n // 2} real ones", n // 2)


def test_rows_of_generated_and_held_out_lines_and_of_a_unigram_model():
    data = text.embedded_text()
    evaluation = LanguageEvaluation(data, 200)
    noise = np.random.default_rng(0).integers(1, data.vocabulary, (200, 32)).astype("uint8")
    rows = {row["quantity"]: row for row in evaluation.rows(noise)}
    kinds = {"": noise, "_of_held_out_text": evaluation.held_out, "_of_unigram_model": evaluation.unigram}
    for ending, lines in kinds.items():
        expected = evaluation.evaluate(lines) | {"share_of_known_words": evaluation.share_of_known_words(lines)}
        assert {name: rows.pop(name + ending)["value"] for name in expected} == expected
    assert set(rows) == {"share_of_way_to_held_out_text"}
    row = evaluation.row("js1_other_corpus", 0.5)
    assert row["protocol"] == f"200 lines against {len(evaluation.train)} training lines"
    assert (row["dataset"], row["samples"], row["data_sha256"]) == ("embedded", 200, data.sha256)


def test_share_of_the_way_to_held_out_text():
    data = text.embedded_text()
    evaluation = LanguageEvaluation(data, 200)
    reach = {
        n: [evaluation.evaluate(lines)[f"js{n}_other_corpus"] for lines in (evaluation.unigram, evaluation.held_out)]
        for n in (4, 6)
    }

    def shares(lines):
        rows = [row for row in evaluation.rows(lines) if row["quantity"] == "share_of_way_to_held_out_text"]
        return {row["part"]: row["value"] for row in rows}

    assert shares(evaluation.unigram) == {"js4": 0, "js6": 0} and shares(evaluation.held_out) == {"js4": 1, "js6": 1}
    half = np.concatenate([evaluation.held_out[:100], evaluation.unigram[100:]])
    for n, (unigram, real) in reach.items():
        place = evaluation.evaluate(half)[f"js{n}_other_corpus"]
        assert shares(half)[f"js{n}"] == pytest.approx((unigram - place) / (unigram - real)) and 0 < place
    assert 0 < shares(half)["js4"] < 1
    evaluation.held_out = evaluation.unigram  # held-out text that is no nearer than characters drawn one by one
    assert shares(half) == {}


class Images:
    def generate(self, n, seed):
        return np.random.default_rng(seed).uniform(-1, 1, (n, 3, 32, 32))


def test_scores_of_images_are_published_and_read_back_from_the_history():
    evaluation, published = ImageEvaluation(embedded_patches("train", 32), 20, 50), []
    callback = evaluation.callback(5, "dcgan", evaluation.metrics, published.extend)
    check_published(callback, Images(), evaluation, published)


class Lines:
    def generate(self, n, seed):
        return np.random.default_rng(seed).uniform(0, 1, (n, 32, text.embedded_text().vocabulary))


def test_measures_of_lines_are_published_and_read_back_from_the_history():
    evaluation, published = LanguageEvaluation(text.embedded_text(), 20), []
    callback = evaluation.callback(5, published.extend)
    check_published(callback, Lines(), evaluation, published)


def check_published(callback, gan, evaluation, published):
    assert callback.every == 5
    records = [callback.function(gan, iteration, {}) for iteration in (4, 9)]
    rows = rows_over_training(evaluation, pd.DataFrame(records, index=[4, 9]), evaluation.metrics)
    assert sorted(rows, key=str) == sorted(published, key=str) and len(rows) == 2 * len(evaluation.metrics)
    assert {row["part"] for row in rows} == {"iteration 5", "iteration 10"}
