import numpy as np
import pytest
from data_files import needed
from torch_writer import save

from wgangp.errors import InputError
from wgangp.metrics import inception_weights
from wgangp.metrics.inception_weights import (
    COMPLETE,
    LAYERS,
    PARTIAL,
    convert_inception,
    find_weights,
    fold_batch_norm,
    read_weights,
)


@pytest.fixture
def small_layers(monkeypatch):
    """The network with every channel count divided by 16, so that files are small."""

    def divided(shape):
        out, channels, *kernel = shape
        return (out // 16, channels if channels == 3 else channels // 16, *kernel)

    rows = [(name, torch_name, divided(shape)) for name, torch_name, shape in LAYERS]
    monkeypatch.setattr(inception_weights, "LAYERS", rows)
    return rows


def pth_state(rows):
    rng = np.random.default_rng(0)
    state = {}
    for _, name, shape in rows:
        state[f"{name}.conv.weight"] = rng.normal(size=shape).astype("float32")
        for part in ("weight", "bias", "running_mean"):
            state[f"{name}.bn.{part}"] = rng.normal(size=shape[0]).astype("float32")
        state[f"{name}.bn.running_var"] = rng.uniform(0.001, 1, size=shape[0]).astype("float32")
        state[f"{name}.bn.num_batches_tracked"] = np.array(0)
    state["fc.weight"] = rng.normal(size=(1008, 2048)).astype("float32")
    state["fc.bias"] = rng.normal(size=1008).astype("float32")
    return state


def test_the_network_has_its_known_size():
    # 94 convolutions; torchvision's Inception3 has 27,161,264 parameters with 1,000 classes and the auxiliary head.
    assert len(LAYERS) == 94 and len({name for _, name, _ in LAYERS}) == 94
    weights = sum(int(np.prod(shape)) for _, _, shape in LAYERS)
    batch_norms = sum(2 * shape[0] for _, _, shape in LAYERS)
    auxiliary = 768 * 128 + 2 * 128 + 128 * 768 * 25 + 2 * 768 + 769 * 1000
    assert weights + batch_norms + 2049 * 1000 + auxiliary == 27_161_264


@pytest.mark.parametrize("legacy", [False, True])
def test_converts_a_pth_file(tmp_path, monkeypatch, small_layers, legacy):
    state = pth_state(small_layers)
    save(tmp_path / "pt.pth", state, monkeypatch, legacy)
    assert convert_inception(tmp_path / "pt.pth", tmp_path) == tmp_path / COMPLETE
    assert find_weights(tmp_path) == tmp_path / COMPLETE
    arrays = read_weights(tmp_path / COMPLETE)
    assert convert_inception(tmp_path / COMPLETE, tmp_path / "anew") == tmp_path / "anew" / COMPLETE
    assert np.array_equal(arrays["softmax/weight"], state["fc.weight"]) and "softmax/bias" not in arrays
    # conv then batch norm is the folded conv with its bias, for a 1x1 on one pixel:
    name = "Mixed_7c.branch1x1"
    x = np.random.default_rng(1).normal(size=128)
    y = state[f"{name}.conv.weight"][:, :, 0, 0] @ x
    y = (y - state[f"{name}.bn.running_mean"]) / np.sqrt(state[f"{name}.bn.running_var"] + 0.001)
    y = y * state[f"{name}.bn.weight"] + state[f"{name}.bn.bias"]
    folded = arrays["mixed_10_conv/weight"][:, :, 0, 0] @ x + arrays["mixed_10_conv/bias"]
    assert folded == pytest.approx(y, rel=1e-4, abs=1e-4)


def test_torch_names_keep_their_kernels():
    kernels = {torch_name: shape[2:] for _, torch_name, shape in LAYERS}
    names = {name: torch_name for name, torch_name, _ in LAYERS}
    assert kernels["Mixed_6e.branch7x7dbl_4"] == (7, 1) and kernels["Mixed_7b.branch3x3dbl_3b"] == (3, 1)
    assert names["mixed_tower_conv_1"] == "Mixed_5b.branch5x5_2"
    assert names["mixed_7_tower_1_conv_4"] == "Mixed_6e.branch7x7dbl_5"
    assert names["mixed_8_tower_1_conv_3"] == "Mixed_7a.branch7x7x3_4"
    assert names["mixed_9_tower_mixed_conv_1"] == "Mixed_7b.branch3x3_2b"


def test_refuses_other_networks(tmp_path, monkeypatch, small_layers):
    state = pth_state(small_layers)
    del state["Mixed_7c.branch_pool.bn.bias"]
    with pytest.raises(KeyError):
        fold_batch_norm(state)
    save(tmp_path / "pt.pth", state, monkeypatch)
    with pytest.raises(InputError, match="is not pytorch-fid's Inception network"):
        convert_inception(tmp_path / "pt.pth", tmp_path / "made")

    imagenet = pth_state(small_layers) | {"fc.weight": np.zeros((1000, 2048), "float32")}  # torchvision's own
    save(tmp_path / "pt.pth", imagenet, monkeypatch)
    with pytest.raises(InputError, match=r"softmax/weight, float \[1008, 2048\], is float32 \[1000, 2048\]"):
        convert_inception(tmp_path / "pt.pth", tmp_path / "made")
    assert not (tmp_path / "made").exists()


def test_refuses_damaged_files(tmp_path):
    for name, content in (("a.npz", b"PK\x03\x04" + b"0" * 99), ("b.npz", b""), ("c.pth", b"no"), ("d.npy", b"no")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(InputError, match="is not a whole"):
            convert_inception(tmp_path / name, tmp_path / "made")
    np.savez(tmp_path / "e.npz", x=np.array([{}], dtype=object))
    with pytest.raises(InputError, match="is not a whole npz"):
        read_weights(tmp_path / "e.npz")
    np.savez(tmp_path / "f.npz", x=np.zeros(3))
    with pytest.raises(InputError, match="conv/weight.* is missing"):
        read_weights(tmp_path / "f.npz")
    with pytest.raises(InputError, match="has neither"):
        find_weights(tmp_path)


def test_converts_the_partial_file(tmp_path):
    source = needed(PARTIAL)
    assert convert_inception(source, tmp_path) == tmp_path / PARTIAL
    first, second = read_weights(source), read_weights(tmp_path / PARTIAL)
    assert first.keys() == second.keys() and all(np.array_equal(first[name], second[name]) for name in first)
