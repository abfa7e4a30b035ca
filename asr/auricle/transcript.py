"""What comes out: the nouns of an answer. Frozen, without logic beyond what is derived of them."""

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
    """Where an answer's time went. All times in seconds.

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
    """A word. `start` and `end` in seconds from the start of the audio."""

    start: float
    end: float
    text: str
    confidence: float  # mean of the tokens' probabilities, 0..1: not calibrated

    def later(self, seconds: float) -> "Word":
        """The same word of an audio that has so much more before it."""
        return replace(self, start=self.start + seconds, end=self.end + seconds)


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of speech. `start` and `end` in seconds from the start of the audio."""

    start: float
    end: float
    text: str
    confidence: float  # 0..1: the mean of the tokens' probabilities, as the model is calibrated
    words: tuple[Word, ...] = ()  # of the text, where their times were asked for
    language: str = ""  # code of what was spoken, where the model knows more than one


@dataclass(frozen=True, slots=True)
class Recognition:
    """What was heard in one piece of audio: one segment, or several where the model says times."""

    segments: tuple[Segment, ...]
    receipt: Receipt
    overlap: float = 0.0  # seconds at the piece's start that the piece before heard, too
    warnings: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """Of all segments."""
        return joined(self.segments)


@dataclass(frozen=True, slots=True)
class Transcript:
    """The answer to one audio of `duration` seconds."""

    segments: tuple[Segment, ...]
    duration: float
    receipt: Receipt
    warnings: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """Of all segments; empty when nobody spoke."""
        return joined(self.segments)

    @property
    def confidence(self) -> float:
        """Mean of the segments' confidences weighted by their duration; 0 without segments."""
        total = sum(segment.end - segment.start for segment in self.segments)
        if total <= 0:
            return 0.0
        weighted = sum(s.confidence * (s.end - s.start) for s in self.segments)
        return weighted / total


def joined(segments: Sequence[Segment]) -> str:
    """Their texts, one behind the other."""
    texts = [segment.text for segment in segments if segment.text]
    return "".join(gap(left, right) + right for left, right in pairwise(["", *texts]))


def gap(left: str, right: str) -> str:
    """What stands between two texts: a space, but between scripts that write none."""
    unspaced = _UNSPACED.match(left[-1:]) and _UNSPACED.match(right[:1])
    return "" if not left or unspaced else " "
