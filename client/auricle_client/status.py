"""gRPC statuses to typed errors: first by the server's reason, else by the code."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import cast

import grpc
from google.protobuf.message import DecodeError
from google.rpc import error_details_pb2, status_pb2

from auricle_client.channel import proxy_hint
from auricle_types import errors
from auricle_types.errors import AuricleError

DETAILS_KEY = "grpc-status-details-bin"  # where grpcio-status puts a google.rpc.Status
TOO_LARGE = "larger than max"  # of the transport's own refusal, which has no reason

BY_CODE: dict[grpc.StatusCode, type[AuricleError]] = {
    grpc.StatusCode.CANCELLED: errors.RequestCancelledError,
    grpc.StatusCode.DEADLINE_EXCEEDED: errors.DeadlineExceededError,
    grpc.StatusCode.INTERNAL: errors.ServerError,
    grpc.StatusCode.INVALID_ARGUMENT: errors.InvalidRequestError,
    grpc.StatusCode.NOT_FOUND: errors.UnknownModelError,
    grpc.StatusCode.RESOURCE_EXHAUSTED: errors.QueueFullError,
    grpc.StatusCode.UNAVAILABLE: errors.ServerUnavailableError,
    grpc.StatusCode.UNIMPLEMENTED: errors.InvalidRequestError,
    grpc.StatusCode.UNKNOWN: errors.ServerError,
}


BY_REASON: dict[str, type[AuricleError]] = {
    kind.reason: kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, AuricleError)
}


def details_of(metadata: Iterable[tuple[str, str | bytes]] | None) -> status_pb2.Status:
    """Return the google.rpc.Status among trailing metadata; an empty one where there is none."""
    for key, value in metadata or ():
        if key == DETAILS_KEY and isinstance(value, bytes):
            try:
                return status_pb2.Status.FromString(value)
            except DecodeError:  # from something between us and the server
                break
    return status_pb2.Status()


def class_of(code: grpc.StatusCode, reason: str, message: str) -> type[AuricleError]:
    """Return the error class for a status."""
    if not reason and code is grpc.StatusCode.RESOURCE_EXHAUSTED and TOO_LARGE in message:
        return errors.AudioTooLargeError
    return BY_REASON.get(reason) or BY_CODE.get(code, AuricleError)


def translate(failed: grpc.RpcError) -> AuricleError:
    """Return the typed error for an RPC that failed, of either kind of client."""
    call = cast("grpc.Call", failed)  # what RpcErrors are besides, though not by their type
    code, message = call.code(), call.details() or ""
    info, retry = error_details_pb2.ErrorInfo(), error_details_pb2.RetryInfo()
    for detail in details_of(call.trailing_metadata()).details:
        detail.Unpack(info)  # each leaves what is not its own alone
        detail.Unpack(retry)
    kind = class_of(code, info.reason, message)
    hint = proxy_hint() if code is grpc.StatusCode.UNAVAILABLE and not info.reason else ""
    error = kind((message or code.name) + hint)
    error.reason, error.code = info.reason or kind.reason, code
    if isinstance(error, errors.QueueFullError):
        stated = retry.HasField("retry_delay")
        error.retry_after = retry.retry_delay.ToTimedelta().total_seconds() if stated else None
    return error


@contextmanager
def translated() -> Iterator[None]:
    """Raise the typed error for whatever gRPC raises inside."""
    try:
        yield
    except grpc.RpcError as failed:
        raise translate(failed) from failed
