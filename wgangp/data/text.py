"""Text as lines of characters: the Billion Word corpus, another text, or an embedded one."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from importlib import resources
from itertools import chain, islice
from pathlib import Path

import numpy as np

from wgangp.data import catalogue, download
from wgangp.errors import InputError
from wgangp.runtime import environment
from wgangp.runtime.files import check_no_device

LENGTH, MAX_LINES = 32, 10_000_000
LONGEST = 1 << 20  # bytes of a line in a file
PACKED = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"PK\3\4", b"(\xb5/\xfd")  # how gzip, bzip2, xz, zip, zstd begin
UTF16 = (b"\xff\xfe", b"\xfe\xff")
PADDING = ord("`")
NAMES = ("billion_word", "billion_word_heldout", "embedded")  # no file's, whatever it is called
UNKNOWN = 0  # the code of a character that is not in the map


@dataclass(frozen=True)
class Text:
    """Lines of equal length, each character a number.

    A character is a byte, as in the authors' Python 2.

    Attributes:
        codes: uint8 [n, length], positions in `characters`.
        characters: uint8 [vocabulary], the bytes by falling frequency; the first place stands for unknown ones.
        name: of NAMES, or the file's, after "file " where that is one of them; the `dataset` of the rows.
    """

    codes: np.ndarray
    characters: np.ndarray
    name: str

    @property
    def vocabulary(self) -> int:
        """How many characters there are, the unknown one included."""
        return len(self.characters)

    @cached_property
    def sha256(self) -> str:
        """The digest of the lines' bytes, in order."""
        digest = hashlib.sha256()
        for part in _parts(self.codes):
            digest.update(self.bytes_of(part))
        return digest.hexdigest()

    def bytes_of(self, codes: np.ndarray) -> np.ndarray:
        """The lines that codes stand for.

        Args:
            codes: integers [n, length].

        Returns:
            bytes [n], as an array of dtype S; padding is kept.
        """
        return np.ascontiguousarray(self.characters[codes]).view(f"S{codes.shape[1]}")[:, 0]

    def split(self, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Split off held-out lines.

        Args:
            count: how many, at most half of all.

        Returns:
            Codes of the lines for training and of the held-out lines, chosen at random but always the same.
        """
        order = np.random.default_rng(0).permutation(len(self.codes))
        count = min(count, len(order) // 2)
        return self.codes[order[count:]], self.codes[order[:count]]


def read(text: Path | str | None = None, vocabulary: int = 256, fallback: bool = False) -> Text:
    """Read the text of the language model.

    Args:
        text: path of a text with one example on a line, in $WGANGP_DATA if it is relative; when None, any number of
            training shards of the Billion Word corpus, or its first held-out shard.
        vocabulary: number of different characters, as in `from_lines`.
        fallback: whether to take `embedded_text` if the corpus is missing.

    Returns:
        Text.

    Raises:
        InputError: the text is missing, too short, packed or in UTF-16, or does not have one example on a line.

    Source: load_dataset of language_helpers.py.
    """
    if text is not None:
        path = environment.data_folder() / environment.expand_home(text, "text")
        return from_lines(_lines([path]), f"file {path.name}" if path.name in NAMES else path.name, vocabulary)
    try:
        if catalogue.find("billion_word"):
            return from_lines(_lines(find_shards(catalogue.locate("billion_word"))), "billion_word", vocabulary)
        return from_lines(_lines([download.obtain("billion_word_heldout")]), "billion_word_heldout", vocabulary)
    except catalogue.Missing:
        if fallback and environment.may_embed():
            return embedded_text(vocabulary)
        raise


def find_shards(path: Path) -> list[Path]:
    """Find the training shards of the Billion Word corpus.

    Args:
        path: of its folder.

    Returns:
        Sorted paths.

    Raises:
        InputError: the corpus is still packed, or has no shards.
    """
    if path.is_file():
        raise InputError(f"{path} is still packed; unpack it with: tar -xzf {path} -C {path.parent}")
    paths = catalogue.list_shards(path)
    if not paths:
        raise InputError(f"{path} has no training shard (news.en-000NN-of-00100); unpack the corpus again.")
    return paths


def _lines(paths):
    try:
        for path in paths:
            check_no_device(path)
            with open(path, "rb") as file:
                if file.peek(8).startswith(PACKED):
                    raise InputError(f"{path} is packed; unpack it and name the text itself.")
                utf16 = file.peek(8).startswith(UTF16)
                for line in iter(lambda: file.readline(LONGEST), b""):
                    if utf16 or b"\0" in line:
                        raise InputError(f"{path} is in UTF-16 or not a text; save it as text in UTF-8.")
                    if len(line) == LONGEST:
                        raise InputError(f"{path} has a line of {LONGEST:,} bytes or more; put one example on a line.")
                    yield line.rstrip(b"\r\n")
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}); name a text file.") from None


def from_lines(lines: Iterable[bytes], name: str, vocabulary: int = 256, length: int = LENGTH) -> Text:
    """Cut or pad lines to one length and number their characters.

    The characters are numbered by falling frequency, padding included. Number 0 means "unknown"; it stands for all
    characters beyond the vocabulary. Empty lines are left out, and so are those after the 10 millionth.

    Args:
        lines: bytes.
        name: of the text.
        vocabulary: number of different characters, the unknown one included, 2 to 256 (bytes never reach the authors'
            2,048).
        length: bytes per line.

    Returns:
        Text.

    Raises:
        InputError: fewer than 2 lines, or a vocabulary out of its range.

    Source: language_helpers.py lines 88-143.
    """
    if not 2 <= vocabulary <= 256:
        raise InputError(f"vocabulary is {vocabulary}; use 2 to 256 characters.")
    cut = (line[:length].ljust(length, bytes([PADDING])) for line in islice(filter(None, lines), MAX_LINES))
    raw = np.fromiter(cut, f"S{length}").view("uint8").reshape(-1, length)
    if len(raw) < 2:
        raise InputError(f"the text '{name}' has {len(raw)} lines that are not empty; use a longer text.")
    counts = sum(np.bincount(part.reshape(-1), minlength=256) for part in _parts(raw))
    order = np.argsort(-counts, kind="stable")[: min(np.count_nonzero(counts), vocabulary - 1)]
    characters = np.concatenate([[ord("?")], order]).astype("uint8")
    codes = np.full(256, UNKNOWN, "uint8")
    codes[order] = np.arange(1, len(order) + 1)
    for part in _parts(raw):
        part[:] = codes[part]
    return Text(raw, characters, name)


def _parts(lines):
    """A large array in parts, because numpy takes eight bytes for each of its bytes to count or index them."""
    return np.array_split(lines, 1 + len(lines) // 10_000)


def embedded_text(vocabulary: int = 256) -> Text:
    """The descriptions of scikit-learn's data sets, in place of a corpus.

    Args:
        vocabulary: as in `from_lines`.

    Returns:
        Text named "embedded"; every sixth word of the descriptions begins a line.
    """
    folder = resources.files("sklearn.datasets") / "descr"
    files = sorted((file for file in folder.iterdir() if file.name.endswith(".rst")), key=lambda file: file.name)
    words = list(chain.from_iterable(file.read_text(encoding="utf-8").split() for file in files))
    words = [word for word in words if any(map(str.isalnum, word))]
    return from_lines((" ".join(words[i : i + 12]).encode() for i in range(0, len(words), 6)), "embedded", vocabulary)
