"""The client of an Auricle server, for programs: grpcio and this, no recogniser, no torch."""

from auricle_client.aio import AsyncClient, AsyncTranscriptStream
from auricle_client.client import Client, TranscriptStream
from auricle_client.options import RecognitionOptions
from auricle_types.commands import END_UTTERANCE
from auricle_types.errors import (
    AudioError,
    AudioNotFoundError,
    AudioTooLargeError,
    AudioTooLongError,
    AuricleError,
    DeadlineExceededError,
    DecoderCrashedError,
    EmptyAudioError,
    InvalidOptionError,
    InvalidRequestError,
    InvalidSampleRateError,
    InvalidSamplesError,
    QueueFullError,
    RequestCancelledError,
    ServerError,
    ServerUnavailableError,
    StreamIdleError,
    UnknownModelError,
    UnsupportedAudioError,
)
from auricle_types.events import (
    EndOfUtterance,
    Event,
    FinalSegment,
    FinalTranscript,
    Interim,
    SpeechStarted,
    SpeechStopped,
)
from auricle_types.hotwords import Hotword
from auricle_types.options import PcmFormat, StreamingOptions
from auricle_types.transcript import Model, Receipt, Segment, Transcript, Word

__all__ = [
    "END_UTTERANCE",
    "AsyncClient",
    "AsyncTranscriptStream",
    "AudioError",
    "AudioNotFoundError",
    "AudioTooLargeError",
    "AudioTooLongError",
    "AuricleError",
    "Client",
    "DeadlineExceededError",
    "DecoderCrashedError",
    "EmptyAudioError",
    "EndOfUtterance",
    "Event",
    "FinalSegment",
    "FinalTranscript",
    "Hotword",
    "Interim",
    "InvalidOptionError",
    "InvalidRequestError",
    "InvalidSampleRateError",
    "InvalidSamplesError",
    "Model",
    "PcmFormat",
    "QueueFullError",
    "Receipt",
    "RecognitionOptions",
    "RequestCancelledError",
    "Segment",
    "ServerError",
    "ServerUnavailableError",
    "SpeechStarted",
    "SpeechStopped",
    "StreamIdleError",
    "StreamingOptions",
    "Transcript",
    "TranscriptStream",
    "UnknownModelError",
    "UnsupportedAudioError",
    "Word",
]
