"""What both kinds of client do with the messages of an RPC, so that neither does it twice."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeAlias, TypeVar

import grpc

from auricle_client import convert
from auricle_client.options import RecognitionOptions
from auricle_client.sources import WholeSource, whole
from auricle_client.status import translate
from auricle_proto.v1 import speech_pb2 as pb
from auricle_types.commands import EndUtterance
from auricle_types.errors import RequestCancelledError, ServerError
from auricle_types.events import Event, FinalTranscript
from auricle_types.options import StreamingOptions
from auricle_types.transcript import Transcript

Request = TypeVar("Request")
Chunk = TypeVar("Chunk")


def recognize_request(source: WholeSource, options: RecognitionOptions) -> pb.RecognizeRequest:
    """The request that holds a whole audio."""
    config = convert.recognition_config(options)
    return pb.RecognizeRequest(config=config, audio=whole(source))


def upload_side(options: RecognitionOptions) -> "Outgoing[pb.UploadRequest, bytes]":
    """The client's side of an upload."""
    config = convert.recognition_config(options)
    return Outgoing(pb.UploadRequest(config=config), lambda chunk: pb.UploadRequest(audio=chunk))


def stream_side(options: RecognitionOptions, streaming: StreamingOptions) -> "StreamSide":
    """The client's side of a stream."""
    config = convert.streaming_config(options, streaming)
    return Outgoing(pb.StreamingRecognizeRequest(config=config), _part)


def _part(chunk: bytes | EndUtterance) -> pb.StreamingRecognizeRequest:
    if isinstance(chunk, bytes):
        return pb.StreamingRecognizeRequest(audio=chunk)
    return pb.StreamingRecognizeRequest(end_utterance=pb.EndUtterance())


class Outgoing(Generic[Request, Chunk]):
    """The config, then chunks. gRPC hides what a source raises; this keeps it for the caller."""

    def __init__(self, first: Request, wrap: Callable[[Chunk], Request]) -> None:
        """Sends `first`, then each chunk in what `wrap` makes of it."""
        self._first = first
        self._wrap = wrap
        self._failure: Exception | None = None

    def messages(self, chunks: Iterator[Chunk]) -> Iterator[Request]:
        """The requests over `chunks`."""
        yield self._first
        with self._remembered():
            yield from map(self._wrap, chunks)

    async def async_messages(self, chunks: AsyncIterator[Chunk]) -> AsyncIterator[Request]:
        """The requests over `chunks`."""
        yield self._first
        with self._remembered():
            async for chunk in chunks:
                yield self._wrap(chunk)

    @contextmanager
    def _remembered(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            self._failure = error
            raise

    @contextmanager
    def answered(
        self, meant: Callable[[grpc.RpcError], grpc.RpcError] = lambda failed: failed
    ) -> Iterator[None]:
        """Around waiting for an answer: raises what the source raised, else the typed error.

        `meant` gives the error that the server sent for the one that gRPC raised. Cancellation of
        the task that waits passes through as it is.
        """
        try:
            yield
        except grpc.RpcError as failed:
            raise self._failure or translate(meant(failed)) from failed
        except asyncio.CancelledError:
            if self._failure is None:
                raise
            raise self._failure from None


StreamSide: TypeAlias = Outgoing[pb.StreamingRecognizeRequest, bytes | EndUtterance]


class Incoming:
    """The server's side of a stream: events, the last of which has the transcript."""

    def __init__(self) -> None:
        """Nothing has come yet."""
        self._transcript: Transcript | None = None

    def take(self, response: pb.StreamingRecognizeResponse) -> Event | None:
        """The event of a response; None where it is one of a later version of the wire."""
        event = convert.event(response)
        if isinstance(event, FinalTranscript):
            self._transcript = event.transcript
        return event

    def end(self) -> None:
        """The stream has ended. Raises ServerError unless the transcript has come."""
        if self._transcript is None:
            raise ServerError("the stream ended without a transcript")

    @property
    def transcript(self) -> Transcript:
        """The whole transcript. Raises RequestCancelledError before the end."""
        if self._transcript is None:
            raise RequestCancelledError("no transcript: the stream was not read to its end")
        return self._transcript
