import bz2
import gzip
import hashlib
import lzma
import os
import subprocess

import numpy as np
import pytest

from wgangp import InputError
from wgangp.data import catalogue, download, text
from wgangp.data.batches import Characters, as_batches


def test_lines_are_cut_padded_and_numbered_by_frequency():
    data = text.from_lines([b"aab", b"", b"abcdefgh", b"a"], "x", length=4)
    assert data.bytes_of(data.codes).tolist() == [b"aab`", b"abcd", b"a```"]
    # a and the padding 4 times each (the smaller byte first), b twice, c and d once; 0 is the unknown one
    assert bytes(data.characters[1:]) == b"`abcd" and data.vocabulary == 6
    assert np.bincount(data.codes.reshape(-1)).tolist() == [0, 4, 4, 2, 1, 1]
    assert data.sha256 == hashlib.sha256(b"aab`abcda```").hexdigest()


def test_characters_are_bytes():
    data = text.from_lines(["né".encode(), "£".encode()], "x", length=4)
    assert data.bytes_of(data.codes).tolist() == ["né`".encode(), "£``".encode()]
    assert data.vocabulary == 1 + len({*b"n\xc3\xa9`\xc2\xa3"})


def test_the_256th_character_is_unknown():
    lines = [bytes([i, i]) for i in range(256) if i not in b"\r\n"] + [b"\x01", b"\r", b"\n", b"`"]
    data = text.from_lines(lines, "x", length=2)
    assert data.vocabulary == 256
    rarest = data.codes.reshape(-1) == text.UNKNOWN
    assert rarest.sum() == 1 and data.codes.max() == 255


def test_a_smaller_vocabulary_keeps_the_most_common():
    data = text.from_lines([b"aaab", b"aabc"], "x", vocabulary=3, length=4)
    assert data.bytes_of(data.codes).tolist() == [b"aaab", b"aab?"] and data.vocabulary == 3
    for wrong in (1, 257):
        with pytest.raises(InputError, match=f"vocabulary is {wrong}; use 2 to 256"):
            text.from_lines([b"a", b"b"], "x", vocabulary=wrong)


def test_lines_apart_are_not_in_training():
    data = text.from_lines((b"%05d" % i for i in range(100)), "x")
    train, apart = (data.bytes_of(codes).tolist() for codes in data.split(30))
    assert len(train) == 70 and len(apart) == 30 and len({*train, *apart}) == 100
    assert apart == data.bytes_of(data.split(30)[1]).tolist()
    assert [len(part) for part in data.split(90)] == [50, 50]


def write_shards(folder, count):
    (folder / "training-monolingual.tokenized.shuffled").mkdir(parents=True)
    for i in range(1, count + 1):
        path = folder / "training-monolingual.tokenized.shuffled" / f"news.en-{i:05d}-of-00100"
        path.write_text(f"line one of {i}\nline two of {i}\n")


def test_any_number_of_shards_comes_before_the_heldout_one(folder):
    (folder / "billionword_heldout00.txt").write_text("held\nout\nthree\n")
    assert text.read().name == "billion_word_heldout" and len(text.read().codes) == 3
    archive = folder / "1-billion-word-language-modeling-benchmark-r13output"
    write_shards(archive, 3)
    data = text.read()
    assert data.name == "billion_word" and len(data.codes) == 6
    assert data.bytes_of(data.codes)[2].rstrip(b"`") == b"line one of 2"
    assert download.verify("billion_word").endswith("3 of 99 training shards, no checksum is known")
    assert "billion_word: found, 1-billion-word" in catalogue.list_data()


def test_a_packed_or_empty_corpus_gets_one_sentence(folder):
    packed = folder / "1-billion-word-language-modeling-benchmark-r13output.tar.gz"
    packed.write_bytes(b"")
    with pytest.raises(InputError, match="still packed; unpack it with: tar -xzf"):
        text.read()
    unpacked = folder / "1-billion-word-language-modeling-benchmark-r13output"
    write_shards(unpacked, 0)
    with pytest.raises(InputError, match="no training shard"):
        text.read()
    subprocess.run(["rm", "-r", str(unpacked)], check=True)
    packed.unlink()
    with pytest.raises(catalogue.Missing, match="billionword_heldout00.txt is not in"):
        text.read()


