"""The answer to one audio, as frozen dataclasses; text and confidence derive from the segments."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

# Chinese and Japanese letters and signs, full-width ones included.
_UNSPACED = re.compile(
    "[\u3000-\u30ff\u3400-\u9fff\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff]"
)


@dataclass(frozen=True, slots=True)
class Receipt:
    """A receipt says where an answer's time went. All times are in seconds.

    For audio that was cut into pieces, each figure is that of the slowest piece: pieces are
    recognised together, so sums would count shared work twice.
    """

    model_id: str
    queue_seconds: float = 0.0
    encode_seconds: float = 0.0
    decode_seconds: float = 0.0
    batch_size: int = 0  # utterances that shared the batch
    padding_ratio: float = 0.0  # share of the batch's encoder frames that was padding, 0..1
    tokens: int = 0  # tokens emitted, END included
    guards: tuple[str, ...] = ()  # names of the decoding guards that ended a piece


@dataclass(frozen=True, slots=True)
class Word:
    """A word has a `start` and an `end` in seconds from the start of the audio."""

    start: float
    end: float
    text: str
    confidence: float  # mean of the tokens' probabilities, 0..1: not calibrated
    speaker: str | None = None  # who spoke it, where speakers were told apart

    def later(self, seconds: float) -> "Word":
        """Return the word as of an audio with `seconds` more before it."""
        return replace(self, start=self.start + seconds, end=self.end + seconds)


@dataclass(frozen=True, slots=True)
class Alternative:
    """An alternative is another text for a segment, less likely than its own."""

    text: str
    confidence: float  # as the segment's


@dataclass(frozen=True, slots=True)
class Segment:
    """A segment is a stretch of speech, `start` and `end` in seconds from the audio's start."""

    start: float
    end: float
    text: str
    confidence: float  # 0..1: the geometric mean of the tokens' probabilities, calibrated
    words: tuple[Word, ...] = ()  # of the text, where `word_timestamps` asked for them
    language: str = ""  # code of the spoken language, where the model knows more than one
    channel: int = 0  # 1 and up where the channels were recognised by themselves, else 0
    alternatives: tuple[Alternative, ...] = ()  # the likeliest first, where they were asked for
    speaker: str | None = None  # who spoke it, where speakers were told apart


@dataclass(frozen=True, slots=True)
class Transcript:
    """A transcript is the answer to one audio of `duration` seconds."""

    segments: tuple[Segment, ...]
    duration: float
    receipt: Receipt
    warnings: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The text joins all segments; it is empty when nobody spoke."""
        return joined(self.segments)

    @property
    def confidence(self) -> float:
        """The mean of the segments' confidences, weighted by duration; 0 without segments."""
        total = sum(segment.end - segment.start for segment in self.segments)
        if total <= 0:
            return 0.0
        weighted = sum(s.confidence * (s.end - s.start) for s in self.segments)
        return weighted / total


@dataclass(frozen=True, slots=True)
class Model:
    """A model that a server serves; it cuts audio longer than `window_seconds` at silences."""

    model_id: str
    name: str
    language: str
    window_seconds: float
    device: str
    dtype: str


def joined(parts: Sequence[Segment] | Sequence[Word]) -> str:
    """Join the texts of segments or words, with spaces where their script has them."""
    texts = [part.text for part in parts if part.text]
    return "".join(gap(left, right) + right for left, right in pairwise(["", *texts]))


def gap(left: str, right: str) -> str:
    """Return what separates two texts: a space, except in scripts without spaces."""
    unspaced = _UNSPACED.match(left[-1:]) and _UNSPACED.match(right[:1])
    return "" if not left or unspaced else " "
