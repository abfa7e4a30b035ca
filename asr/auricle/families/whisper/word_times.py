"""Times of Whisper's words, found as openai-whisper does, for a text that is decoded."""

import functools
from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby

import numpy as np

from auricle.decoding.encoded_utterance import EncodedUtterance, Heads, heads_of_layers
from auricle.decoding.logits_processors import Tokens
from auricle.families.whisper.prompts import new_prompt
from auricle.families.whisper.tokenizer import WhisperTokenizer
from auricle.families.whisper.word_alignment import split_words, token_frames, word_times
from auricle.hypothesis import Hypothesis
from auricle_types.transcript import Word

BESIDE_TEXT = 5  # tokens around the text: START, the language, the task, no timestamps, END
_OPENING = frozenset("\"'\u201c\u00bf([{-")  # belong to the word behind them
_CLOSING = frozenset("\"'.\u3002,\uff0c!\uff01?\uff1f:\uff1a\u201d)]}\u3001")  # before them


class WordTimer:
    """Finds the times of words by the cross-attention of one model."""

    def __init__(self, tokenizer: WhisperTokenizer, heads: Heads = ()) -> None:
        """`heads` are those that follow the speech; without any, `heads_of` takes others."""
        self._tokenizer = tokenizer
        self._heads = heads

    def heads_of(self, encoded: EncodedUtterance) -> Heads:
        """Return the known heads, or else all of the later half of the layers."""
        layers = len(encoded.memory)
        return self._heads or heads_of_layers(encoded, range(layers // 2, layers))

    def words(
        self, hypothesis: Hypothesis, task: str, encoded: EncodedUtterance
    ) -> tuple[Word, ...]:
        """Find the words, in seconds from the start of the audio.

        Args:
            hypothesis: the text; no word goes beyond a timestamp among its tokens.
            task: the task that the text is a result of.
            encoded: the utterance.
        """
        language = "en" if task == "translate" else hypothesis.language
        starts, probabilities = self._aligned(hypothesis, task, encoded)
        words, begin = list[Word](), 0
        for run in self._runs(hypothesis.tokens):
            end = begin + len(run)
            parts = split_words(self._tokenizer, run, language)
            timed = word_times(parts, starts[begin : end + 1], probabilities[begin:end])
            words += punctuated(timed)
            begin = end
        stripped = (replace(word, text=word.text.strip()) for word in words)
        return tuple(word for word in stripped if word.text)

    def _aligned(
        self, hypothesis: Hypothesis, task: str, encoded: EncodedUtterance
    ) -> tuple[list[int], list[float]]:
        """Find the frame at which each token of the text begins, and END; how likely each is."""
        tokenizer, language = self._tokenizer, hypothesis.language
        text = [token for token in hypothesis.tokens if token < tokenizer.end]
        if not text:
            return [], []
        prompt = new_prompt(tokenizer, language=language, task=task, previous=(), timestamps=False)
        whole = (*prompt.tokens, *text, tokenizer.end)
        weights, logits = encoded.attend(whole, self.heads_of(encoded))
        first = len(prompt.tokens) - 1  # the row that predicts the text's first token
        starts = token_frames(weights.numpy(), slice(first, -1))
        likely = logits[first:-2, : tokenizer.end].softmax(dim=-1)[range(len(text)), text]
        return starts.tolist(), likely.tolist()

    def _runs(self, tokens: Tokens) -> list[list[int]]:
        """Divide the text at the timestamps."""
        runs = groupby(tokens, key=lambda token: token < self._tokenizer.end)
        return [list(run) for is_text, run in runs if is_text]


def punctuated(words: Sequence[Word]) -> list[Word]:
    """Join punctuation marks to their word, whose times and confidence stay as they are.

    The texts still have the spaces before them.
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
    """Compile before the device waits for it: seconds where no machine code is kept yet."""
    token_frames(np.zeros((1, 2, 2), np.float32))
