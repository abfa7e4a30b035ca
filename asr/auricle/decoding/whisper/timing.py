"""When Whisper's words were said: openai-whisper's way, over what the engine has decoded."""

import functools
from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby

import numpy as np

from auricle.decoding.filters import Tokens
from auricle.decoding.hearing import Hearing, Places
from auricle.decoding.whisper.prompts import new_prompt
from auricle.decoding.words import spelled, token_frames, word_times
from auricle.hypothesis import Hypothesis
from auricle.tokenizer.whisper import WhisperTokenizer
from auricle_types.transcript import Word

MARKS = 5  # tokens that are fed beside the text: START, the language, the task, no times, END
_OPENING = frozenset("\"'\u201c\u00bf([{-")  # belong to the word behind them
_CLOSING = frozenset("\"'.\u3002,\uff0c!\uff01?\uff1f:\uff1a\u201d)]}\u3001")  # before them


class WordTimer:
    """Of one model."""

    def __init__(self, tokenizer: WhisperTokenizer, heads: Places = ()) -> None:
        """`heads` that follow the speech; none: all of the later half of the layers."""
        self._tokenizer = tokenizer
        self._heads = heads

    def words(self, found: Hypothesis, task: str, hearing: Hearing) -> tuple[Word, ...]:
        """In seconds from the start of the audio.

        Args:
            found: what was said; no word goes beyond a time among its tokens.
            task: that it is an answer to.
            hearing: of what it was said.
        """
        language = "en" if task == "translate" else found.language
        starts, probabilities = self._aligned(found, task, hearing)
        words, begin = list[Word](), 0
        for run in self._runs(found.tokens):
            end = begin + len(run)
            parts = spelled(self._tokenizer, run, language)
            timed = word_times(parts, starts[begin : end + 1], probabilities[begin:end])
            words += punctuated(timed)
            begin = end
        shown = (replace(word, text=word.text.strip()) for word in words)
        return tuple(word for word in shown if word.text)

    def _aligned(
        self, found: Hypothesis, task: str, hearing: Hearing
    ) -> tuple[list[int], list[float]]:
        """The frame at which each token of the text begins, and END; how likely each is."""
        tokenizer, language = self._tokenizer, found.language
        text = [token for token in found.tokens if token < tokenizer.end]
        if not text:
            return [], []
        told = new_prompt(tokenizer, language=language, task=task, previous=(), timestamps=False)
        fed = (*told.tokens, *text, tokenizer.end)
        weights, logits = hearing.read(fed, self._heads or later_half(hearing))
        first = len(told.tokens) - 1  # the row that says the text's first token
        starts = token_frames(weights.numpy(), slice(first, -1))
        likely = logits[first:-2, : tokenizer.end].softmax(dim=-1)[range(len(text)), text]
        return starts.tolist(), likely.tolist()

    def _runs(self, tokens: Tokens) -> list[list[int]]:
        """The text between times."""
        runs = groupby(tokens, key=lambda token: token < self._tokenizer.end)
        return [list(run) for is_text, run in runs if is_text]


def later_half(hearing: Hearing) -> Places:
    """All heads of the later half of the layers."""
    layers, _, heads = hearing.memory.shape[:3]
    return [(layer, head) for layer in range(layers // 2, layers) for head in range(heads)]


def punctuated(words: Sequence[Word]) -> list[Word]:
    """Signs become part of their word, whose times and confidence stay as they are.

    The texts have the spaces that stand before them.
    """
    opened: list[Word] = []
    for word in reversed(words):
        if opened and word.text.startswith(" ") and _is(word.text.strip(), _OPENING):
            opened[-1] = replace(opened[-1], text=word.text + opened[-1].text)
        else:
            opened.append(word)
    closed: list[Word] = []
    for word in reversed(opened):
        if closed and _is(word.text, _CLOSING):
            closed[-1] = replace(closed[-1], text=closed[-1].text + word.text)
        else:
            closed.append(word)
    return closed


def _is(text: str, signs: frozenset[str]) -> bool:
    return bool(text) and signs.issuperset(text)


@functools.cache
def compile_now() -> None:
    """So that the device need not wait: seconds where no machine code is kept yet."""
    token_frames(np.zeros((1, 2, 2), np.float32))
