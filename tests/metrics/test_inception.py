import numpy as np
import paddle
import pytest
from data_files import needed
from numpy_inception import forward
from numpy_inception import resize as numpy_resize

from wgangp.errors import InputError
from wgangp.metrics.inception import Inception, load_inception, resize
from wgangp.metrics.inception_weights import LAYERS, PARTIAL


def narrow_weights(divisor=16, classes=12):
    """Random weights of the complete network with its channels divided."""
    rng = np.random.default_rng(0)
    arrays = {}
    for name, _, (out, channels, *kernel) in LAYERS:
        shape = (out // divisor, 3 if channels == 3 else channels // divisor, *kernel)
        scale = np.sqrt(2 / np.prod(shape[1:]))
        arrays[f"{name}/weight"] = (rng.normal(size=shape) * scale).astype("float32")
        arrays[f"{name}/bias"] = (rng.normal(size=shape[0]) * 0.1).astype("float32")
    arrays["softmax/weight"] = rng.normal(size=(classes, 2048 // divisor)).astype("float32")
    return arrays


def photograph(size, seed=0):
    """A smooth random image, uint8 [3, *size]."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[: size[0], : size[1]] / 8
    waves = [np.sin(rows * a + columns * b + c) for a, b, c in rng.normal(size=(3, 3))]
    return (127.5 + 90 * np.stack(waves) + rng.uniform(-30, 30, (3, *size))).clip(0, 255).astype("uint8")


@pytest.mark.parametrize("size", [(32, 32), (64, 48), (299, 299), (320, 400)])
def test_resize_against_the_formula(size):
    image = photograph(size).astype("float64")
    resized = resize(paddle.to_tensor(image[None], dtype="float32")).numpy()[0]
    assert np.abs(resized - numpy_resize(image)).max() < 2e-3


def test_every_block_against_numpy():
    weights, image = narrow_weights(), photograph((40, 32))
    expected = forward(weights, (numpy_resize(image.astype("float64")) - 128) / 128)
    names = ["2048", "768", "probabilities", "1280"]
    (batch,) = Inception(weights).features(image[None], names)
    means = {layer: x.mean(axis=(1, 2)) for layer, x in expected.items()}
    logits = weights["softmax/weight"].astype("float64") @ means["mixed_10"]
    probabilities = np.exp(logits - logits.max())
    probabilities /= probabilities.sum()
    for features, reference in zip(batch, (means["mixed_10"], means["mixed_7"], probabilities, means["mixed_8"])):
        assert features.dtype == np.float32 and features.shape == (1, len(reference))
        assert features[0] == pytest.approx(reference, rel=1e-4, abs=1e-4 * reference.max())


def test_the_pools_of_mixed_9_and_10_differ():
    # Were they the same kind, swapping the two blocks' pools would change nothing in this test's power.
    network = Inception(narrow_weights())
    x = paddle.rand([1, 2048 // 16, 8, 8])
    mean = network.mixed_9_or_10(x, "mixed_10", paddle.nn.functional.avg_pool2d(x, 3, 1, 1, exclusive=True))
    maximum = network.mixed_9_or_10(x, "mixed_10", paddle.nn.functional.max_pool2d(x, 3, 1, 1))
    assert not np.allclose(mean.numpy(), maximum.numpy())


def test_batches_do_not_matter():
    network, images = Inception(narrow_weights()), np.stack([photograph((32, 32), i) for i in range(5)])
    whole = np.concatenate([batch for (batch,) in network.features(images, ["1280"], batch_size=5)])
    parts = [batch for (batch,) in network.features(images, ["1280"], batch_size=2)]
    assert [len(part) for part in parts] == [2, 2, 1]
    assert np.concatenate(parts) == pytest.approx(whole, rel=1e-4, abs=1e-6)


def test_refusals():
    arrays = narrow_weights()
    del arrays["softmax/weight"]
    network = Inception(arrays)
    image = photograph((32, 32))[None]
    for name in ("2048", "probabilities"):
        with pytest.raises(InputError, match=f"end at mixed_8, and {name} needs the complete network"):
            list(network.features(image, [name]))
    with pytest.raises(InputError, match="feature '64' is unknown"):
        list(network.features(image, ["64"]))
    for bad in (image.astype("float32"), image[0], image.transpose(0, 2, 3, 1), image[:0]):
        with pytest.raises(InputError, match="give uint8"):
            list(network.features(bad, ["768"]))


def test_real_weights_against_numpy():
    network = load_inception(needed(PARTIAL))
    weights = {name: array.numpy() for name, array in network.weights.items()}
    image = photograph((32, 32))
    expected = forward(weights, (numpy_resize(image.astype("float64")) - 128) / 128, until=8)
    (batch,) = network.features(image[None], ["768", "1280"])
    for features, layer in zip(batch, ("mixed_7", "mixed_8")):
        reference = expected[layer].mean(axis=(1, 2))
        assert np.abs(features[0] - reference).max() < 1e-4 * np.abs(reference).max()
