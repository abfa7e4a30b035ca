"""What a client may set of a session, as it crosses the wire, and what is recognised for it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

from auricle_server.incoming import RecognitionTask
from auricle_server.protocols.openai_http.aliases import served_name
from auricle_server.protocols.openai_http.body import is_whole
from auricle_server.protocols.openai_http.convert import language_code
from auricle_server.protocols.openai_http.status import InvalidFieldError
from auricle_types.options import (
    PROMPT_CHARACTERS,
    DecodingOptions,
    Encoding,
    PcmFormat,
    StreamingOptions,
)
from auricle_types.quoting import quoted

Fields = Mapping[str, Any]

PCM_RATE = 24_000  # of OpenAI's own clients
TELEPHONE_RATE = 8_000
ENCODINGS: dict[str, Encoding] = {
    "audio/pcm": "s16le",
    "audio/pcmu": "mulaw",
    "audio/pcma": "alaw",
}
BETA_FORMATS = {"pcm16": "audio/pcm", "g711_ulaw": "audio/pcmu", "g711_alaw": "audio/pcma"}
DETECTIONS = ("server_vad", "semantic_vad")
DETECTION: Fields = {
    "type": "server_vad",
    "threshold": 0.5,
    "prefix_padding_ms": 300,
    "silence_duration_ms": 500,
}
RANGES = {  # of OpenAI; what our own options do not reach is brought into theirs
    "threshold": (0.0, 1.0),
    "prefix_padding_ms": (0.0, 60_000.0),
    "silence_duration_ms": (0.0, 60_000.0),
}
LOGPROBS = "item.input_audio_transcription.logprobs"


@dataclass(frozen=True, slots=True)
class RealtimeSettings:
    """The settings of one session; each value is as JSON has it and was checked."""

    format: Fields
    transcription: Fields | None = None
    turn_detection: Fields | None = None
    noise_reduction: Fields | None = None
    include: tuple[str, ...] = ()

    @classmethod
    def default(cls) -> Self:
        """Return what holds before the first update."""
        return cls({"type": "audio/pcm", "rate": PCM_RATE}, turn_detection=DETECTION)

    def updated(self, session: Fields) -> Self:
        """Change what `session` names and nothing else. Raises InvalidFieldError."""
        if session.get("type", "transcription") != "transcription":
            raise invalid("session.type", "only sessions of the type transcription are served")
        audio = checked_object("session.audio", session.get("audio"))
        given = checked_object("session.audio.input", audio.get("input"))
        changes: dict[str, Any] = {
            name: read(self, given[name]) for name, read in _READERS.items() if name in given
        }
        if "include" in session:
            changes["include"] = _include(session["include"])
        return replace(self, **changes)

    @property
    def pcm(self) -> PcmFormat:
        """The format of the audio that the client appends."""
        rate = self.format.get("rate", TELEPHONE_RATE)
        return PcmFormat(rate, encoding=ENCODINGS[self.format["type"]])

    @property
    def has_logprobs(self) -> bool:
        """Whether transcripts come with the logarithms of their words' confidences."""
        return LOGPROBS in self.include

    def task(self, *, takes_prompt: bool) -> RecognitionTask:
        """Return what the recogniser is asked for. Raises InvalidFieldError."""
        asked = self.transcription or {}
        language, prompt = asked.get("language"), asked.get("prompt")
        options = DecodingOptions(
            language=language_code(language) if language else None,
            prompt=(takes_prompt and prompt and prompt[-PROMPT_CHARACTERS:]) or None,
            word_timestamps=self.has_logprobs,
        )
        model = served_name(asked.get("model") or "")
        return RecognitionTask(options, self.pcm, model, self.streaming)

    @property
    def streaming(self) -> StreamingOptions:
        """How the audio is cut: by the detector, or where the client commits."""
        detection = self.turn_detection
        if detection is None:
            return StreamingOptions(interim_results=True)
        return StreamingOptions(
            interim_results=True,
            voice_activity=True,
            speech_threshold=min(0.95, max(0.05, detection["threshold"])),
            prefix_padding=min(1.0, detection["prefix_padding_ms"] / 1000),
            end_silence=max(0.1, detection["silence_duration_ms"] / 1000),
        )


