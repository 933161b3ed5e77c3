"""When the figure calls a method's digits collapsed."""

import numpy as np
import pytest

from reproduction.experiment import Experiment


@pytest.mark.parametrize("share, collapsed", [(0.0, True), (0.2, True), (0.3, False), (1.0, False)])
def test_collapsed_images_vary_less_among_each_other_than_within(share, collapsed):
    rng = np.random.default_rng(0)
    common, own = rng.normal(0, 20, (1, 1, 28, 28)), rng.normal(0, 20, (100, 1, 28, 28))
    images = np.sqrt(1 - share**2) * common + share * own  # vary by 20 within and by 20 * share among each other
    images = (128 + images).clip(0, 255).astype("uint8")
    assert Experiment("mnist_digits").module("figure").has_collapsed(images) is collapsed
