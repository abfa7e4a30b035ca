"""Which utterances are trained on: those that fit the recipe, the model and their own text."""

import logging
import unicodedata
from collections.abc import Callable
from itertools import pairwise
from typing import TypeAlias

from auricle.config import ModelConfig
from auricle.tokenizer import Vocabulary
from auricle.training.config import DataConfig, OnBad
from auricle.training.corpus import Corpus, TrainingUtterance
from auricle.training.problems import Problem, settle
from auricle_types.errors import ManifestError

logger = logging.getLogger(__name__)

Speech: TypeAlias = list[tuple[Corpus, TrainingUtterance]]

LATIN_LANGUAGES = {"en"}  # those whose texts are checked
_NAME_LENGTH = 40  # letters of a text that stands for a name


def usable(speech: Speech, data: DataConfig, model: ModelConfig) -> Speech:
    """Utterances with a text, within the model's window and `max_seconds`.

    What is longer than `max_seconds` is left out as the recipe asks and only counted; the rest is
    settled as `on_bad` says. Raises ManifestError to "stop", or when nothing is left.
    """
    short = [pair for pair in speech if pair[1].seconds <= data.max_seconds]
    if len(short) < len(speech):
        longer = len(speech) - len(short)
        logger.info("%d utterances are longer than max_seconds and left out", longer)
    return _without(short, lambda utterance: _unusable(utterance, model), data.on_bad)


def alignable(
    speech: Speech, tokenizer: Vocabulary, model: ModelConfig, on_bad: OnBad = "stop"
) -> Speech:
    """Utterances whose text both heads can say, as far as the model has them.

    CTC needs an encoder frame for each token, one more between equals; the decoder may have places
    for so many. Raises ManifestError to "stop", or when nothing is left.
    """
    places = model.transformer.max_tokens

    def problem(utterance: TrainingUtterance) -> str | None:
        tokens = tokenizer.encode(utterance.text)
        if places and len(model.tokens.start) + len(tokens) > places:
            return "text too long for the decoder"
        short = model.encoder_len(utterance.samples) < frames_needed(tokens)
        return "too short for its text" if model.transformer.ctc and short else None

    return _without(speech, problem, on_bad)


def frames_needed(tokens: list[int]) -> int:
    """Encoder frames of CTC's shortest path through `tokens` (Graves et al. 2006)."""
    return len(tokens) + sum(one == other for one, other in pairwise(tokens))


def is_latin(text: str) -> bool:
    """Whether all of its letters are."""
    return text.isascii() or all(
        unicodedata.name(letter, "").startswith("LATIN") for letter in text if letter.isalpha()
    )


def _unusable(utterance: TrainingUtterance, model: ModelConfig) -> str | None:
    if not utterance.text.strip():
        return "text empty"
    if model.language in LATIN_LANGUAGES and not is_latin(utterance.text):
        return "text not Latin"
    return "longer than the window" if utterance.seconds > model.window_seconds else None


def _without(
    speech: Speech, problem: Callable[[TrainingUtterance], str | None], on_bad: OnBad
) -> Speech:
    """The speech in which `problem` finds none."""
    kept, problems = [], []
    for pair in speech:
        kind = problem(pair[1])
        if kind is None:
            kept.append(pair)
        else:
            problems.append(Problem(kind, _name(pair[1])))
    settle(problems, "training speech", on_bad)
    if not kept:
        raise ManifestError("no speech is left to train on")
    return kept


def _name(utterance: TrainingUtterance) -> str:
    return utterance.name or repr(utterance.text[:_NAME_LENGTH])
