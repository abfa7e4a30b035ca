"""The asyncio client against the same server."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import grpc
import pytest
from grpc import aio

from auricle_client import (
    AsyncClient,
    AudioError,
    AudioNotFoundError,
    AudioTooLongError,
    Client,
    DeadlineExceededError,
    EmptyAudioError,
    InvalidOptionError,
    QueueFullError,
    RecognitionOptions,
    RequestCancelledError,
    ServerUnavailableError,
    UnknownModelError,
    UnsupportedAudioError,
)
from tests.server.fakes import FakeRecognizer, wav
from tests.server.messages import soon, until

SPEECH = wav(2.5)


@pytest.fixture
async def aclient(target: str) -> AsyncIterator[AsyncClient]:
    async with AsyncClient(target) as client:
        yield client


async def live(*, then: Exception | None = None) -> AsyncIterator[bytes]:
    for start in range(0, len(SPEECH), 999):
        yield SPEECH[start : start + 999]
        await asyncio.sleep(0)
    if then is not None:
        raise then


async def test_it_answers_like_the_blocking_client(
    client: Client, aclient: AsyncClient, tmp_path: Path
) -> None:
    path = tmp_path / "speech.wav"
    path.write_bytes(SPEECH)
    expected = client.recognize(SPEECH)
    assert await aclient.recognize(path) == expected
    assert await aclient.upload(path, chunk_bytes=1000) == expected
    assert await aclient.upload(live()) == expected
    async with aclient.stream(live(), chunk_bytes=500) as stream:
        assert tuple([segment async for segment in stream]) == expected.segments
    assert stream.transcript == expected
    assert await aclient.list_models() == client.list_models()


async def test_sixteen_at_once_get_what_one_gets(aclient: AsyncClient) -> None:
    audios = [wav(0.5 + index / 8, level=(index + 1) / 20) for index in range(16)]
    alone = [await aclient.recognize(audio) for audio in audios]
    assert await soon(asyncio.gather(*map(aclient.upload, audios))) == alone
    assert len({transcript.text for transcript in alone}) == 16


async def test_a_channel_of_the_callers_stays_open(target: str) -> None:
    async with aio.insecure_channel(target) as channel:
        async with AsyncClient(channel) as client:
            await client.list_models()
        assert await AsyncClient(channel).list_models()


@pytest.mark.parametrize(
    ("source", "error"),
    [
        (b"", EmptyAudioError),
        (b"To be, or not to be: that is the question. " * 5000, UnsupportedAudioError),
        (wav(31), AudioTooLongError),
    ],
    ids=["empty", "text", "too long"],
)
async def test_audio_that_the_server_refuses_while_it_is_sent(
    aclient: AsyncClient, source: bytes, error: type[AudioError]
) -> None:
    for _ in range(10):  # grpc/grpc#36066 came and went
        with pytest.raises(error) as caught:
            await soon(aclient.upload(source, chunk_bytes=5_000))
        assert caught.value.code is grpc.StatusCode.INVALID_ARGUMENT


async def test_an_unknown_model_is_refused_while_the_audio_is_sent(aclient: AsyncClient) -> None:
    options = RecognitionOptions(model="large")

    async def refused_upload() -> None:
        with pytest.raises(UnknownModelError):
            await aclient.upload(SPEECH * 10, options, chunk_bytes=1000)

    async def refused_stream() -> None:
        with pytest.raises(UnknownModelError):
            _ = [
                segment async for segment in aclient.stream(SPEECH * 10, options, chunk_bytes=1000)
            ]

    for _ in range(4):  # many at once, so that writes fail that were under way
        await soon(asyncio.gather(*(refused() for refused in [refused_upload, refused_stream] * 4)))


async def test_errors_before_anything_is_sent(aclient: AsyncClient, tmp_path: Path) -> None:
    for call in (aclient.recognize, aclient.upload):
        with pytest.raises(AudioNotFoundError):
            await soon(call(tmp_path / "missing.wav"))
        with pytest.raises(InvalidOptionError):
            await soon(call(SPEECH, RecognitionOptions(max_tokens=2**40)))


async def test_a_full_queue(aclient: AsyncClient, recognizer: FakeRecognizer) -> None:
    recognizer.room = 0
    with pytest.raises(QueueFullError) as caught:
        await aclient.upload(SPEECH)
    assert caught.value.retry_after == 1.0


async def test_a_timeout_that_passes(aclient: AsyncClient, recognizer: FakeRecognizer) -> None:
    recognizer.hold = True
    with pytest.raises(DeadlineExceededError):
        await aclient.upload(SPEECH, timeout=0.2)
    with pytest.raises(DeadlineExceededError):
        _ = [segment async for segment in aclient.stream(SPEECH, timeout=0.2)]


async def test_nobody_there() -> None:
    async with AsyncClient("127.0.0.1:1") as client:
        with pytest.raises(ServerUnavailableError):
            await soon(client.upload(SPEECH))


async def test_what_a_source_raises_reaches_the_caller(aclient: AsyncClient) -> None:
    def blocking() -> Iterator[bytes]:
        yield SPEECH[:20_000]
        raise ConnectionResetError("the microphone is gone")

    gone = ConnectionResetError("the microphone is gone")
    for source in (blocking, lambda: live(then=gone)):
        with pytest.raises(ConnectionResetError, match="microphone"):
            await soon(aclient.upload(source()))
        with pytest.raises(ConnectionResetError, match="microphone"):
            _ = [segment async for segment in aclient.stream(source())]


async def test_cancelling_the_task_cancels_the_work(
    aclient: AsyncClient, recognizer: FakeRecognizer
) -> None:
    recognizer.hold = True
    task = asyncio.ensure_future(aclient.upload(SPEECH))
    await until(recognizer.came.is_set)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await soon(task)
    await until(lambda: any(future.cancelled() for future in recognizer.futures))


async def test_leaving_a_stream_cancels_it(
    aclient: AsyncClient, recognizer: FakeRecognizer
) -> None:
    recognizer.hold = True
    async with aclient.stream(SPEECH) as stream:
        await until(recognizer.came.is_set)
    await until(lambda: any(future.cancelled() for future in recognizer.futures))
    with pytest.raises(RequestCancelledError, match="not read to its end"):
        _ = stream.transcript
