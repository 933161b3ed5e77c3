import os
import zipfile
from copy import copy

import numpy as np
import pytest
from torch_writer import save

from wgangp.data.torch_file import read_state_dict
from wgangp.errors import InputError

STATE = {
    "conv.weight": np.arange(24, dtype="float32").reshape(2, 3, 2, 2),
    "bn.num_batches_tracked": np.array(7),
    "double": np.linspace(0, 1, 5),
    "half": np.ones((3, 1), "float16"),
    "transposed": np.asfortranarray(np.arange(6, dtype="float32").reshape(2, 3)),
}


@pytest.mark.parametrize("legacy", [False, True])
def test_reads_both_formats(tmp_path, monkeypatch, legacy):
    save(tmp_path / "a.pth", STATE, monkeypatch, legacy)
    read = read_state_dict(tmp_path / "a.pth")
    assert list(read) == list(STATE)
    for name, array in STATE.items():
        assert read[name].dtype == array.dtype and np.array_equal(read[name], array)


class Malicious:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("legacy", [False, True])
def test_refuses_a_file_that_runs_something(tmp_path, monkeypatch, legacy):
    save(tmp_path / "bad.pth", STATE | {"x": Malicious(tmp_path / "made")}, monkeypatch, legacy)
    with pytest.raises(InputError, match=r"bad\.pth is refused: it asks for (posix|nt)\.mkdir"):
        read_state_dict(tmp_path / "bad.pth")
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize(
    "layout",
    [(0, (2, 4), (4, 1)), (1, (7,), (1,)), (0, (2,), (-1,)), (-1, (2,), (1,)), (0, (10**12,), (0,)), (0, (2,), (1, 1))],
)
def test_refuses_tensors_outside_their_storage(tmp_path, monkeypatch, legacy, layout):
    save(tmp_path / "a.pth", {"x": np.ones(7, "float32")}, monkeypatch, legacy, layout=layout)
    with pytest.raises(InputError, match="a tensor outside its storage"):
        read_state_dict(tmp_path / "a.pth")


@pytest.mark.parametrize("legacy", [False, True])
def test_truncated_at_any_place(tmp_path, monkeypatch, legacy):
    save(tmp_path / "a.pth", STATE, monkeypatch, legacy)
    whole = (tmp_path / "a.pth").read_bytes()
    ends_a_line = whole[:10] + b"\n" + whole[11:]  # the time in a zip file's header, which is any byte
    for raw in (whole, ends_a_line):
        for length in range(0, len(raw) - 1, 37):
            (tmp_path / "a.pth").write_bytes(raw[:length])
            with pytest.raises(InputError, match=r"a\.pth is not a whole"):
                read_state_dict(tmp_path / "a.pth")


def test_refuses_foreign_files(tmp_path, monkeypatch):
    (tmp_path / "a.pth").write_bytes(b"\x89PNG" * 50)
    with pytest.raises(InputError, match="not a whole"):
        read_state_dict(tmp_path / "a.pth")
    save(tmp_path / "a.pth", {"epoch": 3}, monkeypatch)
    with pytest.raises(InputError, match="not a dict of tensors"):
        read_state_dict(tmp_path / "a.pth")
    save(tmp_path / "a.pth", STATE, monkeypatch, compress=True)
    with pytest.raises(InputError, match="compressed"):
        read_state_dict(tmp_path / "a.pth")
    with pytest.raises(InputError, match="cannot read"):
        read_state_dict(tmp_path / "none.pth")


def test_the_pickle_is_read_to_its_end_where_its_checksum_is(tmp_path, monkeypatch):
    save(tmp_path / "a.pth", {f"layer{i}": np.zeros(1, "float32") for i in range(2000)}, monkeypatch)
    raw = (tmp_path / "a.pth").read_bytes()
    assert len(read_state_dict(tmp_path / "a.pth")) == 2000
    (tmp_path / "a.pth").write_bytes(raw.replace(b"OrderedDict\nq\x00)R", b"OrderedDict\nq\x00).", 1))
    with pytest.raises(InputError, match="CRC"):
        read_state_dict(tmp_path / "a.pth")
    (tmp_path / "a.pth").write_bytes(raw.replace(b")Rq\x01(X", b")R.\x01(X", 1))
    with pytest.raises(InputError, match="CRC"):
        read_state_dict(tmp_path / "a.pth")


def write_shared(path, names, overlapping=0):
    """Tensors [10] that share one storage of ten numbers."""

    def text(value):
        return b"X" + len(value).to_bytes(4, "little") + value.encode()

    storage = b"(" + text("storage") + b"ctorch\nFloatStorage\n" + text("0") + text("cpu") + b"K\x0atQ"
    tensor = b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage + b"K\x00K\x0a\x85K\x01\x85\x89NtR"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a/data.pkl", b"\x80\x02}(" + b"".join(text(name) + tensor for name in names) + b"u.")
        archive.writestr("a/data/0", np.arange(10, dtype="<f4").tobytes())
        for i in range(overlapping):  # entries of the directory that all say they are the rest of the file
            info = copy(archive.filelist[-1])
            info.filename, info.compress_size = f"a/data/{i + 1}", 100
            archive.filelist.append(info)


def test_tensors_take_memory_in_proportion(tmp_path):
    write_shared(tmp_path / "a.pth", "ab")
    assert all((array == np.arange(10)).all() for array in read_state_dict(tmp_path / "a.pth").values())
    write_shared(tmp_path / "a.pth", "abc")
    with pytest.raises(InputError, match="tensors that together are larger than the file"):
        read_state_dict(tmp_path / "a.pth")
    write_shared(tmp_path / "a.pth", "ab", overlapping=50)
    with pytest.raises(InputError, match="entries that overlap"):
        read_state_dict(tmp_path / "a.pth")
