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
    from auricle.session import FinalSegment, FinalTranscript
    from auricle_types.errors import AuricleError
    from auricle_types.hotwords import Hotword
    from auricle_types.options import DecodingOptions, EngineConfig
    from auricle_types.transcript import Receipt, Segment, Transcript, Word

_HOMES = {
    "Audio": "auricle.audio",
    "AuricleError": "auricle_types.errors",
    "DecodingOptions": "auricle_types.options",
    "EngineConfig": "auricle_types.options",
    "FinalSegment": "auricle.session",
    "FinalTranscript": "auricle.session",
    "Hotword": "auricle_types.hotwords",
    "Receipt": "auricle_types.transcript",
    "Recognizer": "auricle.recognizer",
    "Segment": "auricle_types.transcript",
    "Transcript": "auricle_types.transcript",
    "Word": "auricle_types.transcript",
    "load_audio": "auricle.audio",
}

__all__ = [
    "Audio",
    "AuricleError",
    "DecodingOptions",
    "EngineConfig",
    "FinalSegment",
    "FinalTranscript",
    "Hotword",
    "Receipt",
    "Recognizer",
    "Segment",
    "Transcript",
    "Word",
    "__version__",
    "load_audio",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'auricle' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
