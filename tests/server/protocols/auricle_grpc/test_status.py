"""Each error has its status."""

import logging
from collections.abc import Iterator
from urllib.parse import quote

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2

from auricle_server.protocols.auricle_grpc.status import failure_of
from auricle_types import errors

Code = grpc.StatusCode

EXPECTED = {  # all others are INTERNAL: they are not the caller's doing
    errors.AudioError: Code.INVALID_ARGUMENT,
    errors.AudioNotFoundError: Code.INVALID_ARGUMENT,
    errors.EmptyAudioError: Code.INVALID_ARGUMENT,
    errors.UnsupportedAudioError: Code.INVALID_ARGUMENT,
    errors.DecoderCrashedError: Code.INVALID_ARGUMENT,
    errors.InvalidSampleRateError: Code.INVALID_ARGUMENT,
    errors.InvalidSamplesError: Code.INVALID_ARGUMENT,
    errors.AudioTooLongError: Code.INVALID_ARGUMENT,
    errors.AudioTooLargeError: Code.INVALID_ARGUMENT,
    errors.UnknownModelError: Code.NOT_FOUND,
    errors.QueueFullError: Code.RESOURCE_EXHAUSTED,
    errors.DeadlineExceededError: Code.DEADLINE_EXCEEDED,
    errors.StreamIdleError: Code.DEADLINE_EXCEEDED,
    errors.EngineStoppedError: Code.UNAVAILABLE,
    errors.InvalidOptionError: Code.INVALID_ARGUMENT,
    errors.InvalidRequestError: Code.INVALID_ARGUMENT,
    errors.ServerUnavailableError: Code.UNAVAILABLE,
    errors.RequestCancelledError: Code.CANCELLED,
}


def tree(root: type[errors.AuricleError]) -> Iterator[type[errors.AuricleError]]:
    yield root
    for child in root.__subclasses__():
        yield from tree(child)


@pytest.mark.parametrize("error", [*tree(errors.AuricleError)], ids=lambda error: error.__name__)
def test_code_reason_and_message(error: type[errors.AuricleError]) -> None:
    failure = failure_of(error("what happened"))
    assert failure.code is EXPECTED.get(error, Code.INTERNAL)
    assert failure.reason == error.reason
    is_about_the_request = issubclass(
        error, errors.AudioError | errors.InvalidRequestError | errors.RequestError
    )
    assert (failure.message == "what happened") is is_about_the_request


def test_what_went_wrong_with_the_servers_files_stays_in_its_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    failure = failure_of(errors.StorageError("/srv/secret/cache: no space left"))
    assert (failure.code, failure.reason) == (Code.INTERNAL, "STORAGE_FAILED")
    assert "secret" not in failure.message
    assert failure.metadata["incident"] in failure.message
    assert "/srv/secret/cache" in caplog.text


def test_control_characters_are_escaped() -> None:
    failure = failure_of(errors.UnsupportedAudioError("it begins with \x1b[2J\n"))
    assert failure.message == r"it begins with \x1b[2J\n"


def sent(error: Exception) -> status_pb2.Status:
    """The google.rpc.Status in the trailing metadata."""
    ((key, value),) = failure_of(error).trailing_metadata
    assert key == "grpc-status-details-bin"
    assert isinstance(value, bytes)
    return status_pb2.Status.FromString(value)


@pytest.mark.parametrize("name", ["x" * 100_000, "\N{SNOWMAN}" * 100_000, "\U000e0001" * 100_000])
def test_what_the_caller_sent_cannot_outgrow_the_trailers(name: str) -> None:
    failure = failure_of(errors.UnknownModelError(f"unknown model {name}"))
    ((_, details),) = failure.trailing_metadata
    assert len(quote(failure.message)) + len(details) * 4 / 3 < 8192  # as gRPC sends them
    assert failure.message.startswith("unknown model ")
    assert failure.message.endswith("...")


def test_the_trailers_repeat_the_status() -> None:
    status = sent(errors.EmptyAudioError("no samples"))
    assert (status.code, status.message) == (Code.INVALID_ARGUMENT.value[0], "no samples")


def test_only_a_full_queue_has_retry_info() -> None:
    def kinds(error: Exception) -> list[str]:
        return [detail.TypeName() for detail in sent(error).details]

    assert kinds(errors.EmptyAudioError("")) == ["google.rpc.ErrorInfo"]
    assert kinds(errors.QueueFullError("")) == ["google.rpc.ErrorInfo", "google.rpc.RetryInfo"]


@pytest.mark.parametrize("seconds", [0.25, 1.0, 90.5])
def test_the_engines_hint_crosses_the_wire(seconds: float) -> None:
    retry = error_details_pb2.RetryInfo()
    sent(errors.QueueFullError("full", retry_after=seconds)).details[1].Unpack(retry)
    assert retry.retry_delay.ToTimedelta().total_seconds() == seconds


def test_an_unexpected_error_gets_an_incident_of_its_own(
    caplog: pytest.LogCaptureFixture,
) -> None:
    failures = [failure_of(KeyError("inside")) for _ in range(2)]
    incidents = [failure.metadata["incident"] for failure in failures]
    assert len(set(incidents)) == 2
    for failure, incident in zip(failures, incidents, strict=True):
        assert failure.code is Code.INTERNAL
        assert incident in failure.message
        assert "inside" not in failure.message
        assert incident in caplog.text
    assert caplog.records[0].levelno == logging.ERROR


def test_the_incident_crosses_the_wire() -> None:
    info = error_details_pb2.ErrorInfo()
    sent(KeyError("inside")).details[0].Unpack(info)
    assert (info.reason, info.domain) == ("INTERNAL", "auricle")
    assert info.metadata["incident"]
