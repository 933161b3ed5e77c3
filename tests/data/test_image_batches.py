import numpy as np
import paddle
import pytest

from wgangp import InputError
from wgangp.data.batches import SCALINGS, ScaledImages, as_batches, scale, to_bytes

PIXELS = np.arange(256, dtype="uint8").reshape(16, 1, 4, 4)


def batches(scaling, labels=None, batch_size=4, seed=0, images=PIXELS):
    return as_batches(ScaledImages(images, scaling, labels), batch_size, seed)


@pytest.mark.parametrize("scaling, formula", [("dcgan", lambda x: 2 * (x / 255 - 0.5)), ("unit", lambda x: x / 255)])
def test_scalings_are_the_authors(scaling, formula):
    got = scale(paddle.to_tensor(PIXELS), scaling)
    assert got.dtype == paddle.float32
    assert np.allclose(got.numpy(), formula(PIXELS.astype("float64")), atol=1e-7)


@pytest.mark.parametrize("scaling", SCALINGS)
def test_bytes_survive_scaling_and_back(scaling):
    pixels = np.arange(256, dtype="uint8").reshape(1, 1, 16, 16)
    back = to_bytes(scale(paddle.to_tensor(pixels), scaling).numpy(), scaling)
    assert back.dtype == np.uint8 and abs(back.astype(int) - pixels).max() <= 1


def test_samples_out_of_range_are_cut():
    assert to_bytes(np.array([-9.0, 9.0]), "dcgan").tolist() == [0, 255]


def test_dequantisation_noise_fills_exactly_one_grey_level():
    paddle.seed(1)
    pixels = np.repeat(np.arange(256, dtype="uint8"), 1000)
    noise = scale(paddle.to_tensor(pixels), "resnet").numpy() - 2 * (pixels / 256 - 0.5)
    assert noise.min() >= -1e-7 and noise.max() <= 1 / 128 + 1e-7
    assert abs(noise.mean() * 256 - 1) < 0.01 and abs(noise.std() * 128 - 12**-0.5) < 0.01
    top = scale(paddle.full([1000], 255, "uint8"), "resnet")
    assert float(top.max()) <= 1


def test_noise_comes_from_paddles_seed_and_the_choice_from_the_batchs_number():
    one, two = batches("resnet"), batches("resnet")
    paddle.seed(5)
    first = one(9).numpy()
    for k in (3, 0, 7):
        two(k)
    paddle.seed(5)
    assert (two(9).numpy() == first).all()
    paddle.seed(6)
    again = two(9).numpy()
    assert (again != first).any() and np.abs(again - first).max() <= 1 / 128


def test_an_epoch_shows_each_image_once_with_its_label_and_drops_the_remainder():
    labels = np.arange(16) + 100
    source = batches("unit", labels, batch_size=5)
    epochs = []
    for epoch in range(3):
        pairs = [source(3 * epoch + i) for i in range(3)]
        for pixels, its_labels in pairs:
            assert pixels.shape == [5, 1, 4, 4] and its_labels.dtype == paddle.int64
            assert (pixels[:, 0, 0, 0].numpy() * 255 / 16 + 100).round().astype(int).tolist() == its_labels.tolist()
        shown = [label for _, its_labels in pairs for label in its_labels.tolist()]
        assert len(set(shown)) == 15
        epochs.append(shown)
    assert epochs[0] != epochs[1] != epochs[2]


def test_seeds_shuffle_differently_and_arrays_are_shuffled_alike():
    assert (batches("unit")(0).numpy() != batches("unit", seed=1)(0).numpy()).any()
    plain = as_batches(PIXELS.astype("float32"), 4, 0)
    for k in (0, 5, 2):
        assert np.allclose(plain(k).numpy() / 255, batches("unit")(k).numpy())


def test_images_stay_bytes_on_the_device_and_may_be_read_only():
    fixed = PIXELS.copy()
    fixed.setflags(write=False)
    source = batches("dcgan", images=fixed)
    assert source.images.dtype == paddle.uint8
    assert source(0).shape == [4, 1, 4, 4]


def test_the_description_tells_data_scalings_and_labels_apart():
    labels = np.arange(16)
    descriptions = {
        batches("unit").describe(),
        batches("dcgan").describe(),
        batches("unit", labels).describe(),
        batches("unit", labels[::-1]).describe(),
        batches("unit", images=PIXELS[::-1]).describe(),
    }
    assert len(descriptions) == 5 and batches("unit").describe() == batches("unit", seed=3).describe()


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: ScaledImages(PIXELS.astype("float32"), "unit"), r"images are float32 \[16, 1, 4, 4\]; give uint8"),
        (lambda: ScaledImages(PIXELS[:, 0], "unit"), "give uint8"),
        (lambda: ScaledImages(PIXELS, "cifar"), "scaling 'cifar' is unknown; use one of resnet, dcgan, unit"),
        (lambda: ScaledImages(PIXELS, "unit", np.zeros(3)), "16 images and 3 labels"),
        (lambda: batches("unit", batch_size=17), "batch_size is 17 but train_data has 16 samples"),
    ],
)
def test_what_cannot_be_used_gets_one_sentence(make, message):
    with pytest.raises(InputError, match=message):
        make()
