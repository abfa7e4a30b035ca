"""The service without any protocol: whole audio, streams, and who is let in."""

import io
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from auricle.session import FinalTranscript
from auricle_server import ServerConfig
from auricle_server.middleware.admission import Admission
from auricle_server.middleware.call import Call
from auricle_server.middleware.telemetry import Telemetry
from auricle_server.service import SpeechService, Task
from auricle_types.errors import EngineStoppedError, QueueFullError, UnknownModelError
from auricle_types.options import DecodingOptions
from tests.server.fakes import FakeRecognizer, wav
from tests.server.messages import soon

TASK = Task(DecodingOptions())
counted: list[tuple[str, str]] = []


@pytest.fixture
def admission() -> Admission:
    return Admission(1)


@pytest.fixture
def service(recognizer: FakeRecognizer, admission: Admission) -> Iterator[SpeechService]:
    counted.clear()
    with ThreadPoolExecutor(1) as pool:
        yield SpeechService(
            recognizer,
            ServerConfig(),
            admission=admission,
            telemetry=Telemetry(lambda method, code, seconds: counted.append((method, code))),
            pool=pool,
        )


async def test_a_stream_ends_with_what_the_whole_gives(service: SpeechService) -> None:
    call = Call.starting("Test", "peer", 50.0)
    whole = await soon(service.recognize(wav(2.5), TASK, call))
    *segments, last = [each async for each in service.stream(io.BytesIO(wav(2.5)), TASK, call)]
    assert last == FinalTranscript(whole)
    assert len(segments) == len(whole.segments) == 3
    assert call.facts["audio_seconds"] == 2.5


async def test_the_deadline_reaches_the_recogniser(
    service: SpeechService, recognizer: FakeRecognizer
) -> None:
    call = Call.starting("Test", "peer", 50.0)
    await soon(service.recognize(wav(0.5), TASK, call))
    assert recognizer.submitted[0][2] == call.deadline is not None


def test_an_unknown_model_is_refused_with_those_there_are(service: SpeechService) -> None:
    for name in ("", "fake", "fake-1"):
        service.check_model(name)
    with pytest.raises(UnknownModelError, match=r"'large'.*fake-1, fake"):
        service.check_model("large")


def test_no_more_are_let_in_than_may_be(service: SpeechService, admission: Admission) -> None:
    with service.admitted(), pytest.raises(QueueFullError), service.admitted():
        pass
    service.check_open()
    admission.close()
    with pytest.raises(EngineStoppedError):
        service.check_open()


def test_every_call_is_counted_with_its_code(service: SpeechService) -> None:
    with service.recorded(Call("Good", "peer")):
        pass
    failed = Call("Bad", "peer")
    with service.recorded(failed):
        failed.fail("NOT_FOUND", "UNKNOWN_MODEL")
    assert counted == [("Good", "OK"), ("Bad", "NOT_FOUND")]
    assert failed.facts == {"reason": "UNKNOWN_MODEL"}
