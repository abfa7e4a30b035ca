"""Every error that Auricle raises on purpose, on one screen: the same classes on both sides.

Each class has a `reason`: a stable upper-case word that crosses the wire unchanged, so that a
program can act on it without reading the message. The message says what happened and what to do.
"""


class AuricleError(Exception):
    """Any failure that a caller is expected to handle."""

    reason: str = "UNKNOWN"  # a client sets the server's own where that is more precise
    code: object = None  # the protocol's status, such as grpc.StatusCode; None: raised right here


# --- the audio ---------------------------------------------------------------------------------


class AudioError(AuricleError):
    """The audio cannot be recognised; sending the same bytes again will not help."""

    reason = "INVALID_AUDIO"


class AudioNotFoundError(AudioError, FileNotFoundError):
    """There is no audio file at this path."""

    reason = "AUDIO_NOT_FOUND"


class EmptyAudioError(AudioError):
    """There are no bytes, or the container holds no samples."""

    reason = "EMPTY_AUDIO"


class UnsupportedAudioError(AudioError):
    """The bytes are not audio of a supported format."""

    reason = "UNSUPPORTED_AUDIO"


class DecoderCrashedError(AudioError):
    """Decoding the audio crashed, hung or took too much memory; send it in another format."""

    reason = "DECODER_CRASHED"


class InvalidSampleRateError(AudioError):
    """The sample rate is outside of what microphones and codecs produce."""

    reason = "INVALID_SAMPLE_RATE"


class InvalidSamplesError(AudioError):
    """The samples are NaN, infinite or far beyond -1 to 1."""

    reason = "INVALID_SAMPLES"


class AudioTooLongError(AudioError):
    """The audio has more seconds than the limit allows."""

    reason = "AUDIO_TOO_LONG"


class AudioTooLargeError(AudioError):
    """The audio has more bytes, channels or decoded samples than the limit allows."""

    reason = "AUDIO_TOO_LARGE"


# --- the request's form ------------------------------------------------------------------------


class InvalidRequestError(AuricleError):
    """Messages are missing, repeated or out of order, or hold values that the proto lacks."""

    reason = "INVALID_REQUEST"


class InvalidOptionError(InvalidRequestError, ValueError):
    """An option is outside its range; the message names it and the range."""

    reason = "INVALID_OPTION"


# --- the request's life ------------------------------------------------------------------------


class RequestError(AuricleError):
    """This one request did not finish; other requests are not affected."""

    reason = "REQUEST_FAILED"


class QueueFullError(RequestError):
    """There is no room, or too much work ahead of the deadline; try again after a while.

    `retry_after` is a hint in seconds; None where the server gave none.
    """

    reason = "QUEUE_FULL"

    def __init__(self, message: str = "", *, retry_after: float | None = 1.0) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class DeadlineExceededError(RequestError):
    """The caller's deadline passed before the answer was ready."""

    reason = "DEADLINE_EXCEEDED"


class StreamIdleError(DeadlineExceededError):
    """The client sent nothing for longer than the server waits; begin again when there is audio."""

    reason = "STREAM_IDLE"


class RequestCancelledError(RequestError):
    """The request was cancelled, by the caller or on its way."""

    reason = "CANCELLED"


class ServerError(RequestError):
    """The server failed unexpectedly; its log says why."""

    reason = "INTERNAL"


class InferenceError(ServerError):
    """The model failed on this request."""

    reason = "INFERENCE_FAILED"


class ServerUnavailableError(RequestError):
    """No server answers at this address, or it is shutting down."""

    reason = "UNAVAILABLE"


class EngineStoppedError(ServerUnavailableError):
    """The engine is stopping or has stopped and takes no new work."""

    reason = "ENGINE_STOPPED"


# --- the model ---------------------------------------------------------------------------------


class ModelError(AuricleError):
    """The model cannot be loaded."""

    reason = "INVALID_MODEL"


class UnknownModelError(ModelError, InvalidRequestError):
    """No model or language model has this name or path."""

    reason = "UNKNOWN_MODEL"


class CorruptCheckpointError(ModelError):
    """The file is truncated, damaged, or neither a checkpoint nor a language model of Auricle."""

    reason = "CORRUPT_CHECKPOINT"


class CheckpointMismatchError(ModelError):
    """Weights are missing, unexpected or misshapen, or tokens differ; the message lists them."""

    reason = "CHECKPOINT_MISMATCH"


class TokenizerMissingError(ModelError):
    """The model comes without its vocabulary; the message says where to get it."""

    reason = "TOKENIZER_MISSING"


class UnknownArchitectureError(ModelError):
    """The model is of an unknown kind; the message names the known ones."""

    reason = "UNKNOWN_ARCHITECTURE"


class DownloadError(ModelError):
    """The model could not be fetched; the next attempt continues the download."""

    reason = "DOWNLOAD_FAILED"


class ChecksumMismatchError(ModelError):
    """A file of the model differs from the published one; it was deleted."""

    reason = "CHECKSUM_MISMATCH"


class UnsafeCheckpointError(ModelError):
    """The file holds code, which is never run."""

    reason = "UNSAFE_CHECKPOINT"


# --- training, data and files ------------------------------------------------------------------


class StorageError(AuricleError, OSError):
    """A file cannot be written, as when the disk is full; what was saved before stays."""

    reason = "STORAGE_FAILED"


class TrainingInterruptedError(AuricleError):
    """Training was interrupted; its state is saved, and the same command continues it."""

    reason = "TRAINING_INTERRUPTED"


class SynthesisError(AuricleError):
    """A speech engine gave no usable speech; the message names the engine and the sentence."""

    reason = "SYNTHESIS_FAILED"


class SynthesizerMissingError(SynthesisError):
    """A speech engine is not installed; the message says how to install it."""

    reason = "SYNTHESIZER_MISSING"


class ExtraMissingError(AuricleError):
    """A package of one of the extras is not installed; the message says how to install it."""

    reason = "EXTRA_MISSING"


class ManifestError(AuricleError):
    """A line of a manifest is invalid; the message names file and line."""

    reason = "INVALID_MANIFEST"
