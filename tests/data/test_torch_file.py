import os

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
    for length in range(0, len(whole) - 1, 37):
        (tmp_path / "a.pth").write_bytes(whole[:length])
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
