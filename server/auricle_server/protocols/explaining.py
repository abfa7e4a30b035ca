"""What a caller is told of an error, whatever the protocol."""

import logging
import uuid
from dataclasses import dataclass

from auricle_types import errors
from auricle_types.quoting import printable, shortened

MESSAGE_CHARACTERS = 500  # gRPC drops a status that exceeds the 8 KiB of HTTP/2 trailers
ABOUT_THE_REQUEST = errors.AudioError, errors.InvalidRequestError, errors.RequestError

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Explanation:
    """What may be said of an error; `incident` finds it in the log, where it is unexpected."""

    message: str
    reason: str
    incident: str = ""


def explained(error: Exception) -> Explanation:
    """Say what a caller may know of what a handler raised.

    What is not about the request itself may name files of the server, or anything where nobody
    foresaw it. The log has it, and the caller gets the number to find it by.
    """
    if isinstance(error, ABOUT_THE_REQUEST):
        message = printable(str(error)[: MESSAGE_CHARACTERS + 1])
        return Explanation(shortened(message, MESSAGE_CHARACTERS), error.reason)
    incident = uuid.uuid4().hex[:12]
    logger.error("unexpected error, incident=%s", incident, exc_info=error)
    message = f"unexpected error; the server's log has it under incident {incident}"
    reason = getattr(error, "reason", errors.ServerError.reason)
    return Explanation(message, reason, incident)
