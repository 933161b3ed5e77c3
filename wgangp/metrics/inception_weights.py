"""Weights of TensorFlow's Inception-v3 of 2015-12-05: their names and shapes, reading and converting them.

A weights file is an npz with `<name>/weight` (OIHW) and `<name>/bias` of each convolution, the batch
normalisation folded in, under TensorFlow's names with underscores; a complete one also has
`softmax/weight` [1008, 2048]. A partial one ends at mixed_8.
"""

from pathlib import Path

import numpy as np

from wgangp.data.catalogue import get_entry
from wgangp.data.torch_file import read_state_dict
from wgangp.errors import InputError
from wgangp.runtime.files import check_floats, largest_size, read_npz, replacing, write_npz

URL = get_entry("inception").url
(COMPLETE,) = get_entry("inception").other_names
PARTIAL = get_entry("inception_partial").file
BATCH_NORM_EPSILON = 1e-3  # TensorFlow's, not Paddle's 1e-5


def _tower(name, torch_names, channels, *layers):
    """Rows of convolutions one after another; a layer is (out, kernel height, kernel width)."""
    rows = []
    for i, (torch_name, (out, height, width)) in enumerate(zip(torch_names.split(), layers, strict=True)):
        rows.append((f"{name}_{i}" if i else name, torch_name, (out, channels, height, width)))
        channels = out
    return rows


def _layers():
    """Every convolution: TensorFlow's name, torchvision's name, shape OIHW."""
    rows = _tower("conv", "Conv2d_1a_3x3 Conv2d_2a_3x3 Conv2d_2b_3x3", 3, (32, 3, 3), (32, 3, 3), (64, 3, 3))
    rows += [("conv_3", "Conv2d_3b_1x1", (80, 64, 1, 1)), ("conv_4", "Conv2d_4a_3x3", (192, 80, 3, 3))]

    def add(block, torch_block, channels, **towers):
        for tower, (torch_names, *layers) in towers.items():
            torch_names = " ".join(f"{torch_block}.{name}" for name in torch_names.split())
            rows.extend(_tower(f"{block}_{tower}", torch_names, channels, *layers))

    double = "branch3x3dbl_1 branch3x3dbl_2 branch3x3dbl_3"
    for block, torch_block, channels, pool in (
        ("mixed", "Mixed_5b", 192, 32),
        ("mixed_1", "Mixed_5c", 256, 64),
        ("mixed_2", "Mixed_5d", 288, 64),
    ):
        add(
            block,
            torch_block,
            channels,
            conv=("branch1x1", (64, 1, 1)),
            tower_conv=("branch5x5_1 branch5x5_2", (48, 1, 1), (64, 5, 5)),
            tower_1_conv=(double, (64, 1, 1), (96, 3, 3), (96, 3, 3)),
            tower_2_conv=("branch_pool", (pool, 1, 1)),
        )
    add(
        "mixed_3",
        "Mixed_6a",
        288,
        conv=("branch3x3", (384, 3, 3)),
        tower_conv=(double, (64, 1, 1), (96, 3, 3), (96, 3, 3)),
    )
    for block, torch_block, c in (
        ("mixed_4", "Mixed_6b", 128),
        ("mixed_5", "Mixed_6c", 160),
        ("mixed_6", "Mixed_6d", 160),
        ("mixed_7", "Mixed_6e", 192),
    ):
        add(
            block,
            torch_block,
            768,
            conv=("branch1x1", (192, 1, 1)),
            tower_conv=("branch7x7_1 branch7x7_2 branch7x7_3", (c, 1, 1), (c, 1, 7), (192, 7, 1)),
            tower_1_conv=(
                "branch7x7dbl_1 branch7x7dbl_2 branch7x7dbl_3 branch7x7dbl_4 branch7x7dbl_5",
                (c, 1, 1),
                (c, 7, 1),
                (c, 1, 7),
                (c, 7, 1),
                (192, 1, 7),
            ),
            tower_2_conv=("branch_pool", (192, 1, 1)),
        )
    add(
        "mixed_8",
        "Mixed_7a",
        768,
        tower_conv=("branch3x3_1 branch3x3_2", (192, 1, 1), (320, 3, 3)),
        tower_1_conv=(
            "branch7x7x3_1 branch7x7x3_2 branch7x7x3_3 branch7x7x3_4",
            (192, 1, 1),
            (192, 1, 7),
            (192, 7, 1),
            (192, 3, 3),
        ),
    )
    for block, torch_block, channels in (("mixed_9", "Mixed_7b", 1280), ("mixed_10", "Mixed_7c", 2048)):
        add(
            block,
            torch_block,
            channels,
            conv=("branch1x1", (320, 1, 1)),
            tower_conv=("branch3x3_1", (384, 1, 1)),
            tower_1_conv=("branch3x3dbl_1 branch3x3dbl_2", (448, 1, 1), (384, 3, 3)),
            tower_2_conv=("branch_pool", (192, 1, 1)),
        )
        for tower, name in (("tower", "branch3x3_2"), ("tower_1", "branch3x3dbl_3")):
            rows.append((f"{block}_{tower}_mixed_conv", f"{torch_block}.{name}a", (384, 384, 1, 3)))
            rows.append((f"{block}_{tower}_mixed_conv_1", f"{torch_block}.{name}b", (384, 384, 3, 1)))
    return rows


