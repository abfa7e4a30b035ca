"""Auricle: self-hosted speech recognition.

    from auricle import Recognizer

    with Recognizer.from_pretrained() as recognizer:
        print(recognizer.transcribe("speech.wav").text)

Names are loaded on first use, so that importing a part does not import torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from auricle.version import __version__

if TYPE_CHECKING:
    from auricle.audio import Audio, load_audio
    from auricle.recognizer import Recognizer
    from auricle_types.commands import END_UTTERANCE
    from auricle_types.errors import AuricleError
    from auricle_types.events import (
        EndOfUtterance,
        FinalSegment,
        FinalTranscript,
        Interim,
        SpeechStarted,
        SpeechStopped,
    )
    from auricle_types.hotwords import Hotword
    from auricle_types.options import DecodingOptions, EngineConfig, StreamingOptions
    from auricle_types.transcript import Receipt, Segment, Transcript, Word

_HOMES = {
    "Audio": "auricle.audio",
    "AuricleError": "auricle_types.errors",
    "DecodingOptions": "auricle_types.options",
    "END_UTTERANCE": "auricle_types.commands",
    "EndOfUtterance": "auricle_types.events",
    "EngineConfig": "auricle_types.options",
    "FinalSegment": "auricle_types.events",
    "FinalTranscript": "auricle_types.events",
    "Interim": "auricle_types.events",
    "Hotword": "auricle_types.hotwords",
    "Receipt": "auricle_types.transcript",
    "Recognizer": "auricle.recognizer",
    "Segment": "auricle_types.transcript",
    "SpeechStarted": "auricle_types.events",
    "SpeechStopped": "auricle_types.events",
    "StreamingOptions": "auricle_types.options",
    "Transcript": "auricle_types.transcript",
    "Word": "auricle_types.transcript",
    "load_audio": "auricle.audio",
}

__all__ = [
    "END_UTTERANCE",
    "Audio",
    "AuricleError",
    "DecodingOptions",
    "EndOfUtterance",
    "EngineConfig",
    "FinalSegment",
    "FinalTranscript",
    "Hotword",
    "Interim",
    "Receipt",
    "Recognizer",
    "Segment",
    "SpeechStarted",
    "SpeechStopped",
    "StreamingOptions",
    "Transcript",
    "Word",
    "__version__",
    "load_audio",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'auricle' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
