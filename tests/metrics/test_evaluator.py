import json

import numpy as np
import pytest

from wgangp.data.images import embedded_patches
from wgangp.errors import InputError
from wgangp.metrics import evaluator as module
from wgangp.metrics.evaluator import ImageEvaluator, available_metrics, cheap_metrics, weights_sha256
from wgangp.metrics.pixels import PIXEL_METRICS, frechet_pixels


@pytest.fixture(autouse=True)
def no_data(tmp_path, monkeypatch):
    monkeypatch.setenv("WGANGP_DATA", str(tmp_path / "none"))


@pytest.fixture
def data():
    return embedded_patches("train", 32)


def test_embedded_images_are_scored_by_pixels(data):
    evaluator = ImageEvaluator(data, 50, 200)
    assert evaluator.metrics == available_metrics(data) == list(PIXEL_METRICS)
    assert evaluator.cheap == cheap_metrics(evaluator.metrics) == ["frechet_pixels"]
    assert (evaluator.distance, evaluator.recall) == ("frechet_pixels", "recall_pixels")
    assert (evaluator.held_out.shape[0], evaluator.reference.shape[0]) == (50, 200)
    assert evaluator.protocol == evaluator.held_out_protocol == "50 images against 200 real ones"
    assert {weights_sha256(metric) for metric in evaluator.metrics} == {""}
    scores, real = evaluator.evaluate(255 - evaluator.held_out), evaluator.real
    assert list(scores) == list(real) == evaluator.metrics
    assert scores["frechet_pixels"][0] > 1.5 * real["frechet_pixels"][0]
    assert real["frechet_pixels"] == (frechet_pixels(evaluator.held_out, evaluator.reference), None)


def test_metrics_without_a_cheap_one_are_all_taken():
    assert cheap_metrics(["fid_768", "recall_768"]) == ["fid_768", "recall_768"]
    assert cheap_metrics(["fid_768", "classifier_score"]) == ["classifier_score"]


def test_only_what_is_asked_for_is_scored(data):
    evaluator = ImageEvaluator(data, 20, 50)
    whole = evaluator.evaluate(evaluator.held_out)
    for metric in PIXEL_METRICS:
        assert evaluator.evaluate(evaluator.held_out, [metric]) == {metric: whole[metric]}
        assert ImageEvaluator(data, 20, 50, [metric]).evaluate(evaluator.held_out) == {metric: whole[metric]}
    constant = np.zeros_like(evaluator.held_out)
    assert evaluator.evaluate(constant)["recall_pixels"] == (0, None)  # one image covers no other


def test_pixels_and_networks_are_measured_together(data, monkeypatch):
    scores = {"fid_768": (7.0, None), "classifier_score": (3.0, 0.1)}
    monkeypatch.setattr(module, "score_images", lambda images, metrics, *_, **__: {m: scores[m] for m in metrics})
    measure = ImageEvaluator(data, 20, 50)
    both = measure.evaluate(measure.held_out, ["classifier_score", "frechet_pixels", "fid_768"])
    assert list(both) == ["classifier_score", "frechet_pixels", "fid_768"]
    assert both == scores | measure.evaluate(measure.held_out, ["frechet_pixels"])


def test_refusal_of_a_metric_names_all_that_there_are(data):
    measure = ImageEvaluator(data, 20, 50)
    for metrics in (["fid_7"], ["frechet_pixels", "fid_7"]):
        with pytest.raises(InputError, match="'fid_7' is unknown; use one of fid_768, .*classifier_score, frechet_pix"):
            measure.evaluate(measure.held_out, metrics)


def test_more_evaluated_than_half_of_the_data_leaves_all_of_it_as_reference(data):
    n = len(data.images)
    evaluator = ImageEvaluator(data, n, n)
    held_out, reference = evaluator.held_out, evaluator.held_out_reference
    assert len(evaluator.reference) == n and len(held_out) + len(reference) == n
    halves = np.concatenate([held_out, reference]).reshape(n, -1)
    assert (np.sort(halves.sum(1)) == np.sort(data.images.reshape(n, -1).sum(1))).all()  # apart, and together all
    assert evaluator.evaluate(data.images)["frechet_pixels"][0] == pytest.approx(0, abs=1e-6)
    assert evaluator.protocol == f"{n} images against {n} real ones"
    assert evaluator.held_out_protocol == f"{n // 2} images against {n - n // 2} real ones"
    assert evaluator.real["frechet_pixels"][0] > 0


def test_real_images_scores_are_kept_where_a_folder_is_given(data, tmp_path):
    scores = ImageEvaluator(data, 50, 200).real
    assert not any(tmp_path.iterdir())
    assert ImageEvaluator(data, 50, 200, cache=tmp_path / "real").real == scores
    (file,) = (tmp_path / "real").glob("*.json")
    file.write_text(json.dumps({"frechet_pixels": [7.0, None]}))
    assert ImageEvaluator(data, 50, 200, cache=tmp_path / "real").real == {"frechet_pixels": (7.0, None)}
    assert ImageEvaluator(data, 50, 201, cache=tmp_path / "real").real != {"frechet_pixels": (7.0, None)}
