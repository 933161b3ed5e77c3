"""Files of arrays: read whole and right, or refused; written so that no crash loses what was there."""

import io
import os
import subprocess
import sys
import tracemalloc
import zipfile

import fuzz_arrays
import numpy as np
import pytest
from fuzz_arrays import DAMAGES, FORMATS, SMALL_LAYERS, SMALL_SHAPES, same

from wgangp import InputError
from wgangp.metrics import classifier, inception_weights
from wgangp.runtime.files import read_npz, replacing


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
@pytest.mark.filterwarnings("ignore:.*of an earlier version")
def test_damaged_file_is_refused_by_every_reader(damage, name, tmp_path, monkeypatch):
    monkeypatch.setattr(inception_weights, "LAYERS", SMALL_LAYERS)
    monkeypatch.setattr(classifier, "SHAPES", SMALL_SHAPES)
    write, read = FORMATS[name]
    path = tmp_path / "a.npz"
    write(path)
    raw = path.read_bytes()
    read(path)
    path.write_bytes(damage(raw))
    with pytest.raises(InputError, match=r"a\.npz is not a whole") as refused:
        read(path)
    assert str(refused.value).count("\n") == 0


@pytest.mark.parametrize("count", [100, pytest.param(1000, marks=pytest.mark.slow)])
def test_random_damages_of_every_file_of_arrays_are_refused_or_harmless(count, tmp_path):
    command = [sys.executable, fuzz_arrays.__file__, str(tmp_path), str(count)]
    fuzzed = subprocess.run(command, capture_output=True, text=True)
    assert fuzzed.returncode == 0, fuzzed.stdout + fuzzed.stderr
    refused = [int(line.split(": ")[1].split()[0]) for line in fuzzed.stdout.splitlines()]
    assert len(refused) == len(FORMATS) and min(refused) > count / 2


def test_reads_what_numpy_wrote(tmp_path):
    arrays = {"a/b": np.arange(6.0).reshape(2, 3).T, "c": np.array("text"), "d": np.zeros((0, 4), "int8"), "e": 1j}
    for write in (np.savez, np.savez_compressed):
        write(tmp_path / "a.npz", **arrays, f=np.array(b"bytes"), g=np.array(True))
        with np.load(tmp_path / "a.npz") as expected:
            assert same(read_npz(tmp_path / "a.npz"), dict(expected))


def lying_npz(path):
    """An npz whose directory speaks of 100 numbers where 10^6 are packed."""
    array = io.BytesIO()
    np.save(array, np.zeros(100))
    size = array.tell()
    content = array.getvalue() + bytes(8 * 10**6)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.npy", content)
    path.write_bytes(path.read_bytes().replace(len(content).to_bytes(4, "little"), size.to_bytes(4, "little")))


def honest_npz(path):
    np.savez_compressed(path, a=np.zeros(10**6))


@pytest.mark.parametrize("name", [name for name in FORMATS if name != "a run's arrays"])
def test_no_reader_unpacks_more_than_its_arrays_take(name, tmp_path, monkeypatch):
    monkeypatch.setattr(inception_weights, "LAYERS", SMALL_LAYERS)
    monkeypatch.setattr(inception_weights, "_shapes", lambda complete, shapes=inception_weights._shapes: shapes(False))
    monkeypatch.setattr(classifier, "SHAPES", SMALL_SHAPES)
    honest_npz(tmp_path / "a.npz")
    with pytest.raises(InputError, match=r"its arrays take more than \d+ bytes"):
        FORMATS[name][1](tmp_path / "a.npz")


@pytest.mark.parametrize("write, words", [(honest_npz, "take more than 1000000 bytes"), (lying_npz, "Bad CRC-32")])
def test_no_more_is_unpacked_than_may_be(write, words, tmp_path):
    write(tmp_path / "a.npz")
    assert (tmp_path / "a.npz").stat().st_size < 20_000
    tracemalloc.start()
    with pytest.raises(InputError, match=words):
        read_npz(tmp_path / "a.npz", 10**6)
    assert tracemalloc.get_traced_memory()[1] < 10**6
    tracemalloc.stop()


def test_directory_of_no_entries(tmp_path):
    path = tmp_path / "a.npz"
    np.savez(path, a=np.zeros(3))
    raw = bytearray(path.read_bytes())
    raw[-12:-6] = bytes(6)  # their number and the directory's size
    path.write_bytes(raw)
    assert len(np.load(path)) == 0
    with pytest.raises(InputError, match="0 of its 0 arrays are readable"):
        read_npz(path)


def test_what_is_not_there_or_no_file(tmp_path):
    for path, words in (
        (tmp_path / "none.npz", "cannot read .*none.npz: No such file"),
        (tmp_path, "cannot read .*: Is a directory"),
        (tmp_path / ("a" * 300), "cannot read .*: File name too long"),
    ):
        with pytest.raises(InputError, match=words):
            read_npz(path)


def test_file_and_folder_are_on_the_disk_before_and_after_the_replacement(tmp_path, monkeypatch):
    done, fsync, replace = [], os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda file: (done.append("fsync"), fsync(file)))
    monkeypatch.setattr(os, "replace", lambda *paths: (done.append("replace"), replace(*paths)))
    for content in (b"a", b"b"):
        with replacing(tmp_path / "x", keep=tmp_path / "y" if done else None) as file:
            file.write(content)
    assert done == ["fsync", "replace", "fsync"] + ["fsync", "replace", "replace", "fsync"]
    (tmp_path / "y").unlink(), os.link(tmp_path / "x", tmp_path / "y")  # as a crash between the two leaves them
    with replacing(tmp_path / "x", keep=tmp_path / "y") as file:
        file.write(b"c")
    assert (tmp_path / "x").read_bytes() == b"c" and (tmp_path / "y").read_bytes() == b"b"
    assert len(list(tmp_path.iterdir())) == 2


def test_link_stays_and_its_file_is_replaced(tmp_path):
    (tmp_path / "disk").mkdir()
    target, link, gone = tmp_path / "disk" / "rows.csv", tmp_path / "rows.csv", tmp_path / "gone"
    target.write_bytes(b"old")
    link.symlink_to("disk/rows.csv")
    gone.symlink_to(tmp_path / "elsewhere" / "new")
    for path in (link, gone):
        with replacing(path) as file:
            file.write(b"new")
        assert path.is_symlink() and path.read_bytes() == b"new"
    assert target.read_bytes() == b"new" and sorted(p.name for p in tmp_path.rglob("*.part")) == []


def test_no_pipe_or_device_is_replaced(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", "/dev/full"):
        with pytest.raises(InputError, match="is a device or pipe, not a file"):
            with replacing(path) as file:
                file.write(b"x")
        assert not os.path.isfile(path)
    assert [path.name for path in tmp_path.iterdir()] == ["pipe"]


@pytest.mark.parametrize("name", ["x", "y"])
def test_no_folder_is_replaced(name, tmp_path):
    (tmp_path / "x").write_bytes(b"a")
    (tmp_path / name).unlink(missing_ok=True), (tmp_path / name).mkdir()
    before = sorted(tmp_path.iterdir())
    with pytest.raises(InputError, match=f"cannot write .*x: .*/{name} is a folder; move it or name another file"):
        with replacing(tmp_path / "x", keep=tmp_path / "y" if name == "y" else None) as file:
            file.write(b"b")
    assert sorted(tmp_path.iterdir()) == before
    assert name == "x" or (tmp_path / "x").read_bytes() == b"a"
