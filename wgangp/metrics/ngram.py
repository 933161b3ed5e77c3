"""The Jensen-Shannon divergence between the n-grams of generated and real text."""

from collections.abc import Iterable
from functools import cached_property
from typing import Any

import numpy as np

from wgangp.data.text import Text
from wgangp.errors import InputError

ORDERS = (1, 2, 3, 4, 5, 6)


class NGrams:
    """How often each sequence of n characters occurs within the lines of a text, padding included.

    Args:
        codes: uint8 [lines, length].
        n: 1 to 8.

    Attributes:
        keys: uint64 [m], the n-grams that occur, as numbers of n bytes, sorted.
        shares: float64 [m], their relative frequencies.

    Raises:
        InputError: there are no lines, they are not codes, or n is out of its range.

    Source: NgramLanguageModel of language_helpers.py.
    """

    def __init__(self, codes: np.ndarray, n: int):
        check_codes(codes)
        if not 1 <= n <= min(8, codes.shape[1]):
            raise InputError(f"{n}-grams of lines of {codes.shape[1]} characters cannot be counted; use 1 to 8.")
        self.n = n
        chunks = np.array_split(codes, -(-len(codes) // 2**18))  # a large corpus would not fit into memory at once
        parts = [np.unique(pack(chunk, n), return_counts=True) for chunk in chunks]
        self.keys, positions = np.unique(np.concatenate([keys for keys, _ in parts]), return_inverse=True)
        counts = np.bincount(positions, np.concatenate([counts for _, counts in parts]))
        self.shares = counts / counts.sum()

    def look_up(self, keys: np.ndarray) -> np.ndarray:
        """Look up the relative frequencies of given n-grams.

        Args:
            keys: uint64 [n], as of `pack`.

        Returns:
            float64 [n], 0 for n-grams that do not occur.
        """
        positions = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        return np.where(self.keys[positions] == keys, self.shares[positions], 0.0)


def check_codes(codes: Any) -> None:
    """Check that something is lines of characters' numbers.

    Args:
        codes: should be uint8 [lines, length].

    Raises:
        InputError: they are something else, or there are no lines.
    """
    if getattr(codes, "dtype", None) != np.uint8 or codes.ndim != 2 or 0 in codes.shape:
        description = f"{getattr(codes, 'dtype', type(codes).__name__)} {list(np.shape(codes))}"
        raise InputError(f"the lines are {description}; give characters' numbers, uint8 [lines, length].")


def pack(codes: np.ndarray, n: int) -> np.ndarray:
    """Write every n-gram of lines as one number.

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

    An n-gram that occurs in q alone contributes half of its share, so that only those of p are looked up; p should be
    the smaller text.

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
    """Draw lines whose characters are independent and have the frequencies of a text.

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
    """Find the words of three letters or more in lines.

    The last word of a line without padding may be cut off and is left out.

    Args:
        lines: bytes, padded with backticks.

    Returns:
        A list of bytes.
    """
    words = []
    for line in lines:
        text = line.rstrip(b"`")
        parts = text.split(b" ") if len(text) < len(line) else text.split(b" ")[:-1]
        words += [part for part in parts if len(part) > 2 and part.isalpha()]
    return words


class LanguageEvaluator:
    """Measures generated lines by their n-grams, and as many held-out lines and lines of a unigram model.

    The divergences are called js1 to js6 for the training set of the Billion Word corpus, and js1_other_corpus and so
    on for other texts: they depend on how much text there is.

    Args:
        text: what to train on and compare with.
        count: number of generated lines per evaluation, and of held-out lines, at most half of the text.

    Attributes:
        train: uint8 [n, length], the lines to train on and to compare with.
        held_out: uint8 [at most count, length], the held-out lines.
        unigram: uint8 [count, length], lines of a unigram model of the training lines.
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
        """The n-grams of the training lines, {n: n-grams}."""
        return {n: NGrams(self.train, n) for n in ORDERS}

    @cached_property
    def known_words(self) -> set[bytes]:
        """The words of the training lines."""
        return set(find_words(self.text.bytes_of(self.train)))

    def evaluate(self, codes: np.ndarray) -> dict[str, float]:
        """Measure the divergences of lines from the training lines.

        Args:
            codes: uint8 [n, length].

        Returns:
            {metric: bits}, for n = 1 to 6.
        """
        values = [js_divergence(NGrams(codes, n), self.train_ngrams[n]) for n in ORDERS]
        return dict(zip(self.metrics, values, strict=True))

    def share_of_known_words(self, codes: np.ndarray) -> float:
        """The share of the lines' words that occur in the training lines.

        Args:
            codes: uint8 [n, length].

        Returns:
            A float in [0, 1]; 0 if there are no words.
        """
        words = find_words(self.text.bytes_of(codes))
        return sum(word in self.known_words for word in words) / max(len(words), 1)


def most_likely(probabilities: np.ndarray) -> np.ndarray:
    """The most likely character at each place.

    Args:
        probabilities: [n, length, vocabulary], vocabulary at most 256.

    Returns:
        uint8 [n, length].

    Raises:
        InputError: they have another shape or are not finite.

    Source: generate_samples of gan_language.py.
    """
    if np.ndim(probabilities) != 3 or probabilities.shape[2] > 256 or not np.isfinite(np.sum(probabilities)):
        raise InputError(
            f"the probabilities of characters, {list(np.shape(probabilities))}, are not finite, or not [n, length, at "
            "most 256]; the generator may have diverged."
        )
    return probabilities.argmax(axis=2).astype("uint8")
