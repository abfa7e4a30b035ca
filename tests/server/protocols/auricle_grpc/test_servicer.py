"""Every RPC over the loopback, with a fake recogniser and the real audio readers."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration
from google.rpc import error_details_pb2
from grpc import aio

from auricle_proto.v1 import speech_pb2 as pb
from auricle_proto.v1.speech_pb2_grpc import SpeechStub
from auricle_server import ServerConfig, SpeechServer
from auricle_types.errors import DeadlineExceededError, EngineStoppedError, InferenceError
from tests.server.fakes import FakeRecognizer, wav
from tests.server.messages import Refusal, chunked, refused, soon, streams, until, uploads

if TYPE_CHECKING:
    from auricle_proto.v1.speech_pb2_grpc import SpeechAsyncStub

Code = grpc.StatusCode
SPEECH = wav(2.5)  # three pieces of the fake segmenter
TEXT = "level 250 beam 1"


async def streamed(
    stub: "SpeechAsyncStub", requests: Sequence[pb.StreamingRecognizeRequest]
) -> list[pb.StreamingRecognizeResponse]:
    async def all_of() -> list[pb.StreamingRecognizeResponse]:
        return [response async for response in stub.StreamingRecognize(iter(requests))]

    return await soon(all_of())


async def every_refusal(
    stub: "SpeechAsyncStub", audio: bytes, config: pb.RecognitionConfig | None = None
) -> list[Refusal]:
    """What the three RPCs that take audio say to it."""
    whole = pb.RecognizeRequest(config=config, audio=audio)
    return [
        await refused(stub.Recognize(whole)),
        await refused(stub.Upload(iter(uploads(chunked(audio), config)))),
        await refused(streamed(stub, streams(chunked(audio), config))),
    ]


# --- answers -----------------------------------------------------------------------------------


async def test_recognize_answers_with_every_field(stub: "SpeechAsyncStub") -> None:
    response = await stub.Recognize(pb.RecognizeRequest(audio=SPEECH))
    transcript = response.transcript
    assert transcript.text == f"{TEXT} {TEXT} {TEXT}"
    assert [segment.start for segment in transcript.segments] == [
        Duration(),
        Duration(seconds=1),
        Duration(seconds=2),
    ]
    assert transcript.segments[2].end == Duration(seconds=2, nanos=500_000_000)
    assert transcript.confidence == 0.5
    assert transcript.duration == Duration(seconds=2, nanos=500_000_000)
    assert transcript.receipt == pb.Receipt(
        model_id="fake-1",
        queue=Duration(nanos=250_000_000),
        encode=Duration(nanos=500_000_000),
        decode=Duration(nanos=750_000_000),
        batch_size=3,
        padding_ratio=0.125,
        tokens=21,  # of three pieces
        guards=["rate"],
    )


@pytest.mark.parametrize("size", [1, 7, 1600, 1_000_000])
async def test_upload_answers_like_recognize(stub: "SpeechAsyncStub", size: int) -> None:
    audio = wav(0.02) if size < 100 else SPEECH
    whole = await stub.Recognize(pb.RecognizeRequest(audio=audio))
    parts = await soon(stub.Upload(iter(uploads(chunked(audio, size)))))
    assert parts == whole


async def test_stream_gives_segments_then_the_transcript(stub: "SpeechAsyncStub") -> None:
    *segments, last = await streamed(stub, streams(chunked(SPEECH)))
    whole = await stub.Recognize(pb.RecognizeRequest(audio=SPEECH))
    assert last.transcript == whole.transcript
    assert [response.segment for response in segments] == list(whole.transcript.segments)


async def test_stream_gives_a_segment_before_the_audio_ends(stub: "SpeechAsyncStub") -> None:
    call = stub.StreamingRecognize(None)  # to be written to
    for request in streams(chunked(wav(10)[: 2 * 16_000 * 2])):
        await call.write(request)
    first = await soon(call.read())
    assert isinstance(first, pb.StreamingRecognizeResponse)
    assert first.segment.text == TEXT
    call.cancel()


async def test_headerless_audio_is_read_as_stated(stub: "SpeechAsyncStub") -> None:
    config = pb.RecognitionConfig(
        encoding=pb.AUDIO_ENCODING_S16LE, sample_rate_hertz=8_000, channels=2
    )
    response = await stub.Recognize(pb.RecognizeRequest(audio=bytes(32_000), config=config))
    assert response.transcript.duration == Duration(seconds=1)


async def test_options_and_deadline_reach_the_recognizer(
    stub: "SpeechAsyncStub", recognizer: FakeRecognizer
) -> None:
    decoding = pb.DecodingOptions(beam_size=4, max_tokens=9, length_penalty=0.5)
    config = pb.RecognitionConfig(decoding=decoding)
    before = time.monotonic()
    await stub.Recognize(pb.RecognizeRequest(audio=wav(0.5), config=config), timeout=50)
    ((_, options, deadline),) = recognizer.submitted
    assert (options.beam_size, options.max_tokens, options.length_penalty) == (4, 9, 0.5)
    assert deadline is not None
    assert before < deadline < time.monotonic() + 51


async def test_without_a_deadline_the_recognizer_gets_none(
    stub: "SpeechAsyncStub", recognizer: FakeRecognizer
) -> None:
    await stub.Recognize(pb.RecognizeRequest(audio=wav(0.5)))
    assert recognizer.submitted[0][2] is None


@pytest.mark.parametrize("name", ["", "fake", "fake-1"])
async def test_the_model_may_be_named(stub: "SpeechAsyncStub", name: str) -> None:
    config = pb.RecognitionConfig(model=name)
    response = await stub.Recognize(pb.RecognizeRequest(audio=SPEECH, config=config))
    assert response.transcript.receipt.model_id == "fake-1"


async def test_list_models(stub: "SpeechAsyncStub") -> None:
    response = await stub.ListModels(pb.ListModelsRequest())
    window = Duration(seconds=20)
    assert list(response.models) == [
        pb.Model(
            id="fake-1", name="fake", language="en", window=window, device="cpu", dtype="float32"
        )
    ]


async def test_a_full_server_still_lists_its_models(
    single: "SpeechAsyncStub", recognizer: FakeRecognizer
) -> None:
    recognizer.hold = True
    call = single.Recognize(pb.RecognizeRequest(audio=SPEECH))
    assert await asyncio.to_thread(recognizer.came.wait, 20)
    assert (
        await refused(single.Recognize(pb.RecognizeRequest(audio=SPEECH)))
    ).reason == "QUEUE_FULL"
    assert (await single.ListModels(pb.ListModelsRequest())).models[0].id == "fake-1"
    call.cancel()


async def test_a_truncated_file_is_recognised_with_a_warning(stub: "SpeechAsyncStub") -> None:
    response = await stub.Upload(iter(uploads(chunked(SPEECH[:40_000]))))
    assert response.transcript.text
    assert response.transcript.warnings


async def test_sixteen_callers_get_what_one_gets(stub: "SpeechAsyncStub") -> None:
    audios = [wav(0.5 + index / 4, level=(index + 1) / 20) for index in range(16)]
    alone = [await stub.Recognize(pb.RecognizeRequest(audio=audio)) for audio in audios]
    together = await soon(
        asyncio.gather(*(stub.Upload(iter(uploads(chunked(audio)))) for audio in audios))
    )
    assert together == alone
    assert len({response.transcript.text for response in together}) == 16


async def test_a_long_recording_waits_for_its_own_pieces(
    stub: "SpeechAsyncStub", recognizer: FakeRecognizer
) -> None:
    recognizer.hold = True
    call = asyncio.ensure_future(stub.Recognize(pb.RecognizeRequest(audio=wav(8))))
    for index in range(8):
        await until(lambda index=index: len(recognizer.futures) > index)  # type: ignore[misc]
        assert recognizer.pending <= 3  # the config's max_pieces_in_flight
        recognizer.finish(index)
    assert len((await soon(call)).transcript.segments) == 8


# --- refusals: the request ---------------------------------------------------------------------


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clients on a busy machine may take long to send the rest of what is refused already."""
    monkeypatch.setattr("auricle_server.protocols.auricle_grpc.inbox.LINGER_SECONDS", 60.0)


