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


@pytest.mark.parametrize("iterations, length, blocks", [(7, 1, 7), (200, 1, 200), (450, 3, 150), (20_000, 100, 200)])
def test_losses_are_kept_as_means_over_blocks_of_iterations(iterations, length, blocks):
    middles, means = Experiment("mnist_digits").module("run").block_means(3 * np.arange(1.0, iterations + 1) - 5)
    np.testing.assert_allclose(middles, (length + 1) / 2 + length * np.arange(blocks))
    np.testing.assert_allclose(means, 3 * middles - 5)  # the mean of a straight line is its value in the middle


def test_what_does_not_fill_a_block_is_dropped():
    losses = np.concatenate([np.zeros(400), [np.nan]])  # 133 blocks of three, and two values left
    assert not np.isnan(Experiment("mnist_digits").module("run").block_means(losses)).any()
