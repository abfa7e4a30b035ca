"""The messages of a stream: order, cancellation, reading to the end."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from auricle_proto.v1 import speech_pb2 as pb
from auricle_server.incoming import RecognitionTask
from auricle_server.protocols.auricle_grpc.inbox import Inbox
from auricle_types.errors import InvalidRequestError
from auricle_types.options import DecodingOptions
from tests.server.messages import soon, streams, uploads


class Sender:
    """Messages that count how many were taken; `endless` ones never close."""

    def __init__(self, messages: list[pb.UploadRequest], *, endless: bool = False) -> None:
        self._messages = messages
        self._endless = endless
        self.taken = 0

    async def __aiter__(self) -> AsyncIterator[pb.UploadRequest]:
        for message in self._messages:
            self.taken += 1
            yield message
        if self._endless:
            await asyncio.Event().wait()


def inbox_of(sender: Sender) -> Inbox[pb.UploadRequest]:
    return Inbox(aiter(sender))


async def test_the_config_becomes_the_task() -> None:
    config = pb.RecognitionConfig(model="m", decoding=pb.DecodingOptions(beam_size=3))
    task = RecognitionTask(DecodingOptions(beam_size=3), None, "m")
    assert await Inbox(aiter(Sender(uploads([], config)))).task() == task

    async def streaming() -> AsyncIterator[pb.StreamingRecognizeRequest]:
        for message in streams([], config):
            yield message

    assert await Inbox(streaming()).task() == task


async def test_gives_the_chunks_in_order_and_no_empty_ones() -> None:
    inbox = inbox_of(Sender(uploads([b"abc", b"", b"defg"])))
    await inbox.task()
    assert [await inbox.chunk() for _ in range(4)] == [b"abc", b"defg", b"", b""]


async def test_a_second_config_is_refused() -> None:
    inbox = inbox_of(Sender([*uploads([b"abc"]), *uploads([])]))
    await inbox.task()
    await inbox.chunk()
    with pytest.raises(InvalidRequestError, match="twice"):
        await inbox.chunk()


async def test_reads_the_client_to_its_end() -> None:
    sender = Sender(uploads([b"a"] * 50))

    async def refuse() -> None:
        async with inbox_of(sender) as inbox:
            await inbox.task()
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await refuse()
    assert sender.taken == 51


async def test_reads_to_the_end_though_a_read_was_cancelled() -> None:
    sender = Sender(uploads([b"a"] * 50))
    async with inbox_of(sender) as inbox:
        read = asyncio.ensure_future(inbox.next())
        await asyncio.sleep(0)
        read.cancel()
    assert sender.taken == 51


async def test_a_cancelled_read_loses_no_message() -> None:
    inbox = inbox_of(Sender(uploads([b"a"])))
    read = asyncio.ensure_future(inbox.next())
    await asyncio.sleep(0)
    read.cancel()
    assert await soon(inbox.task()) == RecognitionTask(DecodingOptions())
    assert await soon(inbox.chunk()) == b"a"
    assert await soon(inbox.chunk()) == b""


async def test_does_not_read_an_endless_client_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("auricle_server.protocols.auricle_grpc.inbox.LINGER_SECONDS", 0.01)

    async def answer() -> str:
        async with inbox_of(Sender(uploads([]), endless=True)):
            return "answer"

    assert await soon(answer()) == "answer"


async def test_does_not_read_on_from_a_client_that_left() -> None:
    sender = Sender(uploads([b"a"] * 50))

    async def leave() -> None:
        async with inbox_of(sender) as inbox:
            await inbox.task()
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await leave()
    assert sender.taken == 1
