import numpy as np
import pytest
from data_files import cifar10_test_images, needed

from wgangp.errors import InputError
from wgangp.metrics.classifier import FILE, MEAN, STD, CifarClassifier


def random_arrays():
    rng = np.random.default_rng(0)
    arrays = {}

    def add(name, norm, out, channels):
        arrays[f"{name}.weight"] = rng.normal(size=(out, channels, 3, 3)) * np.sqrt(2 / (9 * channels))
        for part in ("weight", "running_var"):
            arrays[f"{norm}.{part}"] = rng.uniform(0.5, 1.5, out)
        for part in ("bias", "running_mean"):
            arrays[f"{norm}.{part}"] = rng.normal(size=out) * 0.1

    add("conv1", "bn1", 16, 3)
    channels = 16
    for stage, width in ((1, 16), (2, 32), (3, 64)):
        for block in range(9):
            add(f"layer{stage}.{block}.conv1", f"layer{stage}.{block}.bn1", width, channels)
            add(f"layer{stage}.{block}.conv2", f"layer{stage}.{block}.bn2", width, width)
            channels = width
    arrays["linear.weight"], arrays["linear.bias"] = rng.normal(size=(10, 64)) / 8, rng.normal(size=10)
    return {name: array.astype("float32") for name, array in arrays.items()}


def numpy_probabilities(a, image):
    def conv_norm(x, conv, norm, stride=1):
        padded = np.pad(x, ((0, 0), (1, 1), (1, 1)))
        windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(1, 2))[:, ::stride, ::stride]
        y = np.einsum("oikl,ihwkl->ohw", a[f"{conv}.weight"], windows, optimize=True)
        scale, offset, mean, variance = (
            a[f"{norm}.{part}"][:, None, None] for part in ("weight", "bias", "running_mean", "running_var")
        )
        return (y - mean) / np.sqrt(variance + 1e-5) * scale + offset

    x = (image / 255 - np.reshape(MEAN, (3, 1, 1))) / np.reshape(STD, (3, 1, 1))
    x = np.maximum(conv_norm(x, "conv1", "bn1"), 0)
    for stage in (1, 2, 3):
        for block in range(9):
            name, stride = f"layer{stage}.{block}", 2 if stage > 1 and block == 0 else 1
            y = np.maximum(conv_norm(x, f"{name}.conv1", f"{name}.bn1", stride), 0)
            y = conv_norm(y, f"{name}.conv2", f"{name}.bn2")
            if stride == 2:
                quarter = len(y) // 4
                x = np.pad(x[:, ::2, ::2], ((quarter, quarter), (0, 0), (0, 0)))
            x = np.maximum(x + y, 0)
    logits = a["linear.weight"] @ x.mean(axis=(1, 2)) + a["linear.bias"]
    exponentials = np.exp(logits - logits.max())
    return exponentials / exponentials.sum()


def test_against_numpy(tmp_path):
    arrays = random_arrays()
    np.savez(tmp_path / FILE, **arrays)
    images = np.random.default_rng(1).integers(0, 256, (3, 3, 32, 32)).astype("uint8")
    probabilities = CifarClassifier(tmp_path / FILE).probabilities(images)
    assert probabilities.shape == (3, 10) and probabilities.sum(axis=1) == pytest.approx(np.ones(3))
    for row, image in zip(probabilities, images):
        assert row == pytest.approx(numpy_probabilities(arrays, image), rel=1e-3, abs=1e-5)


def test_refusals(tmp_path):
    arrays = random_arrays()
    np.savez(tmp_path / "a.npz", **arrays)
    network = CifarClassifier(tmp_path / "a.npz")
    with pytest.raises(InputError, match="32 x 32"):
        network.probabilities(np.zeros((2, 3, 64, 64), "uint8"))
    with pytest.raises(InputError, match="give uint8"):
        network.probabilities(np.zeros((2, 3, 32, 32)))
    del arrays["layer2.3.conv1.weight"]
    np.savez(tmp_path / "b.npz", **arrays)
    with pytest.raises(InputError, match="is not the CIFAR-10 ResNet-56"):
        CifarClassifier(tmp_path / "b.npz")
    with pytest.raises(InputError, match="cannot read"):
        CifarClassifier(tmp_path / "none.npz")


def test_accuracy_on_the_test_images():
    network = CifarClassifier(needed(FILE))
    images, labels = cifar10_test_images()
    right = network.probabilities(images).argmax(axis=1) == labels
    assert right.mean() == pytest.approx(0.926)
