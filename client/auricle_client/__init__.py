"""The client of an Auricle server, for programs: grpcio and this, no recogniser, no torch."""

from auricle_client.aio import AsyncClient, AsyncTranscriptStream
from auricle_client.client import Client, TranscriptStream
from auricle_client.errors import (
    AudioNotFoundError,
    AudioTooLargeError,
    AudioTooLongError,
    AuricleClientError,
    DeadlineExceededError,
    EmptyAudioError,
    InvalidAudioError,
    InvalidOptionError,
    InvalidRequestError,
    InvalidSampleRateError,
    InvalidSamplesError,
    RequestCancelledError,
    ServerBusyError,
    ServerError,
    ServerUnavailableError,
    UnknownModelError,
    UnsupportedAudioError,
)
from auricle_client.options import PcmFormat, RecognitionOptions
from auricle_client.transcript import Model, Receipt, Segment, Transcript, Word

__all__ = [
    "AsyncClient",
    "AsyncTranscriptStream",
    "AudioNotFoundError",
    "AudioTooLargeError",
    "AudioTooLongError",
    "AuricleClientError",
    "Client",
    "DeadlineExceededError",
    "EmptyAudioError",
    "InvalidAudioError",
    "InvalidOptionError",
    "InvalidRequestError",
    "InvalidSampleRateError",
    "InvalidSamplesError",
    "Model",
    "PcmFormat",
    "Receipt",
    "RecognitionOptions",
    "RequestCancelledError",
    "Segment",
    "ServerBusyError",
    "ServerError",
    "ServerUnavailableError",
    "Transcript",
    "TranscriptStream",
    "UnknownModelError",
    "UnsupportedAudioError",
    "Word",
]
