"""Images in batches through a network."""

import numpy as np
import paddle
import pytest

from wgangp.errors import InputError
from wgangp.metrics.images import add_bias, check_images, run_in_batches

IMAGES = np.random.default_rng(0).integers(0, 256, (7, 3, 4, 5)).astype("uint8")


def test_batches_are_the_images_in_order_as_float32_without_gradients():
    seen = []

    def network(x):
        seen.append((x.dtype, x.stop_gradient, paddle.is_grad_enabled()))
        return x.sum([1, 2, 3]), x[:, 0]

    sums, reds = zip(*run_in_batches(network, IMAGES, 3))
    assert [len(batch) for batch in sums] == [3, 3, 1]
    assert np.array_equal(np.concatenate(sums), IMAGES.sum(axis=(1, 2, 3)))
    assert np.array_equal(np.concatenate(reds), IMAGES[:, 0])
    assert set(seen) == {(paddle.float32, True, False)}
    assert np.array_equal(np.concatenate(list(run_in_batches(lambda x: x, IMAGES, 4))), IMAGES)


def test_a_bias_is_added_to_every_pixel_of_its_channel():
    x, bias = paddle.randn([2, 3, 4, 5]), paddle.randn([3])
    expected = x.numpy() + bias.numpy()[:, None, None]
    np.testing.assert_allclose(add_bias(x, bias).numpy(), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    "images, words",
    [
        (IMAGES.astype("float32"), r"pictures: float32 \[7, 3, 4, 5\]; give uint8 .*, 0 to 255, without a mask"),
        (IMAGES[0], r"uint8 \[3, 4, 5\]"),
        (IMAGES[:0], r"uint8 \[0, 3, 4, 5\]"),
        (IMAGES.transpose(0, 2, 3, 1), r"put the channels second, with transpose\(0, 3, 1, 2\)"),
        (np.ma.masked_greater(IMAGES, 100), "without a mask"),
    ],
)
def test_what_is_no_set_of_images_is_refused(images, words):
    check_images(IMAGES)
    with pytest.raises(InputError, match=words):
        check_images(images, "pictures")
