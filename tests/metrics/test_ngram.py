import math
from collections import Counter

import numpy as np
import pytest

from wgangp.data import text
from wgangp.metrics import ngram


def direct(lines, others, n):
    """Jensen-Shannon divergence in bits, from its definition over all n-grams of either text."""
    counts = [Counter(line[i : i + n] for line in part for i in range(len(line) - n + 1)) for part in (lines, others)]
    totals = [sum(count.values()) for count in counts]
    divergence = 0.0
    for key in {*counts[0], *counts[1]}:
        p, q = (count[key] / total for count, total in zip(counts, totals, strict=True))
        divergence += sum(a / 2 * math.log2(2 * a / (p + q)) for a in (p, q) if a)
    return divergence


@pytest.mark.parametrize("n", ngram.ORDERS)
def test_divergence_against_a_direct_count(n):
    lines, others = [b"the cat sat", b"a cat ate``", b"the the the"], [b"the dog sat", b"a cat ate it"[:11]]
    codes = [np.frombuffer(b"".join(part), "uint8").reshape(-1, 11) for part in (lines, others)]
    ours = ngram.js_divergence(*(ngram.NGrams(part, n) for part in codes))
    assert ours == pytest.approx(direct(lines, others, n), abs=1e-12)
    assert 0 < ours < 1


def test_bounds_and_symmetry():
    rng = np.random.default_rng(0)
    a, b = (ngram.NGrams(rng.integers(0, 5, (40, 8)).astype("uint8"), 3) for _ in range(2))
    c = ngram.NGrams(rng.integers(5, 9, (40, 8)).astype("uint8"), 3)
    assert ngram.js_divergence(a, a) == pytest.approx(0, abs=1e-12)
    assert ngram.js_divergence(a, c) == pytest.approx(1, abs=1e-12)
    assert ngram.js_divergence(a, b) == pytest.approx(ngram.js_divergence(b, a), abs=1e-12)


def test_two_coins():
    p, q = np.array([[0] * 3 + [1]], "uint8"), np.array([[0] + [1] * 3], "uint8")  # shares 3/4, 1/4 and 1/4, 3/4

    def entropy(x):
        return -x * math.log2(x) - (1 - x) * math.log2(1 - x)

    ours = ngram.js_divergence(ngram.NGrams(p, 1), ngram.NGrams(q, 1))
    assert ours == pytest.approx(entropy(0.5) - entropy(0.25), abs=1e-12)


def test_a_large_text_is_counted_in_parts():
    codes = np.random.default_rng(0).integers(0, 3, (2**18 + 7, 4)).astype("uint8")
    grams = ngram.NGrams(codes, 2)
    keys = codes[:, :-1].astype(int) * 256 + codes[:, 1:]
    for key, share in zip(grams.keys, grams.shares, strict=True):
        assert share == (keys == key).mean()
    assert grams.keys.dtype == "uint64" and (np.diff(grams.keys.astype(int)) > 0).all() and len(grams.keys) == 9


def test_unigram_samples_have_the_text_s_frequencies_and_no_order():
    codes = np.tile(np.array([1, 1, 1, 2], "uint8"), (10, 4))
    drawn = ngram.unigram_samples(codes, 2000, 0)
    assert drawn.shape == (2000, 16) and set(np.unique(drawn)) == {1, 2}
    deviation = 5 * math.sqrt(0.25 * 0.75 / drawn.size)
    assert (drawn == 1).mean() == pytest.approx(0.75, abs=deviation)
    after_two = drawn[:, 1:][drawn[:, :-1] == 2]
    assert (after_two == 1).mean() == pytest.approx(0.75, abs=2 * deviation)


def test_words_are_whole():
    assert ngram.find_words([b"the cat sat", b"an apple 4you ,``", b"word`", b"````"]) == [
        b"the",
        b"cat",
        b"apple",
        b"word",
    ]


def test_divergences_order_held_out_text_unigram_model_and_noise():
    data = text.embedded_text()
    evaluator = ngram.LanguageEvaluator(data, 200)
    assert evaluator.metrics[3] == "js4_other_corpus"
    noise = np.random.default_rng(0).integers(1, data.vocabulary, (200, 32)).astype("uint8")
    real, unigram, noisy = map(evaluator.evaluate, (evaluator.held_out, evaluator.unigram, noise))
    assert list(real) == evaluator.metrics
    for name in evaluator.metrics:
        assert unigram[name] < noisy[name] <= 1
        if not name.startswith("js1"):  # a unigram model's characters are right, by themselves
            assert real[name] < unigram[name]
    assert evaluator.share_of_known_words(evaluator.held_out) > evaluator.share_of_known_words(noise)


def test_only_the_training_corpus_carries_the_authors_name():
    data = text.embedded_text()
    corpus = text.Text(data.codes, data.characters, "billion_word")
    assert ngram.LanguageEvaluator(corpus, 10).metrics == ["js1", "js2", "js3", "js4", "js5", "js6"]
