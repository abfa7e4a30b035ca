"""The service, whatever the protocol: whole audio to a transcript, a stream to events."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Iterator
from concurrent.futures import Executor, Future
from contextlib import AbstractContextManager, aclosing, asynccontextmanager
from functools import partial
from typing import BinaryIO, Protocol

from auricle.audio import AudioStream, PcmFormat, Samples
from auricle.config import ModelConfig
from auricle.segmentation.segmenter import Piece
from auricle.segmentation.sources import PieceSource, StreamCutter, StreamedAudio, WholeAudio
from auricle.session import Session, events_async, final_transcript
from auricle.transcript import Recognition
from auricle_server.config import ServerConfig
from auricle_server.incoming import IncomingAudio, RecognitionTask, reading, timely
from auricle_server.middleware.admission import Admission
from auricle_server.middleware.call import Call
from auricle_server.middleware.metrics import Measured
from auricle_server.middleware.telemetry import Telemetry
from auricle_types.errors import UnknownModelError
from auricle_types.events import Event, FinalTranscript
from auricle_types.options import DecodingOptions, StreamingOptions
from auricle_types.quoting import quoted
from auricle_types.transcript import Transcript

PIECES_TOLD_EARLY = 2  # of one recording in the engine, where its first words are waited for


class ServedRecognizer(Measured, Protocol):
    """The part of `auricle.recognizer.Recognizer` that answers requests; tests put a fake here."""

    @property
    def model_id(self) -> str:
        """A name that identifies the weights."""
        ...

    @property
    def config(self) -> ModelConfig:
        """The dimensions of the model."""
        ...

    @property
    def device(self) -> str:
        """Names where the model runs."""
        ...

    @property
    def dtype(self) -> str:
        """Names the numbers that it computes with."""
        ...

    def segmenter(self, streaming: StreamingOptions) -> StreamCutter:
        """Make a cutter for one stream. Raises InvalidOptionError."""
        ...

    def cut(self, chunks: Iterable[Samples]) -> Iterator[Piece]:
        """Cut a recording; `next` blocks."""
        ...

    def submit(
        self, piece: Piece, options: DecodingOptions, *, deadline: float | None = None
    ) -> Future[Recognition]:
        """Queue one piece without waiting for room. `deadline` is of `time.monotonic()`.

        Raises QueueFullError and EngineStoppedError at once; cancelling the future drops the work.
        """
        ...


class Decode(Protocol):
    """Decodes what a blocking reader gives, as `auricle.audio.iter_audio` does."""

    def __call__(self, reader: BinaryIO, *, pcm: PcmFormat | None) -> AudioStream:
        """Read nothing before the first piece is asked for; `pcm` describes headerless bytes."""
        ...


class SpeechService:
    """Recognises audio for the protocols. Audio is decoded and cut in threads of a pool."""

    def __init__(
        self,
        recognizer: ServedRecognizer,
        config: ServerConfig,
        *,
        admission: Admission,
        telemetry: Telemetry,
        pool: Executor,
        decode: Decode,
    ) -> None:
        """Serve `recognizer`; `pool` has two threads for each request that `admission` lets in:
        one waits for audio, and another one submits what came before.
        """
        self.recognizer = recognizer
        self._config = config
        self._admission = admission
        self._telemetry = telemetry
        self._pool = pool
        self._decode = decode

    def recorded(self, call: Call) -> AbstractContextManager[None]:
        """Log and count `call` when the block ends."""
        return self._telemetry.recorded(call)

    def check_open(self) -> None:
        """Raise EngineStoppedError once the server drains."""
        self._admission.check_open()

    def check_model(self, name: str) -> None:
        """Raise UnknownModelError unless `name` is empty or that of the model that is served."""
        known = dict.fromkeys((self.recognizer.model_id, self.recognizer.config.name))
        if name and name not in known:
            has = ", ".join(known)
            raise UnknownModelError(f"unknown model {quoted(name)}; this server has: {has}")

    def receiving(self, call: Call) -> AbstractContextManager[None]:
        """Count `call` among the open requests while its protocol reads all of it by itself.

        Raises what `Admission` raises. A recognition begins after the block.
        """
        return self._admission.admitted(call)

    async def recognize(self, incoming: IncomingAudio, call: Call) -> Transcript:
        """Recognise a recording, which is decoded in a thread, piece by piece.

        Raises as `stream` does.
        """
        ahead = self._config.max_pieces_in_flight
        async with aclosing(self._told(incoming, call, self._recording, ahead)) as events:
            return final_transcript([event async for event in events])

    def recording(self, incoming: IncomingAudio, call: Call) -> AsyncGenerator[Event, None]:
        """Recognise a recording as `recognize`, and tell each segment as soon as it is final.

        Pieces that are in the engine together end together, so few of them are, and the first
        words come early. Close the generator when done. Raises as `stream` does.
        """
        ahead = min(PIECES_TOLD_EARLY, self._config.max_pieces_in_flight)
        return self._told(incoming, call, self._recording, ahead)

    def stream(self, incoming: IncomingAudio, call: Call) -> AsyncGenerator[Event, None]:
        """Recognise audio while it comes. Close the generator when done.

        Raises what `Admission` and `incoming` raise, StreamIdleError and UnknownModelError.
        """
        return self._told(incoming, call, self._live, self._config.max_pieces_in_flight)

    async def _told(
        self,
        incoming: IncomingAudio,
        call: Call,
        source_of: Callable[["BegunRequest"], PieceSource],
        ahead: int,
    ) -> AsyncGenerator[Event, None]:
        async with self._begun(incoming, call) as begun:
            session = self._session(source_of(begun), begun.task, call, ahead)
            begun.end_utterance = session.end_utterance
            async with aclosing(self._events(session, call)) as events:
                async for event in events:
                    if isinstance(event, FinalTranscript):
                        break  # it holds only if all messages were right, which `_begun` checks
                    yield event
        yield event

    def _recording(self, begun: "BegunRequest") -> PieceSource:
        load = partial(self._decode, begun.file, pcm=begun.task.pcm)
        return WholeAudio(load, self.recognizer.cut)

    def _live(self, begun: "BegunRequest") -> PieceSource:
        chunks = self._decode(begun.file, pcm=begun.task.pcm)
        return StreamedAudio(chunks, self.recognizer.segmenter(begun.task.streaming))

    @asynccontextmanager
    async def _begun(self, incoming: IncomingAudio, call: Call) -> AsyncIterator["BegunRequest"]:
        """Give what is asked for and its audio, for as long as the request has its place."""
        patience = self._config.stream_idle_seconds
        begun = BegunRequest()

        async def chunk() -> bytes:
            while True:
                part = await timely(incoming.chunk(), patience)
                if isinstance(part, bytes):
                    return part
                if begun.end_utterance():  # whoever decodes waits for this chunk
                    return b""

        with self._admission.admitted(call):
            begun.task = await timely(incoming.task(), patience)
            self.check_model(begun.task.model)
            first = await chunk()
            with self._admission.place(), reading(first, chunk) as begun.file:
                yield begun

    def _session(
        self, source: PieceSource, task: RecognitionTask, call: Call, ahead: int
    ) -> Session:
        submit = partial(self.recognizer.submit, options=task.options, deadline=call.deadline)
        return Session(source, submit, model_id=self.recognizer.model_id, ahead=ahead)

    async def _events(self, session: Session, call: Call) -> AsyncGenerator[Event, None]:
        async with aclosing(events_async(session, self._pool)) as events:
            async for event in events:
                if isinstance(event, FinalTranscript):
                    call.facts |= _facts(event.transcript)
                yield event


class BegunRequest:
    """A request that has a place: what is asked for, its audio, and who ends its utterances."""

    task: RecognitionTask
    file: BinaryIO

    def __init__(self) -> None:
        self.end_utterance: Callable[[], bool] = lambda: False  # there is none before the audio


def _facts(transcript: Transcript) -> dict[str, object]:
    """Name what the log line says of an answer; never its words."""
    receipt = transcript.receipt
    return {
        "audio_seconds": round(transcript.duration, 3),
        "segments": len(transcript.segments),
        "queue_seconds": round(receipt.queue_seconds, 3),
        "batch_size": receipt.batch_size,
        "warnings": len(transcript.warnings),
    }
