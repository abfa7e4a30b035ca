"""When an answer is not believed: too repetitive, too unlikely, or nobody spoke."""

import zlib
from dataclasses import dataclass

from auricle.hypothesis import Hypothesis


def compression_ratio(text: str) -> float:
    """Bytes over compressed bytes: high where the same words come again and again."""
    encoded = text.encode()
    return len(encoded) / len(zlib.compress(encoded))


def average_log_prob(hypothesis: Hypothesis) -> float:
    """Of a token; END counts even where it was not reached."""
    return hypothesis.log_prob / (len(hypothesis.tokens) + 1)


@dataclass(frozen=True, slots=True)
class Quality:
    """What can be held against an answer."""

    average_log_prob: float
    compression_ratio: float
    no_speech: float


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Beyond which an answer is doubtful: openai-whisper's."""

    compression_ratio: float = 2.4
    average_log_prob: float = -1.0
    no_speech: float = 0.6

    def doubtful(self, quality: Quality) -> bool:
        """Whether to try again at a higher temperature. Not for what is silence anyway."""
        unlikely = quality.average_log_prob < self.average_log_prob
        if unlikely and quality.no_speech > self.no_speech:
            return False
        return unlikely or quality.compression_ratio > self.compression_ratio

    def silent(self, quality: Quality) -> bool:
        """Whether nobody spoke, so that the words are made up."""
        likely = quality.average_log_prob > self.average_log_prob
        return quality.no_speech > self.no_speech and not likely
