"""What is written of a figure: photographs pixel by pixel, plots in 256 colours that look like the drawn ones."""

import io

import numpy as np
import pytest
from PIL import Image

from wgangp import visualization


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("WGANGP_OUTPUT", str(tmp_path))
    return tmp_path / "paper_figures"


def test_grids_are_kept_pixel_by_pixel(folder):
    rng = np.random.default_rng(0)
    grids = {name: rng.integers(0, 256, size=(n, 3, 8, 8)).astype("uint8") for name, n in (("a", 50), ("b", 20))}
    visualization.save(visualization.image_grids(grids), "grids", "tier short, cifar10 data, 1 seed")
    written = np.asarray(Image.open(folder / "grids.png"))
    for images in grids.values():
        wanted = visualization.tile(images, 10)
        windows = np.lib.stride_tricks.sliding_window_view(written, wanted.shape)
        assert (windows == wanted).all(axis=(-3, -2, -1)).sum() == 1
    assert not (folder / "grids.pdf").exists()  # nothing in it that the PNG has not


def test_plots_keep_their_colours(folder):
    figure = visualization.curves({"p": {str(i): (range(9), np.sin(np.arange(9) + i)) for i in range(9)}}, "x", "y")
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png", dpi=visualization.DPI, bbox_inches="tight")
    visualization.save(figure, "curves", "")
    assert (folder / "curves.pdf").read_bytes().startswith(b"%PDF")
    written = Image.open(folder / "curves.png")
    assert written.mode == "P"
    errors = np.abs(np.asarray(written.convert("RGB"), float) - np.asarray(Image.open(drawn).convert("RGB")))
    assert errors.mean() < 0.5 and np.quantile(errors, 0.999) < 16
