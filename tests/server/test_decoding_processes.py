"""What breaks while audio is decoded costs its request, never the server."""

import gc
from collections.abc import AsyncIterable, AsyncIterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from grpc import aio

from auricle.audio.processes import DecoderPool
from auricle_proto.v1 import speech_pb2 as pb
from auricle_proto.v1.speech_pb2_grpc import SpeechStub
from auricle_server import ServerConfig, SpeechServer, listeners
from tests.asr.audio.scripted_decoders import scripted
from tests.asr.audio_files import encoded
from tests.server.fakes import FakeRecognizer
from tests.server.messages import refused, soon, streams, until

if TYPE_CHECKING:
    from auricle_proto.v1.speech_pb2_grpc import SpeechAsyncStub  # exists as a type only

Code = grpc.StatusCode
SPEECH = encoded("pcm16.flac", 2.0)


@pytest.fixture
async def server(
    recognizer: FakeRecognizer, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[SpeechServer]:
    monkeypatch.setattr(listeners, "DecoderPool", partial(DecoderPool, build=scripted))
    async with SpeechServer(recognizer, ServerConfig(port=0, drain_seconds=0)) as server:
        yield server
    assert server._decoders.pids == []


async def is_served(stub: "SpeechAsyncStub") -> bool:
    response = await soon(stub.Recognize(pb.RecognizeRequest(audio=SPEECH)))
    return bool(response.transcript.text)


async def last_of(events: AsyncIterable[pb.StreamingRecognizeResponse]) -> bool:
    """Whether the last event is a transcript."""
    return [event async for event in events][-1].HasField("transcript")


@pytest.mark.parametrize("deed", [b"crash", b"eat"])
async def test_a_decoder_that_breaks_fails_its_request(
    deed: bytes, stub: "SpeechAsyncStub"
) -> None:
    start: Any = stub.StreamingRecognize  # its type requires requests
    other = start()
    for request in streams([SPEECH[: len(SPEECH) // 2]]):
        await other.write(request)
    refusal = await refused(stub.Recognize(pb.RecognizeRequest(audio=deed)))
    assert (refusal.code, refusal.reason) == (Code.INVALID_ARGUMENT, "DECODER_CRASHED")
    assert "convert it to WAV or FLAC" in refusal.message
    await other.write(pb.StreamingRecognizeRequest(audio=SPEECH[len(SPEECH) // 2 :]))
    await other.done_writing()
    assert await soon(last_of(other))
    assert await is_served(stub)


async def test_an_error_that_nobody_foresaw_is_an_incident(stub: "SpeechAsyncStub") -> None:
    refusal = await refused(stub.Recognize(pb.RecognizeRequest(audio=b"err")))
    assert (refusal.code, refusal.reason) == (Code.INTERNAL, "INTERNAL")
    assert "nobody foresaw" not in refusal.message
    assert await is_served(stub)


async def test_a_decoder_that_hangs_is_killed_when_the_deadline_passes(
    server: SpeechServer, stub: "SpeechAsyncStub"
) -> None:
    assert await is_served(stub)
    [pid] = server._decoders.pids
    refusal = await refused(stub.Recognize(pb.RecognizeRequest(audio=b"hang"), timeout=0.5))
    assert refusal.code is Code.DEADLINE_EXCEEDED
    assert await is_served(stub)
    await until(lambda: pid not in server._decoders.pids)


async def test_a_decoder_that_hangs_is_killed_when_the_caller_leaves(
    server: SpeechServer, stub: "SpeechAsyncStub"
) -> None:
    assert await is_served(stub)
    [pid] = server._decoders.pids
    call = stub.Recognize(pb.RecognizeRequest(audio=b"hang"))
    await until(lambda: ") T " in Path(f"/proc/{pid}/stat").read_text())
    call.cancel()
    assert await is_served(stub)
    await until(lambda: pid not in server._decoders.pids)


async def test_a_caller_that_leaves_between_two_pieces_frees_the_process(
    server: SpeechServer, stub: "SpeechAsyncStub", recognizer: FakeRecognizer
) -> None:
    recognizer.hold = True
    call = stub.Recognize(pb.RecognizeRequest(audio=encoded("pcm16.flac", 60.0)))
    await until(lambda: len(recognizer.futures) == 16)  # no more are in flight
    [process] = server._decoders._processes
    assert process.taken
    gc.disable()
    try:
        call.cancel()
        await until(lambda: not process.taken)
    finally:
        gc.enable()


async def test_a_server_without_processes_decodes_by_itself(recognizer: FakeRecognizer) -> None:
    config = ServerConfig(port=0, decoder_processes=0)
    async with (
        SpeechServer(recognizer, config) as server,
        aio.insecure_channel(f"127.0.0.1:{server.port}") as channel,
    ):
        assert await is_served(SpeechStub(channel))
        assert server._decoders.pids == []
