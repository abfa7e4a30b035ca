"""Messages to a blocking file: order, backpressure, cancellation, reading to the end."""

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import CancelledError

import pytest

from auricle_proto.v1 import speech_pb2 as pb
from auricle_server.protocols.auricle_grpc.incoming import ChunkReader, Inbox, reading
from auricle_types.errors import InvalidRequestError
from tests.server.messages import soon, uploads


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


async def opened(sender: Sender) -> Inbox[pb.UploadRequest]:
    inbox = inbox_of(sender)
    await inbox.config()
    return inbox


async def test_reads_the_chunks_in_order() -> None:
    chunks = [b"abc", b"", b"defg", b"h"]
    with reading(await opened(Sender(uploads(chunks)))) as file:
        assert await soon(asyncio.to_thread(file.read)) == b"abcdefgh"


@pytest.mark.parametrize("size", [1, 2, 5, 100])
async def test_reads_of_any_size(size: int) -> None:
    reader = ChunkReader(await opened(Sender(uploads([b"abc", b"defg", b"h"]))))

    def read_all() -> bytes:
        return b"".join(iter(lambda: reader.read(size), b""))

    assert await soon(asyncio.to_thread(read_all)) == b"abcdefgh"


async def test_takes_no_message_before_it_is_needed() -> None:
    sender = Sender(uploads([b"abc", b"defg", b"h"]))
    reader = ChunkReader(await opened(sender))
    assert sender.taken == 1
    await soon(asyncio.to_thread(reader.read, 3))
    assert sender.taken == 2
    await soon(asyncio.to_thread(reader.read, 1))
    assert sender.taken == 3


async def test_cancelling_wakes_a_waiting_thread() -> None:
    reader = ChunkReader(await opened(Sender(uploads([b"abc"]), endless=True)))
    await soon(asyncio.to_thread(reader.read, 3))
    waiting = asyncio.ensure_future(asyncio.to_thread(outcome, lambda: reader.read(1)))
    await asyncio.sleep(0.01)
    assert not waiting.done()
    reader.cancel()
    assert isinstance(await soon(waiting), CancelledError)


async def test_reading_after_cancelling_does_not_wait() -> None:
    reader = ChunkReader(await opened(Sender(uploads([]), endless=True)))
    reader.cancel()
    assert isinstance(
        await soon(asyncio.to_thread(outcome, lambda: reader.read(1))), CancelledError
    )


def outcome(work: Callable[[], object]) -> object:
    """What `work` gives or raises; asyncio would turn a CancelledError into its own."""
    try:
        return work()
    except CancelledError as error:
        return error


async def test_what_the_messages_raise_wins_over_what_the_decoder_makes_of_it() -> None:
    inbox = await opened(Sender([*uploads([b"abc"]), *uploads([])]))

    async def decode() -> None:
        with reading(inbox) as file:
            await soon(asyncio.to_thread(hidden, file.read))
            raise ValueError("the file is truncated")

    with pytest.raises(InvalidRequestError, match="twice"):
        await decode()


async def test_what_the_messages_raise_is_raised_even_if_the_decoder_hid_it() -> None:
    inbox = await opened(Sender([*uploads([b"abc"]), *uploads([])]))
    with pytest.raises(InvalidRequestError, match="twice"), reading(inbox) as file:
        await soon(asyncio.to_thread(hidden, file.read))


def hidden(work: Callable[[], object]) -> None:
    """Like a decoder that takes any error for the end of the file."""
    with pytest.raises(InvalidRequestError):
        work()


async def test_other_errors_pass() -> None:
    inbox = await opened(Sender(uploads([])))
    with pytest.raises(ValueError, match="a decoder's own"), reading(inbox):
        raise ValueError("a decoder's own")


async def test_reads_the_client_to_its_end() -> None:
    sender = Sender(uploads([b"a"] * 50))

    async def refuse() -> None:
        async with inbox_of(sender) as inbox:
            await inbox.config()
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
    assert (await soon(inbox.config())).HasField("config")
    assert await soon(inbox.chunk()) == b"a"
    assert await soon(inbox.chunk()) == b""


async def test_does_not_read_an_endless_client_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("auricle_server.protocols.auricle_grpc.incoming.LINGER_SECONDS", 0.01)

    async def answer() -> str:
        async with inbox_of(Sender(uploads([]), endless=True)):
            return "answer"

    assert await soon(answer()) == "answer"


async def test_does_not_read_on_from_a_client_that_left() -> None:
    sender = Sender(uploads([b"a"] * 50))

    async def leave() -> None:
        async with inbox_of(sender) as inbox:
            await inbox.config()
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await leave()
    assert sender.taken == 1
