"""Writes state dicts as torch.save does, without torch: for tests of reading them."""

import io
import pickle
import struct
import sys
import types
import zipfile
from collections import OrderedDict

import numpy as np

STORAGES = {"f4": "FloatStorage", "f8": "DoubleStorage", "f2": "HalfStorage", "i8": "LongStorage"}


class _Tensor:
    """Pickled as torch pickles a tensor; `steps` in elements."""

    def __init__(self, key, array, offset=0, size=None, steps=None):
        self.key, self.array, self.offset = key, array, offset
        self.size = array.shape if size is None else size
        self.steps = tuple(s // array.itemsize for s in array.strides) if steps is None else steps

    def __reduce__(self):
        return sys.modules["torch._utils"]._rebuild_tensor_v2, (
            _Storage(self),
            self.offset,
            self.size,
            self.steps,
            False,
            OrderedDict(),
        )


class _Storage:
    def __init__(self, tensor):
        self.tensor = tensor


class _Pickler(pickle.Pickler):
    legacy = True

    def persistent_id(self, value):
        if isinstance(value, _Storage):
            array = value.tensor.array
            kind = getattr(sys.modules["torch"], STORAGES[array.dtype.str[1:]])
            pid = ("storage", kind, value.tensor.key, "cpu", array.size)
            return (*pid, None) if self.legacy else pid


def _fake_torch(monkeypatch):
    """Modules with the names that torch's pickles mention."""
    torch, utils = types.ModuleType("torch"), types.ModuleType("torch._utils")

    def _rebuild_tensor_v2():
        raise AssertionError("the file was executed")

    _rebuild_tensor_v2.__module__ = "torch._utils"
    _rebuild_tensor_v2.__qualname__ = "_rebuild_tensor_v2"
    utils._rebuild_tensor_v2 = _rebuild_tensor_v2
    for name in STORAGES.values():
        setattr(torch, name, type(name, (), {"__module__": "torch"}))
    monkeypatch.setitem(sys.modules, "torch", torch)
    monkeypatch.setitem(sys.modules, "torch._utils", utils)


def save(path, state, monkeypatch, legacy=False, compress=False, layout=None):
    """Write {name: array} or other values to `path`.

    `layout`, (offset, size, steps), replaces every tensor's own.
    """
    with monkeypatch.context() as patch:
        _fake_torch(patch)
        arrays = {str(i): value for i, value in enumerate(state.values()) if isinstance(value, np.ndarray)}
        tensors = OrderedDict(
            (name, _Tensor(str(i), value, *(layout or ())) if isinstance(value, np.ndarray) else value)
            for i, (name, value) in enumerate(state.items())
        )
        tensors._metadata = OrderedDict([("", {"version": 1})])

        def dump(value):
            file = io.BytesIO()
            pickler = _Pickler(file, protocol=2)
            pickler.legacy = legacy
            pickler.dump(value)
            return file.getvalue()

        if legacy:
            info = {"protocol_version": 1001, "little_endian": True, "type_sizes": {"short": 2, "int": 4, "long": 4}}
            head = [0x1950A86A20F9469CFC6C, 1001, info, tensors, sorted(arrays)]
            with open(path, "wb") as file:
                for part in head:
                    file.write(dump(part))
                for key in sorted(arrays):
                    file.write(struct.pack("<q", arrays[key].size) + arrays[key].tobytes("A"))
            return
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED if compress else zipfile.ZIP_STORED) as archive:
            archive.writestr("fake/data.pkl", dump(tensors))
            archive.writestr("fake/byteorder", "little")
            for key, array in arrays.items():
                archive.writestr(f"fake/data/{key}", array.tobytes("A"))
            archive.writestr("fake/version", "3\n")
