"""The client for programs that block."""

from collections.abc import Iterator
from typing import Self, TypeAlias

import grpc

from auricle_client import convert
from auricle_client.channel import options_for
from auricle_client.exchange import (
    Incoming,
    StreamSide,
    recognize_request,
    stream_side,
    upload_side,
)
from auricle_client.options import RecognitionOptions
from auricle_client.sources import CHUNK_BYTES, ChunkedSource, StreamedSource, WholeSource, chunks
from auricle_client.status import translated
from auricle_client.target import DEFAULT_TARGET, Target
from auricle_proto.v1 import speech_pb2 as pb
from auricle_proto.v1.speech_pb2_grpc import SpeechStub
from auricle_types.events import Event, FinalSegment
from auricle_types.options import StreamingOptions
from auricle_types.transcript import Model, Segment, Transcript

StreamCall: TypeAlias = "grpc.CallIterator[pb.StreamingRecognizeResponse]"  # only in its stubs


class Client:
    """Speaks to one server; many threads may share it. A context manager.

    Methods raise AuricleError. `timeout` is the deadline in seconds, None for none.
    """

    def __init__(
        self,
        target: str | grpc.Channel = DEFAULT_TARGET,
        *,
        credentials: grpc.ChannelCredentials | None = None,
    ) -> None:
        """`target` is HOST:PORT, or a channel that stays the caller's to close.

        With `credentials` the connection is TLS, without it plain text.
        """
        channel = opened(target, credentials) if isinstance(target, str) else target
        self._own = channel if isinstance(target, str) else None
        self._stub = SpeechStub(channel)

    def recognize(
        self,
        source: WholeSource,
        options: RecognitionOptions = RecognitionOptions(),
        *,
        timeout: float | None = None,
    ) -> Transcript:
        """Recognises audio in one message: for short audio; gRPC can send it again."""
        request = recognize_request(source, options)
        with translated():
            response = self._stub.Recognize(request, timeout=timeout)
        return convert.transcript(response.transcript)

    def upload(
        self,
        source: ChunkedSource,
        options: RecognitionOptions = RecognitionOptions(),
        *,
        chunk_bytes: int = CHUNK_BYTES,
        timeout: float | None = None,
    ) -> Transcript:
        """Recognises audio of any length, sent in chunks."""
        side = upload_side(options)
        requests = side.messages(chunks(source, chunk_bytes))
        with side.answered():
            response = self._stub.Upload(requests, timeout=timeout)
        return convert.transcript(response.transcript)

    def stream(
        self,
        source: StreamedSource,
        options: RecognitionOptions = RecognitionOptions(),
        streaming: StreamingOptions = StreamingOptions(),
        *,
        chunk_bytes: int = CHUNK_BYTES,
        timeout: float | None = None,
    ) -> "TranscriptStream":
        """Recognises audio while it is sent: iterate the answer for its segments, or its events.

        An `END_UTTERANCE` among the chunks of `source` ends the utterance at once.
        """
        side = stream_side(options, streaming)
        requests = side.messages(chunks(source, chunk_bytes))
        return TranscriptStream(self._stub.StreamingRecognize(requests, timeout=timeout), side)

    def list_models(self, *, timeout: float | None = None) -> tuple[Model, ...]:
        """The models that the server serves, its default first."""
        with translated():
            return convert.models(self._stub.ListModels(pb.ListModelsRequest(), timeout=timeout))

    def close(self) -> None:
        """Closes the connection; requests in progress are cancelled."""
        if self._own is not None:
            self._own.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


class TranscriptStream:
    """Segments as they become final; after the last one `transcript` has the whole.

    Iterate either it or its `events`. A context manager that cancels the request where it is left
    early.
    """

    def __init__(self, call: StreamCall, side: StreamSide) -> None:
        """Reads the answers of `call`, to which `side` sends."""
        self._call = call
        self._side = side
        self._incoming = Incoming()

    def __iter__(self) -> Iterator[Segment]:
        for event in self.events():
            if isinstance(event, FinalSegment):
                yield event.segment

    def events(self) -> Iterator[Event]:
        """All that happens, as `streaming` asked for it; the last event has the transcript."""
        with self._side.answered():
            for response in self._call:
                if event := self._incoming.take(response):
                    yield event
        self._incoming.end()

    @property
    def transcript(self) -> Transcript:
        """The whole transcript. Raises RequestCancelledError before the end of the segments."""
        return self._incoming.transcript

    def cancel(self) -> None:
        """Ends the request; the server drops its work. Harmless after the end."""
        self._call.cancel()  # type: ignore[no-untyped-call]  # of grpc-stubs

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.cancel()


def opened(target: str, credentials: grpc.ChannelCredentials | None) -> grpc.Channel:
    """Open a channel. Raises InvalidOptionError for what is no server's address."""
    server = Target.parse(target)
    options = options_for(server)
    if credentials is None:
        return grpc.insecure_channel(server.address, options=options)
    return grpc.secure_channel(server.address, credentials, options=options)
