"""Temperature fallback: thresholds for a result that is repetitive, unlikely or silence."""

import zlib
from dataclasses import dataclass

from auricle.hypothesis import Hypothesis


def compression_ratio(text: str) -> float:
    """Divide bytes by compressed bytes: high where the same words come again and again."""
    encoded = text.encode()
    return len(encoded) / len(zlib.compress(encoded))


def average_log_prob(hypothesis: Hypothesis) -> float:
    """Compute the mean of the tokens; END counts even where it was not reached."""
    return hypothesis.log_prob / (len(hypothesis.tokens) + 1)


@dataclass(frozen=True, slots=True)
class Quality:
    """Measures of a result that are compared with the thresholds."""

    average_log_prob: float
    compression_ratio: float
    no_speech: float


@dataclass(frozen=True, slots=True)
class FallbackThresholds:
    """Beyond these a result is doubtful. The values are openai-whisper's."""

    compression_ratio: float = 2.4
    average_log_prob: float = -1.0
    no_speech: float = 0.6

    def needs_fallback(self, quality: Quality) -> bool:
        """Whether to decode again at a higher temperature. Silence needs none."""
        unlikely = quality.average_log_prob < self.average_log_prob
        if unlikely and quality.no_speech > self.no_speech:
            return False
        return unlikely or quality.compression_ratio > self.compression_ratio

    def is_silence(self, quality: Quality) -> bool:
        """Whether nobody spoke, so that the text is made up."""
        likely = quality.average_log_prob > self.average_log_prob
        return quality.no_speech > self.no_speech and not likely
