"""Jensen-Shannon divergence between the n-grams of generated and real text."""

from collections.abc import Iterable
from functools import cached_property
from typing import Any

import numpy as np

from wgangp.data.text import Text
from wgangp.errors import InputError

ORDERS = (1, 2, 3, 4, 5, 6)


class NGrams:
    """How often each sequence of n characters occurs in a text, lines apart, padding included.

    Args:
        codes: uint8 [lines, length].
        n: 1 to 8.

    Attributes:
        keys: uint64 [m], the n-grams that occur, as numbers of n bytes, sorted.
        shares: float64 [m], their relative frequencies.

    Raises:
        InputError: no lines, what are no codes, or n out of its range.

    Source: NgramLanguageModel of language_helpers.py.
    """

    def __init__(self, codes: np.ndarray, n: int):
        check_codes(codes)
        if not 1 <= n <= min(8, codes.shape[1]):
            raise InputError(f"{n}-grams of lines of {codes.shape[1]} characters cannot be counted; use 1 to 8.")
        self.n = n
        chunks = np.array_split(codes, -(-len(codes) // 2**18))  # so that a large corpus fits into memory
        parts = [np.unique(pack(chunk, n), return_counts=True) for chunk in chunks]
        self.keys, where = np.unique(np.concatenate([keys for keys, _ in parts]), return_inverse=True)
        counts = np.bincount(where, np.concatenate([counts for _, counts in parts]))
        self.shares = counts / counts.sum()

    def look_up(self, keys: np.ndarray) -> np.ndarray:
        """Relative frequencies of given n-grams, 0 for those that do not occur."""
        at = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        return np.where(self.keys[at] == keys, self.shares[at], 0.0)


def check_codes(codes: Any) -> None:
    """Refuse what are not lines of characters' numbers, uint8 [lines, length].

    Raises:
        InputError: anything else, or no lines.
    """
    if getattr(codes, "dtype", None) != np.uint8 or codes.ndim != 2 or 0 in codes.shape:
        what = f"{getattr(codes, 'dtype', type(codes).__name__)} {list(np.shape(codes))}"
        raise InputError(f"the lines are {what}; give characters' numbers, uint8 [lines, length].")


def pack(codes: np.ndarray, n: int) -> np.ndarray:
    """Every n-gram of lines as one number.

    Args:
        codes: uint8 [lines, length].
        n: 1 to 8, at most length.

    Returns:
        uint64 [lines * (length - n + 1)].
    """
    places = codes.shape[1] - n + 1
    keys = np.zeros([len(codes), places], "uint64")
    for i in range(n):
        keys = keys * np.uint64(256) + codes[:, i : i + places]
    return keys.reshape(-1)


def js_divergence(p: NGrams, q: NGrams) -> float:
    """Jensen-Shannon divergence of two distributions of n-grams, in bits.

    n-grams of q alone give half their share each, so that only those of p are looked up: p is the smaller text.

    Args:
        p, q: `NGrams`.

    Returns:
        A float, 0 (equal) to 1 (nothing in common).

    Raises:
        InputError: the two count sequences of different lengths.

    Source: js_with of language_helpers.py.
    """
    if p.n != q.n:
        raise InputError(f"{p.n}-grams cannot be compared with {q.n}-grams; count the same.")
    ours, theirs = p.shares, q.look_up(p.keys)
    middle = (ours + theirs) / 2
    both = theirs > 0
    total = (ours * np.log2(ours / middle)).sum() + (theirs[both] * np.log2(theirs[both] / middle[both])).sum()
    return float((total + 1 - theirs.sum()) / 2)


def unigram_samples(codes: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Lines whose characters are drawn one by one from a text's frequencies.

    Args:
        codes: uint8 [lines, length], the text.
        count: lines to draw.
        seed: of the draws.

    Returns:
        uint8 [count, length].
    """
    check_codes(codes)
    counts = np.bincount(codes.reshape(-1), minlength=256)
    rng = np.random.default_rng(seed)
    return rng.choice(256, [count, codes.shape[1]], p=counts / counts.sum()).astype("uint8")


def find_words(lines: Iterable[bytes]) -> list[bytes]:
    """The words of lines: between spaces, whole (not the last of a line that is full), of three letters or more.

    Args:
        lines: bytes, padded with backticks.

    Returns:
        A list of bytes.
    """
    found = []
    for line in lines:
        whole = line.rstrip(b"`")
        parts = whole.split(b" ") if len(whole) < len(line) else whole.split(b" ")[:-1]
        found += [part for part in parts if len(part) > 2 and part.isalpha()]
    return found


class LanguageEvaluator:
    """Measures generated lines by their n-grams, beside as many held-out lines and lines of a unigram model.

    The divergence is called js1 to js6 where the text is the Billion Word corpus's training set, and
    js1_other_corpus and so on elsewhere: it depends on how much text there is.

    Args:
        text: a `wgangp.data.text.Text`.
        count: generated lines per evaluation, and held-out ones, which at most half of the text is.

    Attributes:
        train: uint8 [n, length], the lines to train on and to compare with.
        held_out: uint8 [at most count, length], lines apart from them.
        unigram: uint8 [count, length], lines of a unigram model of them.
        metrics: names of the divergences.
    """

    def __init__(self, text: Text, count: int):
        self.text, self.count = text, count
        self.train, self.held_out = text.split(count)
        self.unigram = unigram_samples(self.train, count, seed=0)
        suffix = "" if text.name == "billion_word" else "_other_corpus"
        self.metrics = [f"js{n}{suffix}" for n in ORDERS]

    @cached_property
    def train_ngrams(self) -> dict[int, NGrams]:
        """The training lines' n-grams, {n: `NGrams`}."""
        return {n: NGrams(self.train, n) for n in ORDERS}

    @cached_property
    def known_words(self) -> set[bytes]:
        """The training lines' words."""
        return set(find_words(self.text.bytes_of(self.train)))

    def evaluate(self, codes: np.ndarray) -> dict[str, float]:
        """Divergence of lines from the training lines.

        Args:
            codes: uint8 [n, length].

        Returns:
            {metric: bits}, for n = 1 to 6.
        """
        values = [js_divergence(NGrams(codes, n), self.train_ngrams[n]) for n in ORDERS]
        return dict(zip(self.metrics, values, strict=True))

    def share_of_known_words(self, codes: np.ndarray) -> float:
        """Share of the lines' words that the training lines have.

        Args:
            codes: uint8 [n, length].

        Returns:
            A float in [0, 1]; 0 where there is no word.
        """
        found = find_words(self.text.bytes_of(codes))
        return sum(word in self.known_words for word in found) / max(len(found), 1)


def most_likely(probabilities: np.ndarray) -> np.ndarray:
    """The most likely character at each place.

    Args:
        probabilities: [n, length, vocabulary], vocabulary at most 256.

    Returns:
        uint8 [n, length].

    Raises:
        InputError: another shape, or probabilities that are not finite.

    Source: generate_samples of gan_language.py.
    """
    if np.ndim(probabilities) != 3 or probabilities.shape[2] > 256 or not np.isfinite(np.sum(probabilities)):
        raise InputError(
            f"the probabilities of characters, {list(np.shape(probabilities))}, are not finite, or not [n, length, at "
            "most 256]; the generator may have diverged."
        )
    return probabilities.argmax(axis=2).astype("uint8")