async def test_unknown_model(stub: "SpeechAsyncStub") -> None:
    for refusal in await every_refusal(stub, SPEECH, pb.RecognitionConfig(model="large")):
        assert (refusal.code, refusal.reason) == (Code.NOT_FOUND, "UNKNOWN_MODEL")
        assert refusal.info.domain == "auricle"
        assert "large" in refusal.message
        assert "fake" in refusal.message


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (pb.RecognitionConfig(decoding=pb.DecodingOptions(beam_size=0)), "INVALID_OPTION"),
        (pb.RecognitionConfig(decoding=pb.DecodingOptions(max_tokens=-1)), "INVALID_OPTION"),
        (
            pb.RecognitionConfig(decoding=pb.DecodingOptions(length_penalty=float("nan"))),
            "INVALID_OPTION",
        ),
        (pb.RecognitionConfig(encoding=pb.AUDIO_ENCODING_ALAW), "INVALID_OPTION"),
        (pb.RecognitionConfig(channels=-1), "INVALID_OPTION"),
        (pb.RecognitionConfig.FromString(b"\x10\x63"), "INVALID_REQUEST"),  # encoding: 99
        (
            pb.RecognitionConfig(encoding=pb.AUDIO_ENCODING_S16LE, sample_rate_hertz=5),
            "INVALID_SAMPLE_RATE",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_bad_options(
    stub: "SpeechAsyncStub", wrong: pb.RecognitionConfig, reason: str
) -> None:
    audio = bytes(32_000) if wrong.sample_rate_hertz else SPEECH
    for refusal in await every_refusal(stub, audio, wrong):
        assert (refusal.code, refusal.reason) == (Code.INVALID_ARGUMENT, reason)


@pytest.mark.parametrize(
    ("audio", "reason"),
    [
        (b"", "EMPTY_AUDIO"),
        (wav(0), "EMPTY_AUDIO"),
        (b"To be, or not to be: that is the question. " * 50, "UNSUPPORTED_AUDIO"),
        (wav(31), "AUDIO_TOO_LONG"),
    ],
    ids=["no bytes", "no samples", "text", "too long"],
)
@pytest.mark.usefixtures("patient")
async def test_bad_audio(stub: "SpeechAsyncStub", audio: bytes, reason: str) -> None:
    for refusal in await every_refusal(stub, audio):
        assert (refusal.code, refusal.reason) == (Code.INVALID_ARGUMENT, reason)


@pytest.mark.usefixtures("patient")
async def test_audio_over_the_limit_in_bytes(stub: "SpeechAsyncStub") -> None:
    config = pb.RecognitionConfig(
        encoding=pb.AUDIO_ENCODING_S16LE, sample_rate_hertz=48_000, channels=2
    )
    for refusal in await every_refusal(stub, bytes(1_600_000), config):
        assert (refusal.code, refusal.reason) == (Code.INVALID_ARGUMENT, "AUDIO_TOO_LARGE")


async def test_no_messages_at_all(stub: "SpeechAsyncStub") -> None:
    for refusal in (
        await refused(stub.Upload(iter([]))),
        await refused(streamed(stub, [])),
    ):
        assert (refusal.code, refusal.reason) == (Code.INVALID_ARGUMENT, "INVALID_REQUEST")
        assert "config first" in refusal.message


@pytest.mark.parametrize("first", [{"audio": SPEECH}, {}], ids=["audio", "nothing"])
async def test_the_config_must_come_first(stub: "SpeechAsyncStub", first: dict[str, Any]) -> None:
    for refusal in (
        await refused(stub.Upload(iter([pb.UploadRequest(**first), *uploads([])]))),
        await refused(streamed(stub, [pb.StreamingRecognizeRequest(**first), *streams([])])),
    ):
        assert (refusal.code, refusal.reason) == (Code.INVALID_ARGUMENT, "INVALID_REQUEST")
        assert "before any audio" in refusal.message


@pytest.mark.parametrize("audio", [SPEECH, wav(2.5)[44:]], ids=["WAV", "headerless"])
async def test_a_second_config_is_refused_though_a_decoder_may_hide_it(
    stub: "SpeechAsyncStub", audio: bytes
) -> None:
    config = pb.RecognitionConfig(encoding=pb.AUDIO_ENCODING_S16LE, sample_rate_hertz=16_000)
    some = chunked(audio)
    upload = uploads(some[:9], config) + uploads(some[9:], config)
    stream = streams(some[:9], config) + streams(some[9:], config)
    for refusal in (
        await refused(stub.Upload(iter(upload))),
        await refused(streamed(stub, stream)),
    ):
        assert (refusal.code, refusal.reason) == (Code.INVALID_ARGUMENT, "INVALID_REQUEST")
        assert "twice" in refusal.message


async def test_a_message_without_payload_is_refused(stub: "SpeechAsyncStub") -> None:
    requests = [*uploads(chunked(SPEECH)[:9]), pb.UploadRequest()]
    refusal = await refused(stub.Upload(iter(requests)))
    assert (refusal.code, refusal.reason) == (Code.INVALID_ARGUMENT, "INVALID_REQUEST")


@pytest.mark.parametrize("compression", [grpc.Compression.Gzip, grpc.Compression.Deflate])
async def test_a_compressed_message_is_refused_before_it_is_expanded(
    stub: "SpeechAsyncStub", recognizer: FakeRecognizer, compression: grpc.Compression
) -> None:
    request = pb.RecognizeRequest(audio=bytes(1_000_000))
    refusal = await refused(stub.Recognize(request, compression=compression))
    assert refusal.code is Code.UNIMPLEMENTED
    assert "is disabled" in refusal.message
    assert recognizer.submitted == []


async def test_a_message_over_the_limit_is_refused_by_the_transport(
    stub: "SpeechAsyncStub", recognizer: FakeRecognizer
) -> None:
    refusal = await refused(stub.Recognize(pb.RecognizeRequest(audio=bytes(17 * 1024 * 1024))))
    assert refusal.code is Code.RESOURCE_EXHAUSTED
    assert refusal.reason == ""
    assert recognizer.submitted == []


# --- refusals: the recogniser ------------------------------------------------------------------


async def test_a_full_queue_says_when_to_come_back(
    stub: "SpeechAsyncStub", recognizer: FakeRecognizer
) -> None:
    recognizer.room, recognizer.retry_after = 0, 2.5
    for refusal in await every_refusal(stub, SPEECH):
        assert (refusal.code, refusal.reason) == (Code.RESOURCE_EXHAUSTED, "QUEUE_FULL")
        delay = refusal.detail(error_details_pb2.RetryInfo()).retry_delay
        assert delay == Duration(seconds=2, nanos=500_000_000)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (EngineStoppedError("stopped"), Code.UNAVAILABLE),
        (DeadlineExceededError("late"), Code.DEADLINE_EXCEEDED),
        (InferenceError("not finite"), Code.INTERNAL),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
@pytest.mark.parametrize("attribute", ["error", "future_error"])
async def test_what_the_recognizer_raises(
    stub: "SpeechAsyncStub",
    recognizer: FakeRecognizer,
    attribute: str,
    error: Exception,
    code: grpc.StatusCode,
) -> None:
    setattr(recognizer, attribute, error)
    for refusal in await every_refusal(stub, SPEECH):
        assert refusal.code is code
        assert refusal.message == str(error)
        assert refusal.detail(error_details_pb2.RetryInfo()) == error_details_pb2.RetryInfo()


async def test_an_unexpected_error_is_internal_and_the_server_serves_on(
    stub: "SpeechAsyncStub", recognizer: FakeRecognizer, caplog: pytest.LogCaptureFixture
) -> None:
    recognizer.future_error = ZeroDivisionError("a secret of the inside")
    refusal = await refused(stub.Recognize(pb.RecognizeRequest(audio=SPEECH)))
    assert (refusal.code, refusal.reason) == (Code.INTERNAL, "INTERNAL")
    assert "secret" not in refusal.message
    incident = refusal.info.metadata["incident"]
    assert incident in refusal.message
    (record,) = [each for each in caplog.records if incident in each.getMessage()]
    assert record.exc_info is not None
    assert record.exc_info[0] is ZeroDivisionError

    recognizer.future_error = None
    assert (await stub.Recognize(pb.RecognizeRequest(audio=SPEECH))).transcript.text


async def test_an_engine_that_gives_up_a_request_does_not_leave_it_waiting(
    stub: "SpeechAsyncStub", recognizer: FakeRecognizer
) -> None:
    recognizer.hold = True
    call = asyncio.ensure_future(refused(stub.Recognize(pb.RecognizeRequest(audio=SPEECH))))
    await asyncio.to_thread(recognizer.came.wait, 20)
    recognizer.futures[0].cancel()
    assert (await soon(call)).code is Code.UNAVAILABLE


# --- callers that leave ------------------------------------------------------------------------


async def all_cancelled(recognizer: FakeRecognizer) -> None:
    """Waits until nothing is pending and something was cancelled."""
    await until(lambda: any(each.cancelled() for each in recognizer.futures))
    await until(lambda: recognizer.pending == 0)


@pytest.mark.parametrize("rpc", ["Recognize", "Upload", "StreamingRecognize"])
async def test_cancelling_reaches_the_recognizer(
    stub: "SpeechAsyncStub", recognizer: FakeRecognizer, server: SpeechServer, rpc: str
) -> None:
    recognizer.hold = True
    requests: dict[str, Any] = {
        "Recognize": pb.RecognizeRequest(audio=SPEECH),
        "Upload": iter(uploads(chunked(SPEECH))),
        "StreamingRecognize": iter(streams(chunked(SPEECH))),
    }
    call = getattr(stub, rpc)(requests[rpc])
    assert await asyncio.to_thread(recognizer.came.wait, 20)
    call.cancel()
    await all_cancelled(recognizer)
    recognizer.hold = False
    assert (await stub.Recognize(pb.RecognizeRequest(audio=SPEECH))).transcript.text


async def test_a_deadline_that_passes_reaches_the_recognizer(
    stub: "SpeechAsyncStub", recognizer: FakeRecognizer
) -> None:
    recognizer.hold = True
    refusal = await refused(stub.Recognize(pb.RecognizeRequest(audio=SPEECH), timeout=0.3))
    assert refusal.code is Code.DEADLINE_EXCEEDED
    await all_cancelled(recognizer)


@pytest.mark.parametrize("rpc", ["Upload", "StreamingRecognize"])
async def test_callers_that_leave_while_they_send_free_their_threads(
    single: "SpeechAsyncStub", narrow: SpeechServer, rpc: str
) -> None:
    """The server has one worker thread; a reader left waiting would block the next caller."""
    make: Any = {"Upload": uploads, "StreamingRecognize": streams}[rpc]
    call = getattr(single, rpc)()
    for request in make(chunked(SPEECH))[:20]:
        await call.write(request)
    await until(lambda: narrow._admission.active == 1)
    call.cancel()
    await until_answered(single)


@pytest.fixture
async def narrow(recognizer: FakeRecognizer) -> AsyncIterator[SpeechServer]:
    """A server that takes one request at a time."""
    config = ServerConfig(port=0, max_requests=1, max_open_requests=9, drain_seconds=0)
    async with SpeechServer(recognizer, config) as server:
        yield server


@pytest.fixture
async def single(narrow: SpeechServer) -> AsyncIterator["SpeechAsyncStub"]:
    async with aio.insecure_channel(f"127.0.0.1:{narrow.port}") as channel:
        yield SpeechStub(channel)


@pytest.mark.parametrize("rpc", ["Upload", "StreamingRecognize"])
async def test_streams_that_send_no_audio_keep_nobody_out(
    single: "SpeechAsyncStub", narrow: SpeechServer, rpc: str
) -> None:
    make: Any = {"Upload": uploads, "StreamingRecognize": streams}[rpc]
    calls = [getattr(single, rpc)() for _ in range(8)]
    for call in calls[4:]:  # the others do not even send a config
        await call.write(make([])[0])
    await until(lambda: narrow._admission.open == 8)
    assert (await soon(single.Recognize(pb.RecognizeRequest(audio=SPEECH)))).transcript.text
    for call in calls:
        call.cancel()
    await until(lambda: narrow._admission.open == 0)


def unary_without_message(
    channel: aio.Channel, messages: Iterator[bytes] | None = None
) -> "aio.StreamUnaryCall[bytes, bytes]":
    """A call of Recognize that sends `messages`; None: it never sends any, nor ends."""
    as_stream: Any = channel.stream_unary
    call: aio.StreamUnaryCall[bytes, bytes] = as_stream("/auricle.v1.Speech/Recognize")(messages)
    return call


async def test_calls_that_send_no_message_are_counted_and_end(recognizer: FakeRecognizer) -> None:
    config = ServerConfig(port=0, max_requests=1, max_requests_per_peer=2, stream_idle_seconds=2)
    async with (
        SpeechServer(recognizer, config) as server,
        aio.insecure_channel(f"127.0.0.1:{server.port}") as channel,
    ):
        calls = [unary_without_message(channel) for _ in range(2)]
        await until(lambda: server._admission.open == 2)
        refusal = await refused(SpeechStub(channel).Recognize(pb.RecognizeRequest(audio=SPEECH)))
        assert (refusal.code, refusal.reason) == (Code.RESOURCE_EXHAUSTED, "QUEUE_FULL")
        assert "2 requests of your address" in refusal.message
        for call in calls:
            assert (await refused(call)).reason == "STREAM_IDLE"
        response = await SpeechStub(channel).Recognize(pb.RecognizeRequest(audio=SPEECH))
        assert response.transcript.text


async def test_a_call_without_a_message_is_refused(channel: aio.Channel) -> None:
    refusal = await refused(unary_without_message(channel, iter([])))
    assert (refusal.code, refusal.reason) == (Code.INVALID_ARGUMENT, "INVALID_REQUEST")


@pytest.mark.parametrize("sent", [0, 1, 2], ids=["nothing", "config", "config and audio"])
@pytest.mark.parametrize("rpc", ["Upload", "StreamingRecognize"])
async def test_a_stream_that_sends_nothing_ends(
    recognizer: FakeRecognizer, rpc: str, sent: int
) -> None:
    make: Any = {"Upload": uploads, "StreamingRecognize": streams}[rpc]
    config = ServerConfig(port=0, stream_idle_seconds=0.2)
    async with (
        SpeechServer(recognizer, config) as server,
        aio.insecure_channel(f"127.0.0.1:{server.port}") as channel,
    ):
        call = getattr(SpeechStub(channel), rpc)()
        for request in make([SPEECH[:9000]])[:sent]:
            await call.write(request)
        refusal = await refused(call if rpc == "Upload" else call.read())
        assert (refusal.code, refusal.reason) == (Code.DEADLINE_EXCEEDED, "STREAM_IDLE")
        assert "no message came for 0.2 s; begin again" in refusal.message


async def until_answered(stub: "SpeechAsyncStub") -> None:
    """Waits until the one place is free and its thread works."""

    async def poll() -> pb.RecognizeResponse:
        while True:
            with suppress(aio.AioRpcError):
                return await stub.Recognize(pb.RecognizeRequest(audio=SPEECH))

    assert (await soon(poll())).transcript.text


# --- the log -----------------------------------------------------------------------------------


async def test_each_request_leaves_one_line_without_its_words(
    stub: "SpeechAsyncStub", caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "auricle_server.middleware.telemetry")
    await stub.Recognize(pb.RecognizeRequest(audio=SPEECH))
    await refused(stub.Recognize(pb.RecognizeRequest()))
    good, bad = [each.getMessage() for each in caplog.records if each.name.endswith("telemetry")]
    assert good.startswith("method=Recognize code=OK seconds=")
    assert "audio_seconds=2.5 segments=3 queue_seconds=0.25 batch_size=3" in good
    assert "level" not in good
    assert bad.startswith("method=Recognize code=INVALID_ARGUMENT seconds=")
    assert bad.endswith("reason=EMPTY_AUDIO")


async def test_a_cancelled_request_leaves_a_line_too(
    stub: "SpeechAsyncStub", recognizer: FakeRecognizer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "auricle_server.middleware.telemetry")
    recognizer.hold = True
    call = stub.Recognize(pb.RecognizeRequest(audio=SPEECH))
    assert await asyncio.to_thread(recognizer.came.wait, 20)
    call.cancel()
    await until(lambda: bool(caplog.records))
    (line,) = [each.getMessage() for each in caplog.records]
    assert line.startswith("method=Recognize code=CANCELLED")
