"""Every error Auricle raises on purpose, on one screen.

Each class carries a `reason`: a stable upper-case word that crosses the wire unchanged, so that a
client can act on it without reading the message. The message says what happened and what to do.
"""

from typing import ClassVar


class AuricleError(Exception):
    """Base of all errors that a caller is expected to handle."""

    reason: ClassVar[str] = "INTERNAL"


# --- the audio ---------------------------------------------------------------------------------


class AudioError(AuricleError):
    """The audio cannot be recognised; sending the same bytes again will not help."""

    reason = "INVALID_AUDIO"


class AudioNotFoundError(AudioError, FileNotFoundError):
    """No audio file at this path."""

    reason = "AUDIO_NOT_FOUND"


class EmptyAudioError(AudioError):
    """No bytes, or a container that holds no samples."""

    reason = "EMPTY_AUDIO"


class UnsupportedAudioError(AudioError):
    """The bytes are no audio that we can read."""

    reason = "UNSUPPORTED_AUDIO"


class InvalidSampleRateError(AudioError):
    """A sample rate outside of what microphones and codecs produce."""

    reason = "INVALID_SAMPLE_RATE"


class InvalidSamplesError(AudioError):
    """Samples that are NaN, infinite or far beyond -1 to 1."""

    reason = "INVALID_SAMPLES"


class AudioTooLongError(AudioError):
    """More seconds than the limit allows."""

    reason = "AUDIO_TOO_LONG"


class AudioTooLargeError(AudioError):
    """More bytes, channels or decoded samples than the limit allows."""

    reason = "AUDIO_TOO_LARGE"


# --- the model ---------------------------------------------------------------------------------


class ModelError(AuricleError):
    """The model cannot be loaded."""

    reason = "INVALID_MODEL"


class UnknownModelError(ModelError):
    """Neither a known name nor a checkpoint, or no language model, on disk."""

    reason = "UNKNOWN_MODEL"


class CorruptCheckpointError(ModelError):
    """The file is truncated, damaged or no Auricle checkpoint or language model."""

    reason = "CORRUPT_CHECKPOINT"


class CheckpointMismatchError(ModelError):
    """Weights missing, unexpected or of the wrong shape, all listed; or other tokens."""

    reason = "CHECKPOINT_MISMATCH"


class TokenizerMissingError(ModelError):
    """The model comes without its vocabulary; the message says where to get it."""

    reason = "TOKENIZER_MISSING"


class UnknownArchitectureError(ModelError):
    """A model of a kind that is not known here; the message names those that are."""

    reason = "UNKNOWN_ARCHITECTURE"


class DownloadError(ModelError):
    """The model could not be fetched; the next attempt goes on with what is there."""

    reason = "DOWNLOAD_FAILED"


class ChecksumMismatchError(ModelError):
    """A file of the model is not the one that was published; it was deleted."""

    reason = "CHECKSUM_MISMATCH"


class UnsafeCheckpointError(ModelError):
    """The file holds code, which is never run."""

    reason = "UNSAFE_CHECKPOINT"


# --- a request's life --------------------------------------------------------------------------


class RequestError(AuricleError):
    """This one request did not finish; others are not affected."""

    reason = "REQUEST_FAILED"


class QueueFullError(RequestError):
    """No room, or so much work ahead that the deadline would pass; try again after a while.

    `retry_after` is a hint, in seconds.
    """

    reason = "QUEUE_FULL"

    def __init__(self, message: str = "", *, retry_after: float = 1.0) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class DeadlineExceededError(RequestError):
    """The caller's deadline passed before the answer was ready."""

    reason = "DEADLINE_EXCEEDED"


class InferenceError(RequestError):
    """The model failed on this request."""

    reason = "INFERENCE_FAILED"


class EngineStoppedError(RequestError):
    """The engine is stopping or has stopped and takes no new work."""

    reason = "ENGINE_STOPPED"


# --- training ----------------------------------------------------------------------------------


class StorageError(AuricleError, OSError):
    """A file cannot be written, as when the disk is full; what was saved before stays."""

    reason = "STORAGE_FAILED"


class TrainingInterruptedError(AuricleError):
    """A run was told to stop; its state is saved, and the same command goes on from there."""

    reason = "TRAINING_INTERRUPTED"


# --- synthetic speech --------------------------------------------------------------------------


class SynthesisError(AuricleError):
    """A speech engine said nothing usable; the message names it and what it was asked to say."""

    reason = "SYNTHESIS_FAILED"


class SynthesizerMissingError(SynthesisError):
    """A speech engine is not installed; the message says how to install it."""

    reason = "SYNTHESIZER_MISSING"


# --- usage -------------------------------------------------------------------------------------


class InvalidOptionError(AuricleError, ValueError):
    """An option outside its range; the message names it and the range."""

    reason = "INVALID_OPTION"


class ManifestError(AuricleError):
    """A manifest line that is not what it should be; the message names file and line."""

    reason = "INVALID_MANIFEST"
