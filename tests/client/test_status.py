"""Statuses to errors: by reason, by code, and when what comes makes no sense."""

import grpc
import pytest
from google.protobuf.any_pb2 import Any
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2
from grpc import aio

from auricle_client.status import translate
from auricle_types import errors

Code = grpc.StatusCode
DECLARED = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, errors.AuricleError)
]


def failed(code: grpc.StatusCode, *details: Message, message: str = "why") -> aio.AioRpcError:
    status = status_pb2.Status()
    for detail in details:
        wrapped = Any()
        wrapped.Pack(detail)
        status.details.append(wrapped)
    metadata = aio.Metadata(("grpc-status-details-bin", status.SerializeToString()))
    return aio.AioRpcError(code, aio.Metadata(), metadata, message, None)


@pytest.mark.parametrize("kind", DECLARED, ids=lambda kind: kind.__name__)
def test_each_class_comes_back_as_the_server_raised_it(kind: type[errors.AuricleError]) -> None:
    details = [error_details_pb2.ErrorInfo(reason=kind.reason)]
    error = translate(failed(Code.UNKNOWN, *details))
    assert (type(error), error.reason, error.code) == (kind, kind.reason, Code.UNKNOWN)


def test_the_reason_decides_whatever_the_code() -> None:
    info = error_details_pb2.ErrorInfo(reason="EMPTY_AUDIO", domain="auricle")
    error = translate(failed(Code.UNKNOWN, info))
    assert type(error) is errors.EmptyAudioError
    assert (error.reason, error.code, str(error)) == ("EMPTY_AUDIO", Code.UNKNOWN, "why")


def test_an_unknown_reason_is_kept_and_the_code_decides() -> None:
    info = error_details_pb2.ErrorInfo(reason="OF_A_LATER_VERSION", domain="auricle")
    error = translate(failed(Code.INVALID_ARGUMENT, info))
    assert type(error) is errors.InvalidRequestError
    assert error.reason == "OF_A_LATER_VERSION"


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (Code.UNAVAILABLE, errors.ServerUnavailableError),
        (Code.DEADLINE_EXCEEDED, errors.DeadlineExceededError),
        (Code.CANCELLED, errors.RequestCancelledError),
        (Code.RESOURCE_EXHAUSTED, errors.QueueFullError),
        (Code.INVALID_ARGUMENT, errors.InvalidRequestError),
        (Code.UNIMPLEMENTED, errors.InvalidRequestError),
        (Code.NOT_FOUND, errors.UnknownModelError),
        (Code.INTERNAL, errors.ServerError),
        (Code.DATA_LOSS, errors.AuricleError),
    ],
    ids=str,
)
def test_without_a_reason_the_code_decides(
    code: grpc.StatusCode, kind: type[errors.AuricleError]
) -> None:
    error = translate(failed(code))
    assert type(error) is kind
    assert error.reason == kind.reason


def test_the_transports_size_limit_is_about_the_audio() -> None:
    message = "CLIENT: Received message larger than max (5 vs. 4)"
    error = translate(failed(Code.RESOURCE_EXHAUSTED, message=message))
    assert type(error) is errors.AudioTooLargeError


def test_retry_after() -> None:
    retry = error_details_pb2.RetryInfo(retry_delay=Duration(seconds=2, nanos=500_000_000))
    info = error_details_pb2.ErrorInfo(reason="QUEUE_FULL")
    error = translate(failed(Code.RESOURCE_EXHAUSTED, info, retry))
    assert isinstance(error, errors.QueueFullError)
    assert error.retry_after == 2.5


def test_details_that_are_not_ours_are_left_alone() -> None:
    help_detail = error_details_pb2.Help()
    error = translate(failed(Code.RESOURCE_EXHAUSTED, help_detail))
    assert isinstance(error, errors.QueueFullError)
    assert error.retry_after is None


def test_details_that_are_no_status() -> None:
    metadata = aio.Metadata(("grpc-status-details-bin", b"\xff\xff\xff"), ("other", "x"))
    error = translate(aio.AioRpcError(Code.INTERNAL, aio.Metadata(), metadata, "why", None))
    assert type(error) is errors.ServerError


def test_a_status_without_a_message_still_says_something() -> None:
    assert str(translate(failed(Code.ABORTED, message=""))) == "ABORTED"


def test_errors_made_here_have_no_code() -> None:
    error = errors.AudioNotFoundError("no file")
    assert (error.reason, error.code) == ("AUDIO_NOT_FOUND", None)
