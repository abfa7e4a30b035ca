"""What a server answers. The names are those of the recogniser's own answers."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Receipt:
    """Where an answer's time went. All times in seconds, each that of the slowest piece."""

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
class Transcript:
    """The answer to one audio of `duration` seconds."""

    text: str
    segments: tuple[Segment, ...]
    confidence: float
    duration: float
    receipt: Receipt
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Model:
    """A model that the server serves; longer audio than `window_seconds` it cuts at silences."""

    model_id: str
    name: str
    language: str
    window_seconds: float
    device: str
    dtype: str
