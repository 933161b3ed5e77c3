"""What is written of a figure: photographs pixel by pixel, plots in 256 colours that look like the drawn ones."""

import importlib
import io

import matplotlib.pyplot as plt
import numpy as np
import pytest
from PIL import Image

from reproduction import tiles, visualization
from wgangp.metrics import image_scores
from wgangp.metrics.inception_weights import COMPLETE, PARTIAL


def test_every_metric_of_real_weights_has_words_and_every_distance_its_recall(tmp_path, monkeypatch):
    fig3 = importlib.import_module("experiments.fig3_arch_robustness.figure")
    for weights, passed in ((COMPLETE, True), (PARTIAL, False)):
        (tmp_path / weights).touch()
        monkeypatch.setattr(image_scores, "calibration", lambda *_, passed=passed: {"passed": passed})
        names = set(image_scores.metric_names(tmp_path)) - {"fid_1280"}  # which no experiment reports
        assert len(names) > 2 and names <= set(visualization.METRICS)
        assert {fig3.RECALLS[name] for name in names if name.startswith("fid")} <= names
    assert set(fig3.RECALLS) == set(visualization.DISTANCES)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("WGANGP_OUTPUT", str(tmp_path))
    return tmp_path / "paper_figures"


def grids(channels):
    rng = np.random.default_rng(0)
    smooth = [
        rng.integers(40, 216, size=(n, channels, 2, 2)).astype("uint8").repeat(4, 2).repeat(4, 3) for n in (50, 20)
    ]
    return dict(zip("ab", smooth))


def brightness(picture):
    """Of each pixel; a JPEG halves the resolution of the colours."""
    return np.asarray(picture.convert("L"), "float32")


@pytest.mark.parametrize("channels, kind, tolerance", [(1, "png", 1.5), (3, "jpg", 5)])
def test_grids_have_a_pixel_for_each_of_theirs(folder, channels, kind, tolerance):
    images = grids(channels)
    visualization.save(visualization.image_grids(images), "grids", "tier short, cifar10 data, 1 seed")
    assert [path.name for path in folder.iterdir()] == [f"grids.{kind}"]
    written = Image.open(folder / f"grids.{kind}").convert("RGB")
    shown = brightness(written)
    for one in images.values():
        wanted = tiles.tile(one, 10).astype("float32")
        wanted = brightness(Image.fromarray(wanted.astype("uint8")))
        height, width = wanted.shape
        errors = [
            np.abs(shown[top : top + height, left : left + width] - wanted).mean()
            for top in range(shown.shape[0] - height)
            for left in range(shown.shape[1] - width)
        ]
        assert sum(error < tolerance for error in errors) == 1  # at one place, shifted by a pixel already no more


def test_plots_keep_their_colours(folder):
    figure, ax = plt.subplots()
    for i in range(9):
        ax.plot(np.sin(np.arange(9) + i), label=str(i))
    ax.legend()
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png", **visualization.PAGE)
    visualization.save(figure, "curves", "")
    assert (folder / "curves.pdf").read_bytes().startswith(b"%PDF")
    written = Image.open(folder / "curves.png")
    assert written.mode == "P"
    errors = np.abs(np.asarray(written.convert("RGB"), float) - np.asarray(Image.open(drawn).convert("RGB")))
    assert errors.mean() < 0.5 and np.quantile(errors, 0.999) < 16


def test_mean_over_seeds_is_drawn_where_all_have_a_point():
    _, ax = plt.subplots()
    whole = np.arange(10, 110, 10), np.arange(10.0) ** 2
    late = np.array([70, 80, 90, 100]), np.array([1.0, 2.0, 4.0, 8.0])
    visualization.draw_seeds(ax, [whole, late], "black", "both")
    mean = ax.get_lines()[-1]
    assert mean.get_xdata().tolist() == [70, 80, 90, 100]
    assert mean.get_ydata().tolist() == [(36 + 1) / 2, (49 + 2) / 2, (64 + 4) / 2, (81 + 8) / 2]
    visualization.draw_seeds(ax, [late], "black", "one")
    assert ax.get_lines()[-1].get_ydata().tolist() == late[1].tolist()
    plt.close()
