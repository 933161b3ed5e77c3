import gzip
import hashlib
import http.server
import threading
import zipfile
from dataclasses import replace

import numpy as np
import pytest
from publishers import whole_cifar10, write_cifar10, write_idx, write_lmdb

from wgangp import InputError
from wgangp.data import images, registry, text


def test_every_entry_is_complete():
    names = [file.name for file in registry.FILES]
    assert len(set(names)) == len(names)
    for file in registry.FILES:
        algorithm, digest = file.known_hash.split(":")
        assert len(digest) == {"sha256": 64, "md5": 32}[algorithm]
        assert all(len(content) in (32, 64) for content in file.contents)
        assert file.url or file.origin
        assert file.licence and file.used_by and file.megabytes > 0


def test_a_missing_file_is_named_with_its_url_and_its_place(folder):
    with pytest.raises(registry.Missing) as told:
        registry.locate("inception")
    for part in ("pt_inception-2015-12-05-6726825d.pth is not in", str(folder), "https://github.com", "put it there"):
        assert part in str(told.value)
    with pytest.raises(registry.Missing, match="not published as such .*akamaster"):
        registry.locate("cifar10_resnet56")
    with pytest.raises(InputError, match="'imagenet' is unknown; use one of cifar10, "):
        registry.locate("imagenet")


def test_the_folder_is_data_by_default(monkeypatch, tmp_path):
    monkeypatch.delenv("WGANGP_DATA")
    monkeypatch.chdir(tmp_path)
    assert str(registry.root()) == "data"
    (tmp_path / "data" / "lsun_bedroom").mkdir(parents=True)
    assert registry.locate("lsun_bedroom").name == "lsun_bedroom"


@pytest.fixture
def served(tmp_path_factory, monkeypatch):
    """Serves a folder on this machine; gives an entry whose file lies there."""
    there = tmp_path_factory.mktemp("served")

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments):
            super().__init__(*arguments, directory=there)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.delenv("WGANGP_OFFLINE")

    def entry(file, raw, **changes):
        (there / file).write_bytes(raw)
        one = registry.File(
            name="one",
            file=file,
            url=f"http://127.0.0.1:{server.server_port}/{file}",
            known_hash="sha256:" + hashlib.sha256(raw).hexdigest(),
            megabytes=1,
            licence="none",
            used_by="tests",
        )
        monkeypatch.setattr(registry, "FILES", (replace(one, **changes),))

    yield entry
    server.shutdown()


def test_fetching_downloads_once_and_checks(folder, served):
    served("one.txt", b"content")
    assert registry.obtain("one").read_bytes() == b"content"
    assert registry.fetch_data(["one"]) == f"one: {folder / 'one.txt'}"
    assert registry.verify_data() == f"one: {folder / 'one.txt'}: the publisher's file"
    (folder / "one.txt").write_bytes(b"conten")
    with pytest.raises(InputError, match="one.txt is not the file that was published"):
        registry.verify_data(["one"])


def test_another_file_at_the_address_leaves_nothing_behind(folder, served):
    served("one.txt", b"content", known_hash="sha256:" + "0" * 64)
    with pytest.raises(registry.Missing, match=r"download failed \(the file there is another\); download it from http"):
        registry.fetch("one")
    assert not list(folder.iterdir())


def test_a_failing_download_is_one_sentence(folder, served):
    served("one.txt", b"content", url="http://127.0.0.1:9/one.txt")
    with pytest.raises(registry.Missing, match=r"download failed \(ConnectionError\); download it from .*:9/one.txt"):
        registry.obtain("one")
    served("one.txt", b"content", megabytes=501)
    with pytest.raises(registry.Missing, match="is not in .*; download it"):
        registry.obtain("one")


def test_a_zip_is_unpacked(folder, served):
    with zipfile.ZipFile(folder / "made", "w") as file:
        file.writestr("one/data.txt", "inside")
    raw = (folder / "made").read_bytes()
    (folder / "made").unlink()
    served("one.zip", raw, other_names=("one",))
    assert registry.fetch("one") == folder / "one"
    assert (folder / "one" / "data.txt").read_text() == "inside"
    assert sorted(path.name for path in folder.iterdir()) == ["one", "one.zip"]


def test_content_is_verified_whatever_it_is_packed_in(folder, monkeypatch):
    labels = np.arange(10_000) % 10
    write_idx(folder / "t10k-labels-idx1-ubyte", labels)
    digest = hashlib.sha256((folder / "t10k-labels-idx1-ubyte").read_bytes()).hexdigest()
    write_idx(folder / "t10k-labels-idx1-ubyte.gz", labels, lambda raw: gzip.compress(raw, 1))
    with pytest.raises(InputError, match="t10k-labels-idx1-ubyte.gz is not the file that was published"):
        registry.verify("mnist_test_labels")
    file = replace(registry.known("mnist_test_labels"), contents={digest: "what it should be"})
    monkeypatch.setattr(registry, "FILES", (file,))
    assert registry.verify("mnist_test_labels").endswith("idx1-ubyte.gz: what it should be")
    (folder / "t10k-labels-idx1-ubyte.gz").unlink()
    assert registry.verify("mnist_test_labels").endswith("idx1-ubyte: what it should be")
    (folder / "t10k-labels-idx1-ubyte.gz").write_bytes(gzip.compress(b"x" * 1000)[:-9])
    with pytest.raises(InputError, match="cut off or damaged"):
        registry.verify("mnist_test_labels")


