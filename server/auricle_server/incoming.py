"""What a client sends, whatever the protocol, as a blocking file of audio.

Audio is decoded by libraries that read from a file and block, in worker threads; messages come to
the event loop. `ChunkReader` joins the two by pulling: a thread that needs bytes asks the loop for
the next chunk. So nothing is read ahead of need and the protocol's flow control holds the client
back.
"""

import asyncio
import io
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from auricle.audio import PcmFormat
from auricle.pulling import Pull
from auricle_types.commands import EndUtterance
from auricle_types.errors import StreamIdleError
from auricle_types.options import DecodingOptions, StreamingOptions

T = TypeVar("T")
NextChunk = Callable[[], Coroutine[Any, Any, bytes]]


@dataclass(frozen=True, slots=True)
class RecognitionTask:
    """What one request asks for."""

    options: DecodingOptions
    pcm: PcmFormat | None = None  # of headerless audio
    model: str = ""  # empty: the one that is served
    streaming: StreamingOptions = StreamingOptions()


class IncomingAudio(Protocol):
    """The client's side of one request. A call that is cancelled may be made again."""

    async def task(self) -> RecognitionTask:
        """Wait for what the client asks for. Raises InvalidRequestError."""
        ...

    async def chunk(self) -> bytes | EndUtterance:
        """Wait for the next bytes of audio, empty at the end only, or the end of an utterance.

        Raises InvalidRequestError.
        """
        ...


async def timely(awaited: Awaitable[T], seconds: float) -> T:
    """Wait for a client's next message. Raises StreamIdleError after `seconds`."""
    try:
        async with asyncio.timeout(seconds):
            return await awaited
    except TimeoutError as error:
        raise StreamIdleError(
            f"no message came for {seconds:g} s; begin again when there is audio, and send it in "
            "small messages"
        ) from error


class ChunkReader(io.RawIOBase):
    """A blocking, unseekable file over chunks of audio.

    Read it in a worker thread, never on the loop. Make and cancel it on the loop.
    """

    def __init__(self, first: bytes, following: NextChunk) -> None:
        """Read `first`, then what `following` gives; an empty chunk is the end."""
        super().__init__()
        self._rest = memoryview(first)
        self._ended = not first
        self._following = following
        self._pull = Pull(self._chunk)
        self.failure: Exception | None = None  # of the messages, even if a decoder hid it

    def readable(self) -> bool:
        """Return True: it is for reading only."""
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """Fill `buffer` as far as the current chunk goes; 0 at the end. Blocks for a chunk."""
        if not self._rest and not self._ended:
            self._rest = memoryview(self._pull())
            self._ended = not self._rest
        count = min(len(buffer), len(self._rest))
        buffer[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count

    def cancel(self) -> None:
        """Wake the thread that waits for a chunk; this and later reads raise CancelledError."""
        self._pull.cancel()

    async def _chunk(self) -> bytes:
        try:
            return await self._following()
        except Exception as error:
            self.failure = error
            raise


@contextmanager
def reading(first: bytes, following: NextChunk) -> Iterator[io.BufferedReader]:
    """Give a file over the chunks of audio, cancelled on the way out.

    Raises what `following` raised, whatever the decoder made of it.
    """
    chunks = ChunkReader(first, following)
    try:
        yield io.BufferedReader(chunks)
    except Exception as error:
        if chunks.failure is not None:
            raise chunks.failure from error
        raise
    finally:
        chunks.cancel()
    if chunks.failure is not None:
        raise chunks.failure
