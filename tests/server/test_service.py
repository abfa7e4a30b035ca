"""The service without any protocol: whole audio, streams, and who is let in."""

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from auricle.audio import iter_audio
from auricle_server import ServerConfig
from auricle_server.incoming import IncomingAudio, RecognitionTask
from auricle_server.middleware.admission import Admission
from auricle_server.middleware.call import Call
from auricle_server.middleware.telemetry import Telemetry
from auricle_server.service import SpeechService
from auricle_types.errors import (
    EngineStoppedError,
    QueueFullError,
    StreamIdleError,
    UnknownModelError,
)
from auricle_types.events import Event, FinalTranscript
from auricle_types.options import DecodingOptions
from tests.server.fakes import FakeIncoming, FakeRecognizer, wav
from tests.server.messages import soon, until

TASK = RecognitionTask(DecodingOptions())
CONFIG = ServerConfig(max_requests=1, max_open_requests=3, stream_idle_seconds=1000)
counted: list[tuple[str, str]] = []


@pytest.fixture
def admission() -> Admission:
    return Admission(CONFIG)


@pytest.fixture
async def service(recognizer: FakeRecognizer, admission: Admission) -> AsyncIterator[SpeechService]:
    counted.clear()
    with ThreadPoolExecutor(1) as pool:
        yield SpeechService(
            recognizer,
            CONFIG,
            admission=admission,
            telemetry=Telemetry(lambda method, code, seconds: counted.append((method, code))),
            pool=pool,
            decode=partial(iter_audio, limits=CONFIG.audio_limits),
        )


def call_of(peer: str = "ipv4:10.0.0.1:7") -> Call:
    return Call.starting("Test", peer, 50.0)


def said(audio: bytes) -> FakeIncoming:
    return FakeIncoming(TASK, [audio])


async def streamed(service: SpeechService, incoming: IncomingAudio) -> list[Event]:
    return [event async for event in service.stream(incoming, call_of())]


async def test_a_stream_ends_with_what_the_whole_gives(service: SpeechService) -> None:
    call = call_of()
    whole = await soon(service.recognize(said(wav(2.5)), call))
    *segments, last = await soon(streamed(service, said(wav(2.5))))
    assert last == FinalTranscript(whole)
    assert len(segments) == len(whole.segments) == 3
    assert call.facts["audio_seconds"] == 2.5


async def test_a_stream_takes_a_place_with_its_first_audio(
    service: SpeechService, admission: Admission
) -> None:
    incoming = FakeIncoming(None, [], endless=True)
    stream = asyncio.ensure_future(streamed(service, incoming))
    await incoming.asked("task")
    assert (admission.open, admission.active) == (1, 0)
    incoming.say(TASK)
    await incoming.asked("chunk")
    assert (admission.open, admission.active) == (1, 0)
    assert (await soon(service.recognize(said(wav(0.5)), call_of()))).text
    incoming.say(wav(2.5)[:-2])
    await until(lambda: admission.active == 1)
    with pytest.raises(QueueFullError, match="1 requests are in progress"):
        await service.recognize(said(wav(0.5)), call_of())
    incoming.say(b"")
    assert isinstance((await soon(stream))[-1], FinalTranscript)
    assert (admission.open, admission.active) == (0, 0)


@pytest.mark.parametrize("said", [[], [TASK], [TASK, wav(0.5)[:-2]]], ids=len)
@pytest.mark.parametrize("method", ["stream", "recognize"])
async def test_a_client_that_sends_nothing_is_not_waited_for(
    recognizer: FakeRecognizer, said: list[RecognitionTask | bytes], method: str
) -> None:
    config = ServerConfig(stream_idle_seconds=0.05)
    admission = Admission(config)
    with ThreadPoolExecutor(1) as pool:
        telemetry = Telemetry(lambda *_: None)
        service = SpeechService(
            recognizer,
            config,
            admission=admission,
            telemetry=telemetry,
            pool=pool,
            decode=partial(iter_audio, limits=config.audio_limits),
        )
        incoming = FakeIncoming(None, [], endless=True)
        for each in said:
            incoming.say(each)
        work = (
            streamed(service, incoming)
            if method == "stream"
            else service.recognize(incoming, call_of())
        )
        with pytest.raises(StreamIdleError, match=r"0\.05 s; begin again"):
            await soon(work)
    assert (admission.open, admission.active) == (0, 0)


def test_a_name_of_any_length_comes_back_short_and_on_one_line(service: SpeechService) -> None:
    with pytest.raises(
        UnknownModelError, match=r"^unknown model 'x\\nxxx.{90,}\.\.\.; this"
    ) as caught:
        service.check_model("x\n" + "x" * 1_000_000)
    assert len(str(caught.value)) < 200


async def test_a_model_that_is_unknown_is_refused_before_any_audio(service: SpeechService) -> None:
    task = RecognitionTask(DecodingOptions(), model="large")
    with pytest.raises(UnknownModelError):
        await soon(streamed(service, FakeIncoming(task, [], endless=True)))
    with pytest.raises(UnknownModelError):
        await soon(service.recognize(FakeIncoming(task, []), call_of()))


async def test_the_deadline_reaches_the_recogniser(
    service: SpeechService, recognizer: FakeRecognizer
) -> None:
    call = call_of()
    await soon(service.recognize(said(wav(0.5)), call))
    assert recognizer.submitted[0][2] == call.deadline is not None


def test_an_unknown_model_is_refused_with_those_there_are(service: SpeechService) -> None:
    for name in ("", "fake", "fake-1"):
        service.check_model(name)
    with pytest.raises(UnknownModelError, match=r"'large'.*fake-1, fake"):
        service.check_model("large")


async def test_waiting_streams_are_limited_too(service: SpeechService) -> None:
    silent = [FakeIncoming(None, [], endless=True) for _ in range(3)]
    streams = [asyncio.ensure_future(streamed(service, each)) for each in silent]
    for each in silent:
        await each.asked("task")
    with pytest.raises(QueueFullError, match="3 requests are open"):
        await service.recognize(said(wav(0.5)), call_of())
    for stream in streams:
        stream.cancel()
    await asyncio.gather(*streams, return_exceptions=True)
    assert (await soon(service.recognize(said(wav(0.5)), call_of()))).text


async def test_nobody_is_let_in_while_the_server_drains(
    service: SpeechService, admission: Admission
) -> None:
    service.check_open()
    admission.close()
    with pytest.raises(EngineStoppedError):
        service.check_open()
    with pytest.raises(EngineStoppedError):
        await service.recognize(said(wav(0.5)), call_of())


def test_every_call_is_counted_with_its_code(service: SpeechService) -> None:
    with service.recorded(Call("Good", "peer")):
        pass
    failed = Call("Bad", "peer")
    with service.recorded(failed):
        failed.fail("NOT_FOUND", "UNKNOWN_MODEL")
    assert counted == [("Good", "OK"), ("Bad", "NOT_FOUND")]
    assert failed.facts == {"reason": "UNKNOWN_MODEL"}
