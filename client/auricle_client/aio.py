"""The client for asyncio. `auricle_client.client` with `await`; all else is shared."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import TYPE_CHECKING, Self

import grpc
from grpc import aio

from auricle_client import convert
from auricle_client.channel import options_for
from auricle_client.ending import Ending
from auricle_client.exchange import (
    Incoming,
    StreamSide,
    recognize_request,
    stream_side,
    upload_side,
)
from auricle_client.options import RecognitionOptions
from auricle_client.sources import (
    CHUNK_BYTES,
    AsyncChunkedSource,
    AsyncStreamedSource,
    WholeSource,
    async_chunks,
)
from auricle_client.status import translated
from auricle_client.target import DEFAULT_TARGET, Target
from auricle_proto.v1 import speech_pb2 as pb
from auricle_proto.v1.speech_pb2_grpc import SpeechStub
from auricle_types.events import Event, FinalSegment
from auricle_types.options import StreamingOptions
from auricle_types.transcript import Model, Segment, Transcript

if TYPE_CHECKING:
    from auricle_proto.v1.speech_pb2_grpc import SpeechAsyncStub

StreamCall = aio.StreamStreamCall[pb.StreamingRecognizeRequest, pb.StreamingRecognizeResponse]


class AsyncClient:
    """Speaks to one server, with a channel in the event loop that uses it. A context manager.

    It may be made before the loop runs, and used again in another one. Methods raise AuricleError.
    `timeout` is the deadline in seconds, None for none.
    """

    def __init__(
        self,
        target: str | aio.Channel = DEFAULT_TARGET,
        *,
        credentials: grpc.ChannelCredentials | None = None,
    ) -> None:
        """`target` is HOST:PORT, or a channel that stays the caller's to close.

        With `credentials` the connection is TLS, without it plain text. Raises InvalidOptionError
        for what is no server's address.
        """
        if isinstance(target, str):
            Target.parse(target)
        self._target = target
        self._credentials = credentials
        self._own: aio.Channel | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def _stub(self) -> "SpeechAsyncStub":
        """Speaks through a channel of the loop that runs, opened when it is first needed."""
        if not isinstance(self._target, str):
            return SpeechStub(self._target)
        loop = asyncio.get_running_loop()
        if self._own is None or self._loop is not loop:
            self._own, self._loop = opened(self._target, self._credentials), loop
        return SpeechStub(self._own)

    async def recognize(
        self,
        source: WholeSource,
        options: RecognitionOptions = RecognitionOptions(),
        *,
        timeout: float | None = None,  # noqa: ASYNC109 - it becomes the RPC's deadline
    ) -> Transcript:
        """Recognises audio in one message: for short audio; gRPC can send it again."""
        request = await asyncio.to_thread(recognize_request, source, options)
        with translated():
            response = await self._stub.Recognize(request, timeout=timeout)
        return convert.transcript(response.transcript)

    async def upload(
        self,
        source: AsyncChunkedSource,
        options: RecognitionOptions = RecognitionOptions(),
        *,
        chunk_bytes: int = CHUNK_BYTES,
        timeout: float | None = None,  # noqa: ASYNC109
    ) -> Transcript:
        """Recognises audio of any length, sent in chunks."""
        side = upload_side(options)
        requests = side.async_messages(async_chunks(source, chunk_bytes))
        call = self._stub.Upload(requests, timeout=timeout)
        with side.answered(Ending(call).meant):
            response = await call
        return convert.transcript(response.transcript)

    def stream(
        self,
        source: AsyncStreamedSource,
        options: RecognitionOptions = RecognitionOptions(),
        streaming: StreamingOptions = StreamingOptions(),
        *,
        chunk_bytes: int = CHUNK_BYTES,
        timeout: float | None = None,
    ) -> "AsyncTranscriptStream":
        """Recognises audio while it is sent: iterate the answer for its segments, or its events.

        An `END_UTTERANCE` among the chunks of `source` ends the utterance at once.
        """
        side = stream_side(options, streaming)
        requests = side.async_messages(async_chunks(source, chunk_bytes))
        call = self._stub.StreamingRecognize(requests, timeout=timeout)
        return AsyncTranscriptStream(call, side)

    async def list_models(
        self,
        *,
        timeout: float | None = None,  # noqa: ASYNC109
    ) -> tuple[Model, ...]:
        """The models that the server serves, its default first."""
        with translated():
            response = await self._stub.ListModels(pb.ListModelsRequest(), timeout=timeout)
        return convert.models(response)

    async def close(self) -> None:
        """Closes the connection; requests in progress are cancelled."""
        if self._own is not None and self._loop is asyncio.get_running_loop():
            await self._own.close(None)
        self._own = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.close()


class AsyncTranscriptStream:
    """Segments as they become final; after the last one `transcript` has the whole.

    Iterate either it or its `events`. An async context manager that cancels the request where it is
    left early.
    """

    def __init__(self, call: StreamCall, side: StreamSide) -> None:
        """Reads the answers of `call`, to which `side` sends."""
        self._call = call
        self._ending = Ending(call)
        self._side = side
        self._incoming = Incoming()

    async def __aiter__(self) -> AsyncIterator[Segment]:
        async with aclosing(self.events()) as happened:
            async for event in happened:
                if isinstance(event, FinalSegment):
                    yield event.segment

    async def events(self) -> AsyncGenerator[Event, None]:
        """All that happens, as `streaming` asked for it; the last event has the transcript."""
        with self._side.answered(self._ending.meant):
            async for response in self._call:
                if event := self._incoming.take(response):
                    yield event
        self._incoming.end()

    @property
    def transcript(self) -> Transcript:
        """The whole transcript. Raises RequestCancelledError before the end of the segments."""
        return self._incoming.transcript

    def cancel(self) -> None:
        """Ends the request; the server drops its work. Harmless after the end."""
        self._call.cancel()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        self.cancel()


def opened(target: str, credentials: grpc.ChannelCredentials | None) -> aio.Channel:
    """Open a channel. Raises InvalidOptionError for what is no server's address."""
    server = Target.parse(target)
    options = options_for(server)
    if credentials is None:
        return aio.insecure_channel(server.address, options=options)
    return aio.secure_channel(server.address, credentials, options=options)
