"""What an evaluation found: the totals, the worst utterances, as text and as plain values."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from auricle.evaluation.wer import ErrorCounts, align


@dataclass(frozen=True, slots=True)
class ScoredUtterance:
    """One utterance's reference and hypothesis, both normalised, and its errors."""

    audio: str
    reference: str
    hypothesis: str
    words: ErrorCounts
    chars: ErrorCounts
    error: str | None = None  # why there is no hypothesis


@dataclass(frozen=True)
class Report:
    """An evaluation. `audio_seconds` is that of the utterances that were recognised."""

    scored: tuple[ScoredUtterance, ...]
    audio_seconds: float
    wall_seconds: float

    @cached_property
    def words(self) -> ErrorCounts:
        """The word errors of all utterances."""
        return sum((each.words for each in self.scored), ErrorCounts())

    @cached_property
    def chars(self) -> ErrorCounts:
        """The character errors of all utterances."""
        return sum((each.chars for each in self.scored), ErrorCounts())

    @property
    def rtfx(self) -> float:
        """Seconds of audio recognised in a second, the inverse real-time factor."""
        return self.audio_seconds / self.wall_seconds if self.wall_seconds > 0 else 0.0

    @property
    def failed(self) -> tuple[ScoredUtterance, ...]:
        """The utterances without a hypothesis; all of their words count as deleted."""
        return tuple(each for each in self.scored if each.error is not None)

    def worst(self, n: int) -> list[ScoredUtterance]:
        """At most `n` recognised utterances with errors, those with the most first."""
        wrong = [each for each in self.scored if each.words.errors and each.error is None]
        return sorted(wrong, key=lambda each: (-each.words.errors, -each.words.rate))[:n]

    def to_dict(self, worst: int = 0) -> dict[str, Any]:
        """Plain values for JSON: word counts, both rates, RTFx, failures, the worst utterances."""
        return {
            "wer": self.words.rate,
            "cer": self.chars.rate,
            "substitutions": self.words.substitutions,
            "deletions": self.words.deletions,
            "insertions": self.words.insertions,
            "words": self.words.reference_length,
            "utterances": len(self.scored),
            "failed": [{"audio": each.audio, "error": each.error} for each in self.failed],
            "audio_seconds": self.audio_seconds,
            "wall_seconds": self.wall_seconds,
            "rtfx": self.rtfx,
            "worst": [_as_dict(each) for each in self.worst(worst)],
        }

    def to_text(self, worst: int = 0) -> str:
        """The same for people: three lines of totals, then the worst utterances, aligned."""
        words = self.words
        lines = [
            f"WER {words.rate:.2%}  CER {self.chars.rate:.2%}",
            f"{words.substitutions} substitutions, {words.deletions} deletions, "
            f"{words.insertions} insertions in {words.reference_length} words "
            f"of {len(self.scored)} utterances, {len(self.failed)} failed",
            f"RTFx {self.rtfx:.1f} ({self.audio_seconds:.1f} s of audio "
            f"in {self.wall_seconds:.1f} s)",
        ]
        for each in self.worst(worst):
            title = f"{each.audio}  WER {each.words.rate:.0%}"
            lines += ["", title, align(each.reference, each.hypothesis)]
        return "\n".join(lines)


def _as_dict(each: ScoredUtterance) -> dict[str, Any]:
    return {
        "audio": each.audio,
        "wer": each.words.rate,
        "reference": each.reference,
        "hypothesis": each.hypothesis,
        "alignment": align(each.reference, each.hypothesis).splitlines(),
    }
