import io
import os
import pickle

import numpy as np
import pytest
from publishers import Python2Pickler

from wgangp import InputError
from wgangp.data import safe_pickle
from wgangp.data.formats import ARRAYS


def load(raw, encoding="bytes"):
    return safe_pickle.load(io.BytesIO(raw), ARRAYS, encoding=encoding, name="some.file")


class Calls:
    def __init__(self, function, *arguments):
        self.function, self.arguments = function, arguments

    def __reduce__(self):
        return self.function, self.arguments


@pytest.mark.parametrize("protocol", range(5))
def test_arrays_and_bytes_of_python_3_are_read(protocol):
    array = np.arange(24, dtype="uint8").reshape(2, 12)
    got = load(pickle.dumps({b"data": array, b"labels": [1, 2], b"empty": b""}, protocol=protocol))
    assert (got[b"data"] == array).all() and got[b"labels"] == [1, 2] and got[b"empty"] == b""


@pytest.mark.parametrize("array", [np.arange(24, dtype="uint8").reshape(2, 12), np.asfortranarray(np.eye(3))])
def test_arrays_of_python_2_are_read(array):
    file = io.BytesIO()
    Python2Pickler(file, 2).dump({"data": array})
    got = load(file.getvalue())[b"data"]
    assert got.dtype == array.dtype and (got == array).all()


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize(
    "call",
    [
        Calls(os.system, "touch called"),
        Calls(eval, "1"),
        Calls(getattr, "", "join"),
        Calls(np.load, "x"),
        Calls(open, "x"),
    ],
)
def test_whatever_calls_something_else_is_refused_with_the_files_name(call, protocol, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=r"some\.file is refused: it asks for \w+\.\w+"):
        load(pickle.dumps({b"data": call}, protocol=protocol))
    assert not list(tmp_path.iterdir())


def test_names_with_dots_do_not_reach_into_allowed_modules():
    raw = b"\x80\x04\x8c\x05numpy\x8c\x0dndarray.dumps\x93."
    with pytest.raises(InputError, match="ndarray.dumps"):
        load(raw)


@pytest.mark.parametrize(
    "raw", [b"", b"hello", pickle.dumps(list(range(1000)))[:-100], b"\x80\x02cnumpy\nndarray\n)R."]
)
def test_what_is_cut_off_or_no_pickle_is_told_so(raw):
    with pytest.raises(InputError, match="some.file is not a whole pickle"):
        load(raw)
