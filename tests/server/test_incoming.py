"""Chunks to a blocking file: order, backpressure, cancellation, and clients that say nothing."""

import asyncio
from collections.abc import Callable
from concurrent.futures import CancelledError

import pytest

from auricle_server.incoming import ChunkReader, reading, timely
from auricle_types.errors import InvalidRequestError, StreamIdleError
from tests.server.messages import soon

WRONG = InvalidRequestError("the config was sent twice")


class Chunks:
    """Gives chunks or raises them, and counts; an `endless` one never says that it is over."""

    def __init__(self, *chunks: bytes | Exception, endless: bool = False) -> None:
        self._chunks = [*chunks]
        self._endless = endless
        self.taken = 0

    async def __call__(self) -> bytes:
        if not self._chunks and self._endless:
            await asyncio.Event().wait()
        self.taken += 1
        chunk = self._chunks.pop(0) if self._chunks else b""
        if isinstance(chunk, Exception):
            raise chunk
        return chunk


@pytest.mark.parametrize("size", [1, 2, 5, 100])
async def test_reads_of_any_size(size: int) -> None:
    reader = ChunkReader(b"abc", Chunks(b"defg", b"h"))

    def read_all() -> bytes:
        return b"".join(iter(lambda: reader.read(size), b""))

    assert await soon(asyncio.to_thread(read_all)) == b"abcdefgh"


async def test_nothing_is_asked_for_after_the_end() -> None:
    following = Chunks()
    for first in (b"", b"abc"):
        with reading(first, following) as file:
            assert await soon(asyncio.to_thread(file.read)) == first
            assert await soon(asyncio.to_thread(file.read)) == b""
    assert following.taken == 1


async def test_takes_no_chunk_before_it_is_needed() -> None:
    following = Chunks(b"defg", b"h")
    reader = ChunkReader(b"abc", following)
    await soon(asyncio.to_thread(reader.read, 3))
    assert following.taken == 0
    await soon(asyncio.to_thread(reader.read, 1))
    assert following.taken == 1


async def test_cancelling_wakes_a_waiting_thread() -> None:
    reader = ChunkReader(b"abc", Chunks(endless=True))
    await soon(asyncio.to_thread(reader.read, 3))
    waiting = asyncio.ensure_future(asyncio.to_thread(outcome, lambda: reader.read(1)))
    await asyncio.sleep(0.01)
    assert not waiting.done()
    reader.cancel()
    assert isinstance(await soon(waiting), CancelledError)


async def test_reading_after_cancelling_does_not_wait() -> None:
    reader = ChunkReader(b"abc", Chunks(endless=True))
    await soon(asyncio.to_thread(reader.read, 3))
    reader.cancel()
    waiting = asyncio.to_thread(outcome, lambda: reader.read(1))
    assert isinstance(await soon(waiting), CancelledError)


def outcome(work: Callable[[], object]) -> object:
    """What `work` gives or raises; asyncio would turn a CancelledError into its own."""
    try:
        return work()
    except CancelledError as error:
        return error


async def test_what_the_messages_raise_wins_over_what_the_decoder_makes_of_it() -> None:
    async def decode() -> None:
        with reading(b"abc", Chunks(WRONG)) as file:
            await soon(asyncio.to_thread(hidden, file.read))
            raise ValueError("the file is truncated")

    with pytest.raises(InvalidRequestError, match="twice"):
        await decode()


async def test_what_the_messages_raise_is_raised_even_if_the_decoder_hid_it() -> None:
    with pytest.raises(InvalidRequestError, match="twice"), reading(b"a", Chunks(WRONG)) as file:
        await soon(asyncio.to_thread(hidden, file.read))


def hidden(work: Callable[[], object]) -> None:
    """Like a decoder that takes any error for the end of the file."""
    with pytest.raises(InvalidRequestError):
        work()


async def test_other_errors_pass() -> None:
    with pytest.raises(ValueError, match="a decoder's own"), reading(b"", Chunks()):
        raise ValueError("a decoder's own")


async def test_a_client_that_says_nothing_is_waited_for_so_long() -> None:
    assert await timely(Chunks(b"abc")(), 1000) == b"abc"
    with pytest.raises(StreamIdleError, match=r"no message came for 0\.01 s"):
        await soon(timely(Chunks(endless=True)(), 0.01))
