"""Converts errors to HTTP statuses and OpenAI's error bodies; the only file that knows both."""

import math
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from auricle_server.protocols.explaining import explained
from auricle_types import errors
from auricle_types.quoting import printable

CLIENT_LEFT = 499  # nginx's number for it; nobody reads the answer
NO_REASON = "HTTP"
RETRY_SECONDS = 1.0
NAMES = {CLIENT_LEFT: "CANCELLED"}
STATUSES: dict[type[Exception], int] = {
    errors.AuricleError: HTTPStatus.INTERNAL_SERVER_ERROR,
    errors.AudioError: HTTPStatus.BAD_REQUEST,
    errors.AudioTooLargeError: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    errors.InvalidRequestError: HTTPStatus.BAD_REQUEST,
    errors.UnknownModelError: HTTPStatus.NOT_FOUND,
    errors.QueueFullError: HTTPStatus.TOO_MANY_REQUESTS,
    errors.ServerUnavailableError: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.DeadlineExceededError: HTTPStatus.REQUEST_TIMEOUT,
    errors.RequestCancelledError: CLIENT_LEFT,
}
CODES = {  # OpenAI's own words; the others are our reasons in lower case
    errors.UnknownModelError.reason: "model_not_found",
    errors.QueueFullError.reason: "rate_limit_exceeded",
}


class InvalidFieldError(Exception):
    """A field holds what it cannot; only HTTP has such, so it is no AuricleError.

    `param` names the field; it is empty where the whole is meant.
    """

    def __init__(self, param: str, message: str, code: str = "") -> None:
        super().__init__(message)
        self.failure = HttpFailure(
            HTTPStatus.BAD_REQUEST,
            printable(message),
            errors.InvalidOptionError.reason,
            param or None,
            code or errors.InvalidOptionError.reason.lower(),
        )


@dataclass(frozen=True, slots=True)
class HttpFailure:
    """Says how a request ended that did not succeed."""

    status: int
    message: str
    reason: str = NO_REASON
    param: str | None = None
    code: str | None = None
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Name the status for the log and the metrics."""
        return NAMES.get(self.status) or HTTPStatus(self.status).name

    @property
    def body(self) -> dict[str, Any]:
        """Write what OpenAI's clients read."""
        error = {"message": self.message, "type": self._type, "param": self.param}
        return {"error": error | {"code": self.code}}

    @property
    def response(self) -> JSONResponse:
        """Answer with the body and the headers."""
        return JSONResponse(self.body, self.status, self.headers)

    @property
    def _type(self) -> str:
        if self.status == HTTPStatus.TOO_MANY_REQUESTS:
            return "rate_limit_error"
        is_ours = self.status >= HTTPStatus.INTERNAL_SERVER_ERROR
        return "server_error" if is_ours else "invalid_request_error"


def status_of(error: type[Exception]) -> int:
    """Find the status of an error class: its own or that of its nearest ancestor."""
    return next(STATUSES[base] for base in error.__mro__ if base in STATUSES)


def failure_of(error: Exception) -> HttpFailure:
    """Translate what a handler raised."""
    if isinstance(error, HTTPException):
        headers = dict(error.headers or {})
        return HttpFailure(error.status_code, str(error.detail), headers=headers)
    if isinstance(error, InvalidFieldError):
        return error.failure
    told = explained(error)
    status = HTTPStatus.INTERNAL_SERVER_ERROR if told.incident else status_of(type(error))
    code = CODES.get(told.reason, told.reason.lower())
    param = "model" if isinstance(error, errors.UnknownModelError) else None
    return HttpFailure(status, told.message, told.reason, param, code, _headers(error, status))


def _headers(error: Exception, status: int) -> dict[str, str]:
    if status == HTTPStatus.REQUEST_TIMEOUT:
        return {"connection": "close"}  # the rest of the body is not waited for
    seconds: float | None = None
    if isinstance(error, errors.QueueFullError):
        seconds = error.retry_after
    elif status == HTTPStatus.SERVICE_UNAVAILABLE:
        seconds = RETRY_SECONDS
    return {} if seconds is None else {"retry-after": str(math.ceil(seconds))}