def from_beta(session: Fields) -> Fields:
    """Arrange the flat fields of the beta form as those of today. Raises InvalidFieldError."""
    names = {
        "input_audio_transcription": "transcription",
        "turn_detection": "turn_detection",
        "input_audio_noise_reduction": "noise_reduction",
    }
    given: dict[str, Any] = {new: session[old] for old, new in names.items() if old in session}
    if "input_audio_format" in session:
        name = _one_of("session.input_audio_format", session["input_audio_format"], BETA_FORMATS)
        given["format"] = {"type": BETA_FORMATS[name]}
    included = {"include": session["include"]} if "include" in session else {}
    return {"audio": {"input": given}} | included


def invalid(param: str, message: str, code: str = "invalid_value") -> InvalidFieldError:
    """Make the error for a field of an event that holds what it cannot."""
    return InvalidFieldError(param, message, code)


def checked_object(param: str, given: object) -> Fields:
    """Return an object of JSON, an empty one for null. Raises InvalidFieldError."""
    if given is None:
        return {}
    if not isinstance(given, dict):
        raise invalid(param, f"{param} must be an object")
    return given


def _format(_: RealtimeSettings, given: object) -> Fields:
    param = "session.audio.input.format"
    fields = checked_object(param, given)
    kind = _one_of(f"{param}.type", fields.get("type"), ENCODINGS)
    if kind != "audio/pcm":
        return {"type": kind}
    rate = fields.get("rate", PCM_RATE)
    if type(rate) is not int or not TELEPHONE_RATE <= rate <= 48_000:
        raise invalid(
            f"{param}.rate", f"{param}.rate must be 8000 to 48000, not {quoted(str(rate))}"
        )
    return {"type": kind, "rate": rate}


def _transcription(before: RealtimeSettings, given: object) -> Fields | None:
    if given is None:
        return None
    param = "session.audio.input.transcription"
    known = {
        name: value
        for name, value in checked_object(param, given).items()
        if name in ("model", "language", "prompt")
    }
    for name, value in known.items():
        if not (value is None or (isinstance(value, str) and is_whole(value))):
            raise invalid(f"{param}.{name}", f"{param}.{name} must be a text of whole characters")
    return {**(before.transcription or {}), **known}


def _turn_detection(before: RealtimeSettings, given: object) -> Fields | None:
    if given is None:
        return None
    param = "session.audio.input.turn_detection"
    fields = {**(before.turn_detection or DETECTION), **checked_object(param, given)}
    _one_of(f"{param}.type", fields["type"], DETECTIONS)
    for name, (low, high) in RANGES.items():
        value = fields[name] = DETECTION[name] if fields[name] is None else fields[name]
        if type(value) not in (int, float) or not low <= value <= high:
            message = f"{param}.{name} must be {low:g} to {high:g}, not {quoted(str(value))}"
            raise invalid(f"{param}.{name}", message)
    return {name: fields[name] for name in DETECTION}


def _noise_reduction(_: RealtimeSettings, given: object) -> Fields | None:
    """Keep what is asked for, without effect: the models were trained on noisy speech."""
    param = "session.audio.input.noise_reduction"
    if given is None:
        return None
    kind = checked_object(param, given).get("type")
    return {"type": _one_of(f"{param}.type", kind, ("near_field", "far_field"))}


def _include(given: object) -> tuple[str, ...]:
    if given is None:
        return ()
    if not isinstance(given, list) or not all(isinstance(each, str) for each in given):
        raise invalid("session.include", "session.include must be a list of texts")
    return tuple(_one_of("session.include", each, (LOGPROBS,)) for each in given)


_READERS: dict[str, Callable[[RealtimeSettings, object], Fields | None]] = {
    "format": _format,
    "transcription": _transcription,
    "turn_detection": _turn_detection,
    "noise_reduction": _noise_reduction,
}


def _one_of(param: str, given: object, known: Mapping[str, object] | tuple[str, ...]) -> str:
    if not isinstance(given, str) or given not in known:
        message = f"{param} must be one of {', '.join(known)}, not {quoted(str(given))}"
        raise invalid(param, message)
    return given
