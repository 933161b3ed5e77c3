import io
import os
import pickle
from collections import OrderedDict

import pytest

from wgangp.data import safe_pickle
from wgangp.errors import InputError


class Malicious:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def test_reads_plain_data_and_allowed_names(tmp_path):
    data = OrderedDict(a=[1, 2.5, b"x"], b={"c": (None, True)})
    path = tmp_path / "data.pkl"
    path.write_bytes(pickle.dumps(data, protocol=3))
    assert safe_pickle.load(path, {("collections", "OrderedDict"): OrderedDict}) == data


def test_leaves_the_file_behind_the_pickle():
    file = io.BytesIO(pickle.dumps(1) + pickle.dumps([2]) + b"rest")
    assert safe_pickle.load(file, {}) == 1 and safe_pickle.load(file, {}) == [2] and file.read() == b"rest"


@pytest.mark.parametrize("protocol", range(6))
def test_refuses_a_pickle_that_calls_something(tmp_path, protocol):
    target, path = tmp_path / "made", tmp_path / "bad.pkl"
    path.write_bytes(pickle.dumps({"data": Malicious(target)}, protocol=protocol))
    with pytest.raises(InputError, match=r"bad\.pkl is refused: it asks for (posix|nt)\.mkdir"):
        safe_pickle.load(path, {("collections", "OrderedDict"): OrderedDict})
    assert not target.exists()


def test_a_dotted_name_below_an_allowed_one_is_refused():
    # Protocol 4 looks up "a.b" attribute by attribute in Python's own unpickler.
    attack = b"\x80\x04\x8c\x0bcollections\x8c\x18OrderedDict.fromkeys.x.y\x93."
    with pytest.raises(InputError, match="is refused"):
        safe_pickle.load(io.BytesIO(attack), {("collections", "OrderedDict"): OrderedDict}, name="a file")


def test_refuses_persistent_ids_that_nobody_asked_for():
    with pytest.raises(InputError, match="persistent id"):
        safe_pickle.load(io.BytesIO(b"Pos.system\n."), {})


@pytest.mark.parametrize("damage", [lambda b: b"", lambda b: b[:-5], lambda b: b"\xff" + b, lambda b: b"PNG" * 9])
def test_damaged_files_get_one_sentence(tmp_path, damage):
    path = tmp_path / "data.pkl"
    path.write_bytes(damage(pickle.dumps({"data": b"0123456789" * 9})))
    with pytest.raises(InputError, match=r"data\.pkl is not a whole pickle"):
        safe_pickle.load(path, {})


def test_missing_file(tmp_path):
    with pytest.raises(InputError, match="cannot read"):
        safe_pickle.load(tmp_path / "none.pkl", {})


def test_a_memo_takes_memory_for_what_is_in_it_alone(memory):
    assert memory(safe_pickle.load, io.BytesIO(b"\x80\x02}r\x00\x00\x00\x08."), {}) < 1 << 20


@pytest.mark.parametrize("many", [b"]", b"}", b"Nq\x00"])
def test_objects_take_memory_within_bounds(many, memory, monkeypatch):
    monkeypatch.setattr(safe_pickle, "MEMORY", 1 << 24)

    def refused():
        with pytest.raises(InputError, match="its objects take more than 16 MiB"):
            safe_pickle.load(io.BytesIO(b"\x80\x02(" + many * 100_000), {})

    assert memory(refused) < 1 << 24


def test_keys_are_names_or_numbers():
    nested = b"N" + b"2\x86" * 20  # a pair of pairs of ..., whose hash takes 2^20 steps
    with pytest.raises(InputError, match="a key that is neither a name nor a number"):
        safe_pickle.load(io.BytesIO(b"\x80\x02}" + nested + b"Ns."), {})


@pytest.mark.parametrize(
    "raw", [b"\x8f", b"(i\n", b"\x8f(K\x01\x90", b"\x96\xff\xff\xff\xff\x00\x00\x00\x00", b"\x82\x01"]
)
def test_opcodes_that_no_data_need_are_refused(raw):
    with pytest.raises(InputError, match="is not a whole pickle .*opcode"):
        safe_pickle.load(io.BytesIO(b"\x80\x05" + raw + b"."), {})