def test_cifar10_with_one_label_changed_is_not_what_was_published(folder, monkeypatch):
    path = write_cifar10(folder, **whole_cifar10(tests=50))
    contents = {digest: "known" for digest in registry._content_hashes(registry.known("cifar10"), path)}
    monkeypatch.setattr(registry, "FILES", (replace(registry.known("cifar10"), contents=contents),))
    assert registry.verify("cifar10").endswith("cifar-10-batches-py: known, known, known, known")
    raw = (path / "data_batch_2").read_bytes()
    at = raw.rindex(b"K\x03")
    (path / "data_batch_2").write_bytes(raw[:at] + b"K\x04" + raw[at + 2 :])
    with pytest.raises(InputError, match="not the file that was published"):
        registry.verify("cifar10")


def test_the_list_names_every_file_and_what_is_there(folder):
    (folder / "reuters21578_sentences.txt").write_text("x")
    text = registry.list_data()
    assert "reuters: there, reuters21578_sentences.txt" in text and "cifar10: missing" in text
    for file in registry.FILES:
        assert file.file in text and file.licence in text and (file.url or file.origin) in text


def test_groups_and_unknown_names(folder):
    assert registry.verify_data() == f"there is no data in {folder}."
    with pytest.raises(InputError) as told:
        registry.verify_data(["mnist"])
    assert [line.split(":")[0] for line in str(told.value).splitlines()] == list(registry.GROUPS["mnist"])
    for call in (registry.fetch_data, registry.verify_data):
        with pytest.raises(InputError, match="'nonsense' is unknown"):
            call(["nonsense"])
    with pytest.raises(InputError, match="name what to fetch: mnist, cifar10"):
        registry.fetch_data([])


def test_real_files_are_what_was_published(real_data):
    real_data("mnist_train_images")
    assert "all 60,000 digits" in registry.verify_data(["mnist"]) or "publisher" in registry.verify_data(["mnist"])


def test_a_folder_without_rights_is_told_and_not_taken_for_missing_data(closed):
    for call in (lambda: registry.find("cifar10"), registry.list_data, lambda: images.mnist(fallback=True)):
        with pytest.raises(InputError, match=f"cannot look for data in {closed}: Permission denied; set WGANGP_DATA"):
            call()


def test_a_folder_that_cannot_be_made_is_told(folder, monkeypatch):
    (folder / "file").write_text("")
    monkeypatch.setenv("WGANGP_DATA", str(folder / "file" / "data"))
    with pytest.raises(registry.Missing, match=r"download failed \(Not a directory\)"):
        registry.fetch("cifar10")
    monkeypatch.setattr(registry.pooch, "retrieve", lambda *_, **__: exec("raise PermissionError('not here')"))
    monkeypatch.setenv("WGANGP_DATA", str(folder))
    with pytest.raises(registry.Missing, match=rf"download failed \(no right to write into {folder}\)"):
        registry.fetch("cifar10")


@pytest.mark.parametrize(
    "value, told",
    [
        ("~nosuchuser/data", "'~nosuchuser/data' begins with a user's home folder"),
        ("/x" + "y" * 300, "File name too long"),
    ],
)
def test_a_folder_that_cannot_be_is_told(monkeypatch, value, told):
    monkeypatch.setenv("WGANGP_DATA", value)
    for call in (registry.list_data, lambda: registry.fetch("cifar10"), lambda: text.read(fallback=True)):
        with pytest.raises(InputError, match=told):
            call()


@pytest.mark.parametrize("name", ["cifar-10-python.tar.gz", "inception_2015_12_05_to_mixed_8.npz"])
def test_a_folder_in_the_place_of_a_file_is_not_verified(folder, name):
    (folder / name).mkdir()
    with pytest.raises(InputError, match=f"cannot read .*{name}: Is a directory"):
        registry.verify_data()


def test_a_cut_database_is_not_verified(folder, monkeypatch):
    path = write_lmdb(folder / "bedroom_train_lmdb", {b"%d" % i: bytes(5000) for i in range(9)})
    monkeypatch.setattr(registry, "LSUN_BEDROOMS", 9)
    assert registry.verify("lsun_bedroom").endswith("9 images, as published")
    with open(path / "data.mdb", "r+b") as file:
        file.truncate(5 * 4096)
    with pytest.raises(InputError, match="bedroom_train_lmdb is damaged"):
        registry.verify("lsun_bedroom")


def test_a_download_that_is_cut_leaves_nothing_behind(folder, served, monkeypatch):
    served("one.txt", b"content")
    end = http.server.SimpleHTTPRequestHandler.end_headers

    def longer(handler):  # the server promises more than it sends
        handler._headers_buffer = [
            b.replace(b"Content-Length: 7", b"Content-Length: 9") for b in handler._headers_buffer
        ]
        end(handler)

    monkeypatch.setattr(http.server.SimpleHTTPRequestHandler, "end_headers", longer)
    with pytest.raises(registry.Missing, match=r"download failed \((ChunkedEncodingError|ConnectionError|.*another)\)"):
        registry.fetch("one")
    assert not list(folder.iterdir())
