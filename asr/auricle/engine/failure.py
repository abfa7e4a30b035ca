"""Whatever the model raised, as an error that says what to do."""

import logging
import traceback

from auricle_types.errors import AuricleError, InferenceError

_NO_MEMORY = ("out of memory", "can't allocate memory", "not enough memory")
_ADVICE = (
    "there is not enough memory for this request, even alone: send shorter pieces, or give the "
    "engine fewer slots or a smaller max_cache_mib"
)

logger = logging.getLogger(__name__)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether memory was wanting, of the host or of a device, whoever says it.

    torch raises RuntimeError on the CPU and its subclass OutOfMemoryError on CUDA; only the words
    are common to all.
    """
    words = str(error).lower()
    return isinstance(error, MemoryError) or (
        isinstance(error, RuntimeError) and any(phrase in words for phrase in _NO_MEMORY)
    )


def release(error: BaseException) -> None:
    """Clear the frames of a traceback: their variables would keep a batch's tensors in memory."""
    chain: list[BaseException] = []
    cause: BaseException | None = error
    while cause is not None and cause not in chain:
        traceback.clear_frames(cause.__traceback__)
        chain.append(cause)
        cause = cause.__cause__ or cause.__context__


def as_typed(error: BaseException) -> AuricleError:
    """The error for the one request that is to blame."""
    if isinstance(error, AuricleError):
        return error
    logger.error("the model failed on a request", exc_info=error)
    words = _ADVICE if is_out_of_memory(error) else str(error)
    typed = InferenceError(f"the model failed on this request: {words}")
    typed.__cause__ = error
    return typed
