"""The messages of one call as `IncomingAudio`."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from typing import Generic, Self, TypeVar

from google.protobuf.message import DecodeError

from auricle_proto.v1 import speech_pb2 as pb
from auricle_server.incoming import RecognitionTask
from auricle_server.protocols.auricle_grpc import convert
from auricle_types.commands import END_UTTERANCE, EndUtterance
from auricle_types.errors import InvalidRequestError

LINGER_SECONDS = 1.0  # for clients that still send when their answer is ready

Message = TypeVar(
    "Message",
    bound=pb.RecognizeRequest
    | pb.UploadRequest
    | pb.StreamingRecognizeRequest
    | pb.ListModelsRequest,
)
Part = TypeVar("Part", bound=pb.UploadRequest | pb.StreamingRecognizeRequest)


class Messages(Generic[Message]):
    """The messages of one call; an async context manager that reads them to their end.

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
        Raises InvalidRequestError for bytes that are no such message.
        """
        if self._pending is None:
            self._pending = asyncio.create_task(self._read())
        message = await asyncio.shield(self._pending)
        self._pending = None
        return message

    async def _read(self) -> Message | None:
        try:
            return await anext(self._messages, None)
        except DecodeError as error:
            raise InvalidRequestError(
                f"a message cannot be read ({error}): send what speech.proto describes"
            ) from error

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


class Inbox(Messages[Part]):
    """The messages of a stream: its config, then its audio."""

    async def task(self) -> RecognitionTask:
        """Return what the first message asks for. Raises InvalidRequestError."""
        message = await self.next()
        if message is None:
            raise InvalidRequestError("the stream ended before its config; send the config first")
        if message.WhichOneof("payload") != "config":
            raise InvalidRequestError("the first message must hold the config, before any audio")
        if isinstance(message, pb.StreamingRecognizeRequest):
            streaming = convert.streaming_options(message.config)
            return replace(convert.task(message.config.config), streaming=streaming)
        return convert.task(message.config)

    async def chunk(self) -> bytes | EndUtterance:
        """Return what comes next, empty at the end only. Raises InvalidRequestError."""
        while message := await self.next():
            match message.WhichOneof("payload"):
                case "config":
                    raise InvalidRequestError("the config was sent twice; it is sent once, first")
                case "end_utterance":
                    return END_UTTERANCE
                case None:
                    raise InvalidRequestError("a message holds nothing; it must hold audio")
            if message.audio:
                return message.audio
        return b""


class WholeInbox(Messages[pb.RecognizeRequest]):
    """The one message of Recognize, which has the config and the audio."""

    _audio = b""

    async def task(self) -> RecognitionTask:
        """Return what the message asks for. Raises InvalidRequestError."""
        message = await self.next()
        if message is None:
            raise InvalidRequestError("the request has no message; send one with the audio")
        self._audio = message.audio
        return convert.task(message.config)

    async def chunk(self) -> bytes:
        """Return the audio, and nothing when asked again."""
        audio, self._audio = self._audio, b""
        return audio
