import gzip
import hashlib
import http.server
import threading
import zipfile
from dataclasses import replace

import numpy as np
import pooch
import pytest
from publishers import whole_cifar10, write_cifar10, write_idx, write_lmdb

from wgangp import InputError
from wgangp.data import catalogue, download, text


@pytest.fixture
def served(tmp_path_factory, monkeypatch):
    """Serves a folder on this machine; gives a function that puts a file there and makes an entry of it."""
    served_folder = tmp_path_factory.mktemp("served")

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments):
            super().__init__(*arguments, directory=served_folder)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.delenv("WGANGP_OFFLINE")

    def entry(file, raw, **changes):
        (served_folder / file).write_bytes(raw)
        one = catalogue.File(
            name="one",
            file=file,
            url=f"http://127.0.0.1:{server.server_port}/{file}",
            known_hash="sha256:" + hashlib.sha256(raw).hexdigest(),
            megabytes=1,
            licence="none",
            used_by="tests",
        )
        monkeypatch.setattr(catalogue, "FILES", (replace(one, **changes),))

    yield entry
    server.shutdown()


def test_fetching_downloads_once_and_checks(folder, served):
    served("one.txt", b"content")
    assert download.obtain("one").read_bytes() == b"content"
    assert download.fetch_data(["one"]) == f"one: {folder / 'one.txt'}"
    assert download.verify_data() == f"one: {folder / 'one.txt'}: the publisher's file"
    (folder / "one.txt").write_bytes(b"conten")
    with pytest.raises(InputError, match="one.txt is not the file that was published"):
        download.verify_data(["one"])


def test_another_file_at_the_address_leaves_nothing_behind(folder, served):
    served("one.txt", b"content", known_hash="sha256:" + "0" * 64)
    with pytest.raises(
        catalogue.Missing, match=r"download failed \(the file at the address is another one\); download it from"
    ):
        download.fetch("one")
    assert not list(folder.iterdir())


def test_nothing_is_fetched_offline(folder, served, monkeypatch):
    served("one.txt", b"content")
    monkeypatch.setenv("WGANGP_OFFLINE", "1")
    with pytest.raises(catalogue.Missing, match=r"WGANGP_OFFLINE forbids .* and put it there\.$"):
        download.fetch_data(["one"])
    assert not list(folder.iterdir())


def test_a_failing_download_is_one_sentence(folder, served):
    served("one.txt", b"content", url="http://127.0.0.1:9/one.txt")
    with pytest.raises(catalogue.Missing, match=r"download failed \(ConnectionError\); download it from .*:9/one.txt"):
        download.obtain("one")
    served("one.txt", b"content", megabytes=501)
    with pytest.raises(catalogue.Missing, match="is not in .*; download it"):
        download.obtain("one")


def test_a_zip_is_unpacked(folder, served):
    with zipfile.ZipFile(folder / "made", "w") as file:
        file.writestr("one/data.txt", "inside")
    raw = (folder / "made").read_bytes()
    (folder / "made").unlink()
    served("one.zip", raw, other_names=("one",))
    assert download.fetch("one") == folder / "one"
    assert (folder / "one" / "data.txt").read_text() == "inside"
    assert sorted(path.name for path in folder.iterdir()) == ["one", "one.zip"]


def test_content_is_verified_whatever_it_is_packed_in(folder, monkeypatch):
    labels = np.arange(10_000) % 10
    write_idx(folder / "t10k-labels-idx1-ubyte", labels)
    digest = hashlib.sha256((folder / "t10k-labels-idx1-ubyte").read_bytes()).hexdigest()
    write_idx(folder / "t10k-labels-idx1-ubyte.gz", labels, lambda raw: gzip.compress(raw, 1))
    with pytest.raises(InputError, match="t10k-labels-idx1-ubyte.gz is not the file that was published"):
        download.verify("mnist_test_labels")
    file = replace(catalogue.get_entry("mnist_test_labels"), contents={digest: "what it should be"})
    monkeypatch.setattr(catalogue, "FILES", (file,))
    assert download.verify("mnist_test_labels").endswith("idx1-ubyte.gz: what it should be")
    (folder / "t10k-labels-idx1-ubyte.gz").unlink()
    assert download.verify("mnist_test_labels").endswith("idx1-ubyte: what it should be")
    (folder / "t10k-labels-idx1-ubyte.gz").write_bytes(gzip.compress(b"x" * 1000)[:-9])
    with pytest.raises(InputError, match="cut off or damaged"):
        download.verify("mnist_test_labels")


