"""Reading the tensors that torch.save wrote, without torch and without running anything from the file."""

import io
import math
import os
import zipfile
from collections import OrderedDict
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import numpy as np

from wgangp.data import safe_pickle
from wgangp.runtime.files import reading

MAGIC = 0x1950A86A20F9469CFC6C  # first pickle of a file from before torch 1.6
DTYPES = {"FloatStorage": "<f4", "DoubleStorage": "<f8", "HalfStorage": "<f2", "LongStorage": "<i8"}


class _Storage(NamedTuple):
    key: str
    dtype: str
    numel: int


class _Tensor(NamedTuple):
    storage: _Storage
    offset: int
    size: tuple
    stride: tuple


def _allowed():
    def rebuild_tensor(storage, offset, size, stride, *_):
        return _Tensor(storage, offset, size, stride)

    def rebuild_parameter(tensor, *_):
        return tensor

    names = {("torch", name): dtype for name, dtype in DTYPES.items()}
    names["collections", "OrderedDict"] = lambda: OrderedDict()
    names["torch._utils", "_rebuild_tensor_v2"] = rebuild_tensor
    names["torch._utils", "_rebuild_parameter"] = rebuild_parameter
    return names


def _storage(pid):
    kind, dtype, key, _, numel = pid[:5]
    known = kind == "storage" and dtype in DTYPES.values() and isinstance(key, str)
    if not known or any(view is not None for view in pid[5:]):
        raise safe_pickle.Refused("another persistent id than a storage's")
    return _Storage(key, dtype, numel)


def read_state_dict(path: Path | str) -> dict[str, np.ndarray]:
    """Read a state dict that torch.save wrote, in today's format (zip) or the one before torch 1.6.

    Args:
        path: the .pth file.

    Returns:
        {name: array}.

    Raises:
        InputError: the file is missing, truncated or something else, or its pickle asks for something else than
            tensors.
    """
    with reading(path, "not a whole state dict of torch.save"), open(path, "rb") as file:
        state, data = (_read_zip if zipfile.is_zipfile(file) else _read_legacy)(file, str(path))
        if not isinstance(state, dict) or not all(isinstance(value, _Tensor) for value in state.values()):
            raise ValueError("not a dict of tensors")
        views = {name: _view(tensor, data) for name, tensor in state.items()}
        if sum(view.nbytes for view in views.values()) > 2 * sum(map(len, data.values())):
            raise ValueError("tensors that together are larger than the file")
        return {name: view.copy() for name, view in views.items()}


def _read_zip(file, path):
    with zipfile.ZipFile(file) as archive:
        # torch compresses nothing; a compressed entry could unpack to any size.
        entries = {str(PurePosixPath(*PurePosixPath(i.filename).parts[1:])): i for i in archive.infolist()}
        if any(info.compress_type != zipfile.ZIP_STORED for info in entries.values()):
            raise ValueError("compressed")
        if sum(info.compress_size for info in entries.values()) > os.fstat(file.fileno()).st_size:
            raise ValueError("entries that overlap")
        if "byteorder" in entries and archive.read(entries["byteorder"]) != b"little":
            raise ValueError("big-endian")
        pickled = io.BytesIO(archive.read(entries["data.pkl"]))  # to the end, where its checksum is compared
        state = safe_pickle.load(pickled, _allowed(), _storage, name=path)
        return state, {key[5:]: archive.read(info) for key, info in entries.items() if key.startswith("data/")}


def _read_legacy(file, path):
    file.seek(0)
    if safe_pickle.load(file, {}, name=path) != MAGIC:
        raise ValueError("no magic number")
    safe_pickle.load(file, {}, name=path)  # protocol version
    if not safe_pickle.load(file, {}, name=path)["little_endian"]:
        raise ValueError("big-endian")
    itemsizes = {}

    def storage(pid):
        described = _storage(pid)
        itemsizes[described.key] = np.dtype(described.dtype).itemsize
        return described

    state = safe_pickle.load(file, _allowed(), storage, name=path)
    data = {}
    for key in safe_pickle.load(file, {}, name=path):
        count = int(np.frombuffer(file.read(8), "<i8")[0])
        if count < 0:
            raise ValueError("negative size")
        data[key] = file.read(count * itemsizes[key])
    return state, data


def _view(tensor, data):
    storage, offset, size, stride = tensor
    flat = np.frombuffer(data[storage.key], storage.dtype)
    last = offset + sum((n - 1) * step for n, step in zip(size, stride))
    count = math.prod(size)
    # Outside these bounds as_strided would read other memory, or make a huge array of a small file.
    if len(size) != len(stride) or min([offset, count, *size, *stride]) < 0 or count > len(flat) or last >= len(flat):
        raise ValueError("a tensor outside its storage")
    steps = [step * flat.itemsize for step in stride]
    return np.lib.stride_tricks.as_strided(flat[offset:], size, steps, writeable=False)