LAYERS = _layers()


def _shapes(complete):
    rows = [row for row in LAYERS if complete or not row[0].startswith(("mixed_9", "mixed_10"))]
    shapes = {f"{name}/weight": shape for name, _, shape in rows}
    shapes |= {f"{name}/bias": shape[:1] for name, _, shape in rows}
    return shapes | {"softmax/weight": (1008, 2048)} if complete else shapes


def is_complete(arrays: dict[str, np.ndarray]) -> bool:
    """Whether weights are those of the whole network, not only as far as mixed_8."""
    return "softmax/weight" in arrays


def _check(arrays, path):
    shapes = _shapes(is_complete(arrays))
    refusal = f"{path} does not hold the Inception network of 2015-12-05"
    arrays = check_floats(arrays, shapes, refusal, f"get {URL} and run wgangp data convert-inception")
    return {key: array.astype("float32", copy=False) for key, array in arrays.items()}


def read_weights(path: Path | str) -> dict[str, np.ndarray]:
    """Read a weights file, partial or complete.

    Args:
        path: an npz file (see the docstring of the module).

    Returns:
        {name: float32 array}.

    Raises:
        InputError: the file is missing, truncated or of another network.
    """
    return _check(read_npz(path, largest_size(_shapes(True))), path)


def fold_batch_norm(state: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Turn convolutions with batch norm, under torchvision's names, into plain convolutions under TensorFlow's.

    Args:
        state: {torchvision's name: array}.

    Returns:
        {TensorFlow's name: array}, with softmax/weight.

    Raises:
        KeyError: a layer is missing.
    """
    arrays = {}
    for name, torch_name, _ in LAYERS:
        weight, gamma, beta, mean, variance = (
            state[f"{torch_name}.{part}"].astype("float64")
            for part in ("conv.weight", "bn.weight", "bn.bias", "bn.running_mean", "bn.running_var")
        )
        scale = gamma / np.sqrt(variance + BATCH_NORM_EPSILON)
        arrays[f"{name}/weight"] = (weight * scale[:, None, None, None]).astype("float32")
        arrays[f"{name}/bias"] = (beta - mean * scale).astype("float32")
    # The bias is left out: the Inception score's logits have none (inception_score.py).
    return arrays | {"softmax/weight": state["fc.weight"].astype("float32")}


def convert_inception(source: Path | str, folder: Path | str) -> Path:
    """Write a weights file from pytorch-fid's, or from another weights file.

    Args:
        source: pt_inception-2015-12-05-6726825d.pth (read without torch, nothing in it is run) or an npz.
        folder: the data folder, in which it is written, whole or not at all.

    Returns:
        Its path: named COMPLETE where the weights are, which the Inception score and 2048 features need, else PARTIAL.

    Raises:
        InputError: the source is missing, damaged, refused or of another network, or the target cannot be written.
    """
    if Path(source).suffix == ".npz":
        arrays = read_npz(source, largest_size(_shapes(True)))
    else:
        try:
            arrays = fold_batch_norm(read_state_dict(source))
        except (KeyError, ValueError) as error:
            if isinstance(error, InputError):
                raise
            raise InputError(f"{source} is not pytorch-fid's Inception network (without {error}); get {URL}.") from None
    arrays = _check(arrays, source)
    target = Path(folder) / (COMPLETE if is_complete(arrays) else PARTIAL)
    with replacing(target) as file:
        write_npz(file, arrays)
    return target


def find_weights(folder: Path | str) -> Path:
    """Find the weights file to use: the complete one, else the partial one.

    Args:
        folder: the data folder.

    Raises:
        InputError: there is neither.
    """
    for name in (COMPLETE, PARTIAL):
        if (path := Path(folder) / name).exists():
            return path
    raise InputError(f"{folder} has neither {COMPLETE} nor {PARTIAL}; get {URL} and run wgangp data convert-inception.")
