"""What is known of an utterance before it is decoded."""

from dataclasses import dataclass

from auricle.hypothesis import Hypothesis


@dataclass(frozen=True, slots=True)
class UtteranceFacts:
    """Facts about the audio, and how its text begins."""

    seconds: float = 0.0
    speech: bool | None = None  # whether the VAD finds a word; None: it was not asked
    speech_end: float | None = None  # seconds to the end of the last word; None: as above
    short_context: bool = False  # encoded without the silence that fills the model's window
    prefix: Hypothesis | None = None  # with whose tokens the text begins
