"""The client's side of a stream: first its config, then its audio as a blocking file.

Audio is decoded by libraries that read from a file and block, in worker threads; messages come to
the event loop. `ChunkReader` joins the two by pulling: a thread that needs bytes asks the loop for
the next message. So nothing is read ahead of need and HTTP/2 flow control holds the client back.
"""

import asyncio
import io
import threading
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import Future
from contextlib import contextmanager

from auricle_proto.v1 import speech_pb2 as pb
from auricle_server.errors import InvalidRequestError

Message = pb.UploadRequest | pb.StreamingRecognizeRequest


async def first_message(messages: AsyncIterator[Message]) -> Message:
    """The message with the config. Raises InvalidRequestError when it is missing."""
    message = await anext(messages, None)
    if message is None:
        raise InvalidRequestError("the stream ended before its config; send the config first")
    if message.WhichOneof("payload") != "config":
        raise InvalidRequestError("the first message must hold the config, before any audio")
    return message


async def audio_chunks(messages: AsyncIterator[Message]) -> AsyncIterator[bytes]:
    """The chunks after the config. Raises InvalidRequestError on a message of another kind."""
    async for message in messages:
        match message.WhichOneof("payload"):
            case "audio":
                yield message.audio
            case "config":
                raise InvalidRequestError("the config was sent twice; only the first message is it")
            case _:
                raise InvalidRequestError("a message without payload; send audio after the config")


class ChunkReader(io.RawIOBase):
    """A blocking, unseekable file over chunks that arrive on an event loop.

    Read it in a worker thread, never on the loop. Make and cancel it on the loop.
    """

    def __init__(self, chunks: AsyncIterator[bytes]) -> None:
        """Reads `chunks`; an empty one is skipped."""
        super().__init__()
        self._chunks = chunks
        self._loop = asyncio.get_running_loop()
        self._rest = memoryview(b"")
        self._lock = threading.Lock()
        self._pending: Future[bytes] | None = None
        self._cancelled = False
        self.failure: Exception | None = None  # what the chunks raised, even if a decoder hid it

    def readable(self) -> bool:
        """True: it is for reading only."""
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """Fills `buffer` as far as the current chunk goes; 0 at the end. Blocks for a chunk."""
        if not self._rest:
            self._rest = memoryview(self._pull())
        count = min(len(buffer), len(self._rest))
        buffer[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count

    def cancel(self) -> None:
        """Wakes the thread that waits for a chunk; this and later reads raise CancelledError."""
        with self._lock:
            self._cancelled = True
            if self._pending is not None:
                self._pending.cancel()

    def _pull(self) -> bytes:
        """Waits for the next chunk that is not empty; the empty one at the end."""
        with self._lock:
            self._pending = asyncio.run_coroutine_threadsafe(self._next(), self._loop)
            if self._cancelled:
                self._pending.cancel()
        return self._pending.result()

    async def _next(self) -> bytes:
        try:
            async for chunk in self._chunks:
                if chunk:
                    return chunk
        except Exception as error:
            self.failure = error
            raise
        return b""


@contextmanager
def reading(messages: AsyncIterator[Message]) -> Iterator[io.BufferedReader]:
    """A file over the chunks of `messages`, cancelled on the way out.

    Raises what the messages raised, whatever the decoder made of it.
    """
    chunks = ChunkReader(audio_chunks(messages))
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
