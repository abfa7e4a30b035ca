"""Converts errors to gRPC statuses; the only file that knows `grpc.StatusCode`.

A status carries the error's message, a google.rpc.ErrorInfo with its `reason`, and, where trying
again makes sense, a google.rpc.RetryInfo.
"""

from dataclasses import dataclass, field

import grpc
from google.protobuf.any_pb2 import Any
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status

from auricle_server.protocols.auricle_grpc.convert import duration
from auricle_server.protocols.explaining import explained
from auricle_types import errors

DOMAIN = "auricle"
CODES: dict[type[Exception], grpc.StatusCode] = {
    errors.AuricleError: grpc.StatusCode.INTERNAL,
    errors.AudioError: grpc.StatusCode.INVALID_ARGUMENT,
    errors.InvalidRequestError: grpc.StatusCode.INVALID_ARGUMENT,
    errors.UnknownModelError: grpc.StatusCode.NOT_FOUND,
    errors.QueueFullError: grpc.StatusCode.RESOURCE_EXHAUSTED,
    errors.ServerUnavailableError: grpc.StatusCode.UNAVAILABLE,
    errors.DeadlineExceededError: grpc.StatusCode.DEADLINE_EXCEEDED,
    errors.RequestCancelledError: grpc.StatusCode.CANCELLED,
}


@dataclass(frozen=True, slots=True)
class RpcFailure:
    """Says how an RPC ended that did not succeed."""

    code: grpc.StatusCode
    message: str
    reason: str
    retry_after: float | None = None  # seconds, where trying again makes sense
    metadata: dict[str, str] = field(default_factory=dict)

    @property
    def trailing_metadata(self) -> tuple[tuple[str, str | bytes], ...]:
        """Encode the details that google.rpc defines, as grpcio-status does."""
        info = error_details_pb2.ErrorInfo(
            reason=self.reason, domain=DOMAIN, metadata=self.metadata
        )
        details = [pack(info)]
        if self.retry_after is not None:
            delay = duration(self.retry_after)
            details.append(pack(error_details_pb2.RetryInfo(retry_delay=delay)))
        status = status_pb2.Status(code=self.code.value[0], message=self.message, details=details)
        return tuple(rpc_status.to_status(status).trailing_metadata)


def pack(message: error_details_pb2.ErrorInfo | error_details_pb2.RetryInfo) -> Any:
    """Wrap one detail as google.rpc.Status wants it."""
    wrapped = Any()
    wrapped.Pack(message)
    return wrapped


def code_of(error: type[Exception]) -> grpc.StatusCode:
    """Find the status code of an error class: its own or that of its nearest ancestor."""
    return next(CODES[base] for base in error.__mro__ if base in CODES)


def failure_of(error: Exception) -> RpcFailure:
    """Translate what a handler raised."""
    told = explained(error)
    if told.incident:
        metadata = {"incident": told.incident}
        internal = grpc.StatusCode.INTERNAL
        return RpcFailure(internal, told.message, told.reason, metadata=metadata)
    retry_after = error.retry_after if isinstance(error, errors.QueueFullError) else None
    return RpcFailure(code_of(type(error)), told.message, told.reason, retry_after)
