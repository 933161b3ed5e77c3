"""LSUN databases: read in the order of their keys, kept as an array, and refused where they are damaged."""

import io

import pytest
from PIL import Image
from publishers import write_lmdb

from wgangp import InputError
from wgangp.data import images
from wgangp.data.lmdb_file import Lmdb


def library_lmdb(path, values):
    lmdb = pytest.importorskip("lmdb", reason="package lmdb is not installed")
    with lmdb.open(str(path), map_size=1 << 24) as database, database.begin(write=True) as transaction:
        for key, value in values.items():
            transaction.put(key, value)


@pytest.mark.parametrize("write", [write_lmdb, library_lmdb])
def test_an_lsun_database_is_read_and_kept(folder, write):
    path, values = folder / "bedroom_train_lmdb", {}
    for value in range(20):
        file = io.BytesIO()
        Image.new("RGB", (24, 16), (10 * value, 0, 0)).save(file, "webp", lossless=True)
        values[f"{value:02d}".encode()] = file.getvalue()
    write(path, values)
    some = images.lsun_bedrooms("train", size=8, count=10)
    assert some.images.shape == (9, 3, 8, 8) and some.images[:, 0, 0, 0].tolist() == [10 * v for v in range(9)]
    train, validation = images.lsun_bedrooms("train", size=8), images.lsun_bedrooms("validation", size=8)
    assert train.images[:, 0, 0, 0].tolist() == [10 * v for v in range(18)]
    assert validation.images[:, 0, 0, 0].tolist() == [180, 190]
    write(path, values | {b"00": b"not an image"})
    assert images.lsun_bedrooms("train", size=8).sha256 == train.sha256
    with pytest.raises(InputError, match="bedroom_train_lmdb, key 00 is cut off or not an image"):
        images.lsun_bedrooms("train", size=4)
    assert sorted(file.name for file in folder.iterdir()) == ["bedroom_train_lmdb", "bedroom_train_lmdb_8.npy"]
    for damage in (b"cut", (folder / "bedroom_train_lmdb_8.npy").read_bytes().replace(b"|u1", b"|i1")):
        (folder / "bedroom_train_lmdb_8.npy").write_bytes(damage)
        with pytest.raises(InputError, match="bedroom_train_lmdb_8.npy is not a whole array"):
            images.lsun_bedrooms("train", size=8)
    with pytest.raises(InputError, match="count is 0; at least 10 images"):
        images.lsun_bedrooms("train", size=8, count=0)


@pytest.mark.parametrize("write", [write_lmdb, library_lmdb])
@pytest.mark.parametrize("count", [0, 1, 3, 10, 100])
def test_values_of_every_length_come_in_the_order_of_keys(folder, write, count):
    values = {b"%03d" % (7 * i % count): bytes([i]) * (i * 150) for i in range(count)}
    write(folder / "database", values)
    database = Lmdb(folder / "database")
    assert len(database) == count
    assert [file.read() for file, _ in database] == [values[key] for key in sorted(values)]


def test_a_damaged_database_raises_and_never_ends_the_process(folder):
    path = write_lmdb(folder / "database", {b"%02d" % i: bytes([i]) * 900 * i for i in range(12)}) / "data.mdb"
    raw = path.read_bytes()

    def refused(damage):
        path.write_bytes(damage)
        with pytest.raises(InputError, match="database is damaged or not an LSUN database"):
            list(Lmdb(folder / "database"))

    for length in range(0, len(raw), 2048):
        refused(raw[:length])
    for page in range(2, len(raw) // 4096):
        if int.from_bytes(raw[page * 4096 : page * 4096 + 8], "little") == page:
            refused(raw[: page * 4096] + bytes(4096) + raw[(page + 1) * 4096 :])
    root = 4096 + 16 + 24 + 48 + 40
    assert int.from_bytes(raw[root : root + 8], "little") * 4096 < len(raw)
    for number in (1, 5, 1 << 20, (1 << 64) - 1):
        refused(raw[:root] + number.to_bytes(8, "little") + raw[root + 8 :])


def test_a_foreign_folder_is_no_database(folder):
    (folder / "bedroom_train_lmdb").mkdir()
    with pytest.raises(InputError, match="is not an LSUN database"):
        images.lsun_bedrooms()