def test_cifar10_with_one_label_changed_is_not_what_was_published(folder, monkeypatch):
    path = write_cifar10(folder, **whole_cifar10(tests=50))
    contents = {digest: "known" for digest in download._content_hashes(catalogue.get_entry("cifar10"), path)}
    monkeypatch.setattr(catalogue, "FILES", (replace(catalogue.get_entry("cifar10"), contents=contents),))
    assert download.verify("cifar10").endswith("cifar-10-batches-py: known, known, known, known")
    raw = (path / "data_batch_2").read_bytes()
    at = raw.rindex(b"K\x03")
    (path / "data_batch_2").write_bytes(raw[:at] + b"K\x04" + raw[at + 2 :])
    with pytest.raises(InputError, match="not the file that was published"):
        download.verify("cifar10")


def test_groups_and_unknown_names(folder):
    assert download.verify_data() == f"there is no data in {folder}."
    with pytest.raises(InputError) as caught:
        download.verify_data(["mnist"])
    assert [line.split(":")[0] for line in str(caught.value).splitlines()] == list(catalogue.GROUPS["mnist"])
    for call in (download.fetch_data, download.verify_data):
        with pytest.raises(InputError, match="'nonsense' is unknown"):
            call(["nonsense"])
    with pytest.raises(InputError, match="name the files to fetch: mnist, cifar10"):
        download.fetch_data([])


def test_real_files_are_what_was_published(real_data):
    real_data("mnist_train_images")
    assert "all 60,000 digits" in download.verify_data(["mnist"]) or "publisher" in download.verify_data(["mnist"])


def test_a_folder_that_cannot_be_made_is_reported(folder, monkeypatch):
    monkeypatch.delenv("WGANGP_OFFLINE")
    (folder / "file").write_text("")
    monkeypatch.setenv("WGANGP_DATA", str(folder / "file" / "data"))
    with pytest.raises(catalogue.Missing, match=r"download failed \(Not a directory\)"):
        download.fetch("cifar10")
    monkeypatch.setattr(pooch, "retrieve", lambda *_, **__: exec("raise PermissionError('not here')"))
    monkeypatch.setenv("WGANGP_DATA", str(folder))
    with pytest.raises(catalogue.Missing, match=rf"download failed \(no right to write into {folder}\)"):
        download.fetch("cifar10")


@pytest.mark.parametrize(
    "value, message",
    [
        ("~nosuchuser/data", "WGANGP_DATA is ~nosuchuser/data: there is no such user"),
        ("/x" + "y" * 300, "File name too long"),
    ],
)
def test_a_folder_that_cannot_be_is_reported(monkeypatch, value, message):
    monkeypatch.setenv("WGANGP_DATA", value)
    for call in (catalogue.list_data, lambda: download.fetch("cifar10"), lambda: text.read(fallback=True)):
        with pytest.raises(InputError, match=message):
            call()


@pytest.mark.parametrize("name", ["cifar-10-python.tar.gz", "inception_2015_12_05_to_mixed_8.npz"])
def test_a_folder_in_the_place_of_a_file_is_not_verified(folder, name):
    (folder / name).mkdir()
    with pytest.raises(InputError, match=f"cannot read .*{name}: Is a directory"):
        download.verify_data()


def test_a_cut_database_is_not_verified(folder, monkeypatch):
    path = write_lmdb(folder / "bedroom_train_lmdb", {b"%d" % i: bytes(5000) for i in range(9)})
    monkeypatch.setattr(download, "LSUN_BEDROOMS", 9)
    assert download.verify("lsun_bedroom").endswith("9 images, as published")
    with open(path / "data.mdb", "r+b") as file:
        file.truncate(5 * 4096)
    with pytest.raises(InputError, match="bedroom_train_lmdb is damaged"):
        download.verify("lsun_bedroom")


def test_a_download_that_is_cut_leaves_nothing_behind(folder, served, monkeypatch):
    served("one.txt", b"content")
    end = http.server.SimpleHTTPRequestHandler.end_headers

    def longer(handler):  # the server promises more than it sends
        handler._headers_buffer = [
            b.replace(b"Content-Length: 7", b"Content-Length: 9") for b in handler._headers_buffer
        ]
        end(handler)

    monkeypatch.setattr(http.server.SimpleHTTPRequestHandler, "end_headers", longer)
    with pytest.raises(catalogue.Missing, match=r"download failed \((Chunked.*|Connection.*|.*another)\)"):
        download.fetch("one")
    assert not list(folder.iterdir())
