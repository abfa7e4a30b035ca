"""What happens while audio is recognised. Every protocol renders these events.

For each utterance they come in this order: `SpeechStarted`, any number of `Interim`,
`SpeechStopped`, any number of `FinalSegment`, `EndOfUtterance`. The speech events are ahead of the
words: somebody may speak again before the last utterance is recognised. `FinalTranscript` is the
last event. All times are in seconds from the start of the audio.
"""

from dataclasses import dataclass
from typing import TypeAlias

from auricle_types.transcript import Segment, Transcript


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """Somebody speaks since `at`."""

    at: float


@dataclass(frozen=True, slots=True)
class SpeechStopped:
    """Nobody speaks since `at`."""

    at: float


@dataclass(frozen=True, slots=True)
class Interim:
    """The text so far of the utterance that began at `start`.

    `text` begins with `stable_text`, which never changes any more; the rest may. `stability` is
    the share of the words that will stay, as far as can be said now: 0 < stability <= 1.
    """

    start: float
    text: str
    stable_text: str = ""
    stability: float = 1.0


@dataclass(frozen=True, slots=True)
class FinalSegment:
    """A segment is recognised and will not change."""

    segment: Segment


@dataclass(frozen=True, slots=True)
class EndOfUtterance:
    """All segments of the utterance that ended at `at` have come."""

    at: float


@dataclass(frozen=True, slots=True)
class FinalTranscript:
    """The audio has ended; this is the last event."""

    transcript: Transcript


Event: TypeAlias = (
    SpeechStarted | SpeechStopped | Interim | FinalSegment | EndOfUtterance | FinalTranscript
)
