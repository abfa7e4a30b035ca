"""When each word was said, from what the decoder looked at: dynamic time warping (Giorgino 2009).

openai-whisper's way: some heads of the cross-attention follow the speech. Their weights are
normalised over the tokens, smoothed over time, and a path through their mean gives each token its
frame.
"""

import string
from collections.abc import Sequence
from dataclasses import dataclass

import librosa
import numpy as np
import numpy.typing as npt
import scipy

from auricle.tokenizer.languages import UNSPACED
from auricle.tokenizer.whisper import TIMESTAMP_SECONDS, WhisperTokenizer
from auricle_types.transcript import Word

Floats = npt.NDArray[np.float32]
SMOOTHED = 7  # frames
_STEPS = np.array([[0, 1], [1, 0], [1, 1]])  # of equal ones rather to stay with a token


@dataclass(frozen=True, slots=True)
class Spelled:
    """A word and the tokens that it is made of."""

    text: str  # the space before it included
    tokens: tuple[int, ...]


def token_frames(weights: Floats, said: slice = slice(None)) -> npt.NDArray[np.int64]:
    """The frame at which each token begins.

    Args:
        weights: `(H, U, N)` of the chosen heads, after softmax over the frames of the speech.
        said: which of the tokens have times: neither those of the prompt, nor END.
    """
    spread, mean = weights.std(axis=1, keepdims=True), weights.mean(axis=1, keepdims=True)
    normal = (weights - mean) / np.where(spread > 0, spread, 1.0)  # equal weights say nothing
    smooth = scipy.ndimage.median_filter(normal, size=(1, 1, SMOOTHED), mode="mirror")
    tokens, frames = cheapest_path(-smooth.mean(axis=0)[said])
    first = np.flatnonzero(np.diff(tokens, prepend=-1))
    starts: npt.NDArray[np.int64] = frames[first]
    return starts


def cheapest_path(costs: Floats) -> npt.NDArray[np.int64]:
    """From corner to corner of `costs (U, N)`: `(2, path)`, a token and a frame each step."""
    _, path = librosa.sequence.dtw(C=costs.astype(np.float64), step_sizes_sigma=_STEPS)
    steps: npt.NDArray[np.int64] = path[::-1].T
    return steps


def word_times(
    words: Sequence[Spelled], starts: Sequence[int], probabilities: Sequence[float]
) -> list[Word]:
    """Words in seconds from the start of the audio.

    Args:
        words: in order.
        starts: the frame at which each of their tokens begins, and that of END.
        probabilities: of their tokens.
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


def spelled(
    tokenizer: WhisperTokenizer, tokens: Sequence[int], language: str | None
) -> list[Spelled]:
    """Text tokens as words: at spaces, or, where a language writes none, at whole characters."""
    parts = _characters(tokenizer, tokens)
    if language in UNSPACED:
        return parts
    words: list[Spelled] = []
    for part in parts:
        alone = part.text.startswith(" ") or part.text.strip() in string.punctuation
        if alone or not words:
            words.append(part)
        else:
            words[-1] = Spelled(words[-1].text + part.text, words[-1].tokens + part.tokens)
    return words


def _characters(tokenizer: WhisperTokenizer, tokens: Sequence[int]) -> list[Spelled]:
    """The shortest runs of tokens that are whole characters."""
    whole, parts, begin, said = tokenizer.spell(tokens), list[Spelled](), 0, 0
    for end in range(1, len(tokens) + 1):
        text = tokenizer.spell(tokens[begin:end])
        broken = text.find("\ufffd")
        # The text itself may hold that sign; where it is cut within a character, fewer of them.
        if broken < 0 or whole[said + broken : said + broken + 1] == "\ufffd":
            parts.append(Spelled(text, tuple(tokens[begin:end])))
            begin, said = end, said + len(text)
    if begin < len(tokens):
        parts.append(Spelled(whole[said:], tuple(tokens[begin:])))
    return parts