def test_a_named_text(folder):
    (folder / "mine.txt").write_bytes(b"one\r\ntwo")
    data = text.read("mine.txt")
    assert data.sha256 == text.read(str(folder / "mine.txt")).sha256
    assert data.name == "mine.txt" and data.bytes_of(data.codes)[0].rstrip(b"`") == b"one"
    with pytest.raises(InputError, match=r"none.txt cannot be read \(No such file"):
        text.read(str(folder / "none.txt"))
    (folder / "short.txt").write_text("one\n\n")
    with pytest.raises(InputError, match="has 1 lines that are not empty"):
        text.read(str(folder / "short.txt"))


@pytest.mark.parametrize("name", text.NAMES)
def test_a_file_s_name_does_not_make_it_the_corpus(folder, name):
    (folder / name).write_text("one\ntwo\n")
    assert text.read(name).name == f"file {name}"


def test_a_pipe_is_not_waited_for(folder):
    os.mkfifo(folder / "pipe")
    with pytest.raises(InputError, match="pipe is a device or pipe, not a file"):
        text.read("pipe")


def test_the_embedded_text_is_english_and_says_so(folder):
    data = text.read(fallback=True)
    assert data.name == "embedded" and len(data.codes) > 800
    lines = b" ".join(data.bytes_of(data.codes))
    assert lines.count(b" the ") > 100


def test_batches_are_one_hot():
    data = text.from_lines([b"abc", b"bca", b"cab", b"aaa"], "x", length=3)
    batches = as_batches(Characters(data.codes, data.vocabulary), 2, 0)
    batch = batches(0).numpy()
    assert batch.shape == (2, 3, 4) and batch.dtype == "float32"
    assert (batch.sum(2) == 1).all() and (batch.argmax(2) == data.codes[batches.draw(0)]).all()
    assert str(data.vocabulary) in batches.describe()


def test_real_shard_is_whole(real_data):
    real_data("billion_word_heldout")
    data = text.from_lines(text._lines([catalogue.locate("billion_word_heldout")]), "billion_word_heldout")
    assert data.codes.shape == (6075, 32)
    first = b"Having a little flexibility on that issue"
    assert data.bytes_of(data.codes)[0] == first[:32]


@pytest.mark.parametrize(
    "raw, message",
    [
        (gzip.compress(b"one\ntwo\n"), "is packed; unpack it"),
        (bz2.compress(b"one\ntwo\n"), "is packed; unpack it"),
        (lzma.compress(b"one\ntwo\n"), "is packed; unpack it"),
        (b"PK\3\4 and the rest of a zip", "is packed; unpack it"),
        ("one\ntwo\n".encode("utf-16"), "is in UTF-16 or not a text"),
        ("one\ntwo\n".encode("utf-16-be"), "is in UTF-16 or not a text"),
        ("一丁".encode("utf-16"), "is in UTF-16 or not a text"),
        (b"one\ntwo\n\x00", "is in UTF-16 or not a text"),
        (b"one\n" + b"x" * (1 << 20) + b"\ntwo", "has a line of 1,048,576 bytes or more; put one example on a line"),
    ],
    ids=["gzip", "bz2", "xz", "zip", "UTF-16", "UTF-16-BE", "Chinese", "a byte of 0", "a long line"],
)
def test_what_is_not_one_example_a_line_is_refused(folder, raw, message):
    (folder / "mine.txt").write_bytes(raw)
    with pytest.raises(InputError, match=f"mine.txt {message}"):
        text.read("mine.txt")


def test_a_text_without_a_newline_is_not_read_whole(folder, memory):
    with open(folder / "mine.txt", "wb") as file:
        for _ in range(100):
            file.write(b"x" * 1_000_000)

    def refused():
        with pytest.raises(InputError, match="put one example on a line"):
            text.read("mine.txt")

    assert memory(refused) < 10_000_000


def test_a_long_line_is_cut_and_latin_1_is_text(folder):
    (folder / "mine.txt").write_bytes(b"x" * ((1 << 20) - 2) + b"\n" + "été\n".encode("latin1"))
    data = text.read("mine.txt")
    assert data.bytes_of(data.codes).tolist() == [b"x" * 32, b"\xe9t\xe9".ljust(32, b"`")]


def test_many_short_lines_take_memory_in_proportion(memory):
    lines = [b"a", b"bc"] * 50_000
    assert memory(lambda: text.from_lines(lines, "x").sha256) < 3 * 32 * len(lines)


@pytest.mark.parametrize(
    "name, message", [("~nosuchuser/x.txt", "there is no such user"), ("x" * 300, "File name too long")]
)
def test_a_name_that_cannot_be_is_reported(name, message):
    with pytest.raises(InputError, match=message):
        text.read(name)
