import io
import os
import pickle

import numpy as np
import pytest
from publishers import Python2Pickler

from wgangp import InputError
from wgangp.data import formats, safe_pickle
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


ARRAY = (
    b"\x80\x02cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R"
    b"(K\x01%scnumpy\ndtype\nU\x02%sK\x00K\x01\x87R%s\x89%stb."
)


@pytest.mark.parametrize(
    "shape, code, order, data",
    [
        (b"K\x08\x85", b"O8", b"", b"]"),  # numpy reads past the list
        (b"K\x08\x85", b"O8", b"", b"U\x08" + bytes(8)),  # eight bytes as a pointer
        (b"K\x08\x85", b"u1", b"", b"U\x07" + bytes(7)),
        (b"K\x08\x85", b"u1", b"", b"U\x09" + bytes(9)),
        (b"K\x02\x85", b"f4", b"", b"U\x02" + bytes(2)),
        (b"J\xff\xff\xff\xffJ\xff\xff\xff\xff\x86", b"u1", b"", b"U\x01x"),
        (b"(" + 33 * b"K\x01" + b"t", b"u1", b"", b"U\x01x"),
        (b"\x8a\x09" + bytes(8) + b"\x01K\x00\x86", b"u1", b"", b"U\x00"),
        (b"K\x01\x85", b"V1", b"", b"U\x01x"),
        (b"K\x01\x85", b"S1", b"", b"U\x01x"),
        (b"K\x01\x85", b"u1", b"(K\x03U\x01|NU\x01aNK\x08K\x08K?tb", b"X\x01\x00\x00\x00x"),
        (b"K\x01\x85", b"f4", b"(K\x03U\x01xNNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb", b"U\x04abcd"),
    ],
)
def test_arrays_of_other_than_numbers_or_of_other_bytes_than_their_shapes_are_refused(shape, code, order, data):
    with pytest.raises(InputError, match="some.file is not a whole pickle"):
        load(ARRAY % (shape, code, order, data))


def test_an_array_written_by_hand_is_read():
    order = b"(K\x03U\x01>NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
    assert load(ARRAY % (b"K\x02\x85", b"u2", order, b"U\x04\x01\x02\x03\x04")).tolist() == [0x102, 0x304]


def test_the_pickle_that_ended_the_interpreter_is_refused():
    array = b"\x80\x02cnumpy.core.multiarray\n_reconstruct\n(K\x00tR"
    raw = array + b"(K\x01K\x08\x85cnumpy\ndtype\n(U\x01OK\x00K\x01tR\x89]tb."
    with pytest.raises(InputError, match="an array of something else than numbers"):
        load(raw)


def test_a_pickle_cannot_change_what_it_calls():
    before = formats._encode.__defaults__
    load(b"\x80\x02c_codecs\nencode\nN}X\x0c\x00\x00\x00__defaults__K\x01\x85s\x86b.")
    assert formats._encode.__defaults__ == before


def test_calls_that_copy_a_string_again_and_again_are_stopped(memory):
    text = b"X" + (1 << 20).to_bytes(4, "little") + b"x" * (1 << 20)
    raw = b"\x80\x02c_codecs\nencode\nq\x00" + text + b"U\x06latin1\x86q\x01](" + b"h\x00h\x01R" * 2000 + b"e."

    def refused():
        with pytest.raises(InputError, match="its objects take more than 256 MiB"):
            load(raw)

    assert memory(refused) < 300 << 20
