"""Turns the client's side of a stream into its config and a blocking file of audio.

Audio is decoded by libraries that read from a file and block, in worker threads; messages come to
the event loop. `ChunkReader` joins the two by pulling: a thread that needs bytes asks the loop for
the next message. So nothing is read ahead of need and HTTP/2 flow control holds the client back.
"""

import asyncio
import io
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from typing import Generic, Self, TypeAlias, TypeVar

from auricle.pulling import Pull
from auricle_proto.v1 import speech_pb2 as pb
from auricle_types.errors import InvalidRequestError

LINGER_SECONDS = 1.0  # for clients that still send when their answer is ready

Message = TypeVar("Message", bound=pb.UploadRequest | pb.StreamingRecognizeRequest)
AnyInbox: TypeAlias = "Inbox[pb.UploadRequest] | Inbox[pb.StreamingRecognizeRequest]"


class Inbox(Generic[Message]):
    """The messages of one stream; an async context manager that reads them to the end.

    Whoever answers before the client has closed its side makes asyncio clients in Python report
    INTERNAL instead of the answer (grpc/grpc#36066). So on the way out, for a while, what still
    comes is read and thrown away.
    """

    def __init__(self, messages: AsyncIterator[Message]) -> None:
        """Read `messages`; nobody else may."""
        self._messages = messages
        self._pending: asyncio.Task[Message | None] | None = None

    async def next(self) -> Message | None:
        """Return the next message; None at the end. Cancelled, it loses nothing.

        gRPC allows one read at a time and cannot take one back, so it is kept for the next call.
        """
        if self._pending is None:
            self._pending = asyncio.create_task(self._read())
        message = await asyncio.shield(self._pending)
        self._pending = None
        return message

    async def _read(self) -> Message | None:
        return await anext(self._messages, None)

    async def config(self) -> Message:
        """Return the first message, which holds the config. Raises InvalidRequestError."""
        message = await self.next()
        if message is None:
            raise InvalidRequestError("the stream ended before its config; send the config first")
        if message.WhichOneof("payload") != "config":
            raise InvalidRequestError("the first message must hold the config, before any audio")
        return message

    async def chunk(self) -> bytes:
        """Return the next bytes of the audio, empty at the end only. Raises InvalidRequestError."""
        while message := await self.next():
            match message.WhichOneof("payload"):
                case "config":
                    raise InvalidRequestError("the config was sent twice; it is sent once, first")
                case None:
                    raise InvalidRequestError("a message holds nothing; it must hold audio")
            if message.audio:
                return message.audio
        return b""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        if kind is not asyncio.CancelledError:
            with suppress(Exception):  # the answer stands, whatever still comes
                await asyncio.wait_for(self._read_to_the_end(), LINGER_SECONDS)
        if self._pending is not None:
            self._pending.cancel()

    async def _read_to_the_end(self) -> None:
        while await self.next() is not None:
            pass


class ChunkReader(io.RawIOBase):
    """A blocking, unseekable file over the audio of an inbox.

    Read it in a worker thread, never on the loop. Make and cancel it on the loop.
    """

    def __init__(self, inbox: AnyInbox) -> None:
        """Read the audio after the config."""
        super().__init__()
        self._inbox = inbox
        self._rest = memoryview(b"")
        self._pull = Pull(self._chunk)
        self.failure: Exception | None = None  # of the messages, even if a decoder hid it

    def readable(self) -> bool:
        """Return True: it is for reading only."""
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """Fill `buffer` as far as the current chunk goes; 0 at the end. Blocks for a chunk."""
        if not self._rest:
            self._rest = memoryview(self._pull())
        count = min(len(buffer), len(self._rest))
        buffer[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count

    def cancel(self) -> None:
        """Wake the thread that waits for a chunk; this and later reads raise CancelledError."""
        self._pull.cancel()

    async def _chunk(self) -> bytes:
        try:
            return await self._inbox.chunk()
        except Exception as error:
            self.failure = error
            raise


@contextmanager
def reading(inbox: AnyInbox) -> Iterator[io.BufferedReader]:
    """Give a file over the audio of `inbox`, cancelled on the way out.

    Raises what the messages raised, whatever the decoder made of it.
    """
    chunks = ChunkReader(inbox)
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
