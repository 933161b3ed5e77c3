"""Table 4 of v3: a character-level language model, trained with WGAN-GP on lines of 32 characters.

"Our model makes frequent spelling errors (likely because it has to output each character independently)
but nonetheless manages to learn quite a lot about the statistics of language" (Section 5.5). The paper
shows samples and no numbers; gan_language.py measures the Jensen-Shannon divergence between the n-grams
of 640 samples and of the data. Beside it stand that of as many held-out lines, and of lines whose
characters are drawn one by one (a unigram model), and how far the generated lines are on the way from
the latter to the former.
"""

import warnings
from typing import ClassVar

import numpy as np

from reproduction.config import TrainingConfig
from reproduction.evaluation import LanguageEvaluation, curves_over_training, rows_over_training
from wgangp import WGAN_GP
from wgangp.data import text as texts
from wgangp.data.batches import Characters
from wgangp.metrics.ngram import most_likely
from wgangp.networks.language import LanguageCritic, LanguageGenerator


class Config(TrainingConfig):
    text: str | None  # a file in $WGANGP_DATA in place of the Billion Word corpus
    vocabulary: int  # most common characters, the others are unknown
    dim: int
    critic_iters: int
    learning_rate: ClassVar[None] = None  # each network has its own
    g_learning_rate: float
    d_learning_rate: float
    lr_decay: bool
    judged_every: int  # iterations
    judged: int  # generated lines per evaluation


def build(config, characters=None):
    """The networks, for the characters that a run has recorded; for those of the text that is there now when None."""
    if characters is None:
        text = texts.read(config.text, config.vocabulary, fallback=True)
        warnings.warn(f"the run has not recorded its characters; those of '{text.name}' are taken.", stacklevel=2)
        characters = text.characters
    networks = LanguageGenerator(len(characters), config.dim), LanguageCritic(len(characters), config.dim)
    gan = WGAN_GP(*networks, critic_iters=config.critic_iters, lambda_gp=config.lambda_gp)
    gan.characters = np.frombuffer(bytes(characters), "uint8")  # that the numbers stand for, for `wgangp generate`
    return gan


def run(config, seed, job):
    text = texts.read(config.text, config.vocabulary, fallback=True)
    job.record(characters=text.characters.tolist())
    gan, evaluation = build(config, text.characters), LanguageEvaluation(text, config.judged)
    history = config.train(
        gan,
        Characters(evaluation.train, text.vocabulary),
        seed,
        job,
        [evaluation.callback(config.judged_every, job.publish)],
        g_learning_rate=config.g_learning_rate,
        d_learning_rate=config.d_learning_rate,
        lr_decay=config.lr_decay,
    )
    codes = most_likely(gan.generate(evaluation.count, seed=seed))
    shown = {"generated": codes, "unigram": evaluation.unigram, "real": evaluation.held_out}
    job.save_arrays(
        text,
        **{kind: text.bytes_of(lines[:64]) for kind, lines in shown.items()},
        **curves_over_training(history, evaluation.metrics),
    )
    return evaluation.rows(codes) + rows_over_training(evaluation, history, evaluation.metrics)
