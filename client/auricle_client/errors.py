"""Every error a client raises on purpose, on one screen.

Each has a `reason`, the server's stable upper-case word for it, and the gRPC status `code` that it
came with, None where it happened on this side of the wire.
"""

from typing import ClassVar

import grpc


class AuricleClientError(Exception):
    """Base of all errors that a caller is expected to handle."""

    default_reason: ClassVar[str] = "UNKNOWN"

    def __init__(
        self, message: str, *, reason: str | None = None, code: grpc.StatusCode | None = None
    ) -> None:
        """`reason` where the server's is more precise than the class."""
        super().__init__(message)
        self.reason = reason or self.default_reason
        self.code = code


# --- the audio ---------------------------------------------------------------------------------


class InvalidAudioError(AuricleClientError):
    """The audio cannot be recognised; sending the same bytes again will not help."""

    default_reason = "INVALID_AUDIO"


class AudioNotFoundError(InvalidAudioError, FileNotFoundError):
    """No audio file at this path."""

    default_reason = "AUDIO_NOT_FOUND"


class EmptyAudioError(InvalidAudioError):
    """No bytes, or a container that holds no samples."""

    default_reason = "EMPTY_AUDIO"


class UnsupportedAudioError(InvalidAudioError):
    """The bytes are no audio that the server can read."""

    default_reason = "UNSUPPORTED_AUDIO"


class InvalidSampleRateError(InvalidAudioError):
    """A sample rate outside of what microphones and codecs produce."""

    default_reason = "INVALID_SAMPLE_RATE"


class InvalidSamplesError(InvalidAudioError):
    """Samples that are NaN or infinite."""

    default_reason = "INVALID_SAMPLES"


class AudioTooLongError(InvalidAudioError):
    """More seconds than the server accepts."""

    default_reason = "AUDIO_TOO_LONG"


class AudioTooLargeError(InvalidAudioError):
    """More bytes than the server accepts, in one message or in all."""

    default_reason = "AUDIO_TOO_LARGE"


# --- the request -------------------------------------------------------------------------------


class InvalidRequestError(AuricleClientError):
    """The server does not understand the request."""

    default_reason = "INVALID_REQUEST"


class InvalidOptionError(InvalidRequestError, ValueError):
    """An option outside its range."""

    default_reason = "INVALID_OPTION"


class UnknownModelError(InvalidRequestError):
    """The server has no such model."""

    default_reason = "UNKNOWN_MODEL"


class DeadlineExceededError(AuricleClientError):
    """The timeout passed before the answer came."""

    default_reason = "DEADLINE_EXCEEDED"


class RequestCancelledError(AuricleClientError):
    """The request was cancelled, here or on its way."""

    default_reason = "CANCELLED"


# --- the server --------------------------------------------------------------------------------


class ServerUnavailableError(AuricleClientError):
    """No server answers at this address, or it is shutting down."""

    default_reason = "UNAVAILABLE"


class ServerBusyError(AuricleClientError):
    """The server has no room for the request; `retry_after` seconds later it may have."""

    default_reason = "QUEUE_FULL"
    retry_after: float | None = None


class ServerError(AuricleClientError):
    """The server failed; its log says why."""

    default_reason = "INTERNAL"
