"""Aligns tokens with frames by cross-attention: dynamic time warping (Giorgino 2009).

It works as in openai-whisper: some heads of the cross-attention follow the speech. Their weights
are normalised over the tokens, smoothed over time, and a path through their mean gives each token
its frame.
"""

import string
from collections.abc import Sequence
from dataclasses import dataclass

import librosa
import numpy as np
import numpy.typing as npt
import scipy

from auricle.families.whisper.tokenizer import TIMESTAMP_SECONDS, WhisperTokenizer
from auricle.tokenizer.languages import UNSPACED
from auricle_types.transcript import Word

Floats = npt.NDArray[np.float32]
SMOOTHED = 7  # frames
_STEPS = np.array([[0, 1], [1, 0], [1, 1]])  # of equal ones rather to stay with a token


@dataclass(frozen=True, slots=True)
class WordTokens:
    """A word and the tokens that it is made of."""

    text: str  # the space before it included
    tokens: tuple[int, ...]


def token_frames(weights: Floats, text: slice = slice(None)) -> npt.NDArray[np.int64]:
    """Find the frame at which each token begins.

    Args:
        weights: the chosen heads' `(H, U, N)`, after softmax over the frames of the speech.
        text: which of the tokens are text: neither those of the prompt, nor END.
    """
    spread, mean = weights.std(axis=1, keepdims=True), weights.mean(axis=1, keepdims=True)
    normal = (weights - mean) / np.where(spread > 0, spread, 1.0)  # equal weights tell nothing
    smooth = scipy.ndimage.median_filter(normal, size=(1, 1, SMOOTHED), mode="mirror")
    tokens, frames = cheapest_path(-smooth.mean(axis=0)[text])
    first = np.flatnonzero(np.diff(tokens, prepend=-1))
    starts: npt.NDArray[np.int64] = frames[first]
    return starts


def cheapest_path(costs: Floats) -> npt.NDArray[np.int64]:
    """Go from corner to corner of `costs (U, N)`: `(2, path)`, a token and a frame each step."""
    _, path = librosa.sequence.dtw(C=costs.astype(np.float64), step_sizes_sigma=_STEPS)
    steps: npt.NDArray[np.int64] = path[::-1].T
    return steps


def word_times(
    words: Sequence[WordTokens], starts: Sequence[int], probabilities: Sequence[float]
) -> list[Word]:
    """Give words their times, in seconds from the start of the audio.

    Args:
        words: the words in order.
        starts: the frame at which each of their tokens begins, and that of END.
        probabilities: those of their tokens.
    """
    bounds = np.cumsum([0, *(len(word.tokens) for word in words)]).tolist()
    return [
        Word(
            starts[begin] * TIMESTAMP_SECONDS,
            starts[end] * TIMESTAMP_SECONDS,
            word.text,
            float(np.mean(probabilities[begin:end])),
        )
        for word, begin, end in zip(words, bounds[:-1], bounds[1:], strict=True)
    ]


def split_words(
    tokenizer: WhisperTokenizer, tokens: Sequence[int], language: str | None
) -> list[WordTokens]:
    """Split text tokens into words at spaces, or at characters where a language has no spaces."""
    parts = _characters(tokenizer, tokens)
    if language in UNSPACED:
        return parts
    words: list[WordTokens] = []
    for part in parts:
        alone = part.text.startswith(" ") or part.text.strip() in string.punctuation
        if alone or not words:
            words.append(part)
        else:
            words[-1] = WordTokens(words[-1].text + part.text, words[-1].tokens + part.tokens)
    return words


def _characters(tokenizer: WhisperTokenizer, tokens: Sequence[int]) -> list[WordTokens]:
    """Find the shortest runs of tokens that are whole characters."""
    whole, parts, begin, done = tokenizer.spell(tokens), list[WordTokens](), 0, 0
    for end in range(1, len(tokens) + 1):
        text = tokenizer.spell(tokens[begin:end])
        broken = text.find("\ufffd")
        # The text itself may hold that sign; where it is cut within a character, fewer of them.
        if broken < 0 or whole[done + broken : done + broken + 1] == "\ufffd":
            parts.append(WordTokens(text, tuple(tokens[begin:end])))
            begin, done = end, done + len(text)
    if begin < len(tokens):
        parts.append(WordTokens(whole[done:], tuple(tokens[begin:])))
    return parts
