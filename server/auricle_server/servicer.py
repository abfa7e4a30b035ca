"""The service `auricle.v1.Speech`: each RPC in a few lines."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from concurrent.futures import Executor
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from typing import BinaryIO, TypeVar

from auricle.audio import PcmFormat, iter_audio, load_audio
from auricle.segmentation.joining import Joiner
from auricle.segmentation.segmenter import Piece
from auricle.transcript import Recognition
from auricle_proto.v1 import speech_pb2 as pb
from auricle_proto.v1 import speech_pb2_grpc
from auricle_server import convert
from auricle_server.admission import Admission
from auricle_server.calls import Call, Context, Observe, answer
from auricle_server.config import ServerConfig
from auricle_server.incoming import Inbox, reading
from auricle_server.pipeline import Pipeline
from auricle_server.seam import Recognizer
from auricle_server.streaming import StreamedPieces
from auricle_types.options import DecodingOptions
from auricle_types.transcript import Transcript

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Task:
    """What one request asks for, checked."""

    pcm: PcmFormat | None
    options: DecodingOptions
    deadline: float | None


class SpeechServicer(speech_pb2_grpc.SpeechServicer):
    """Answers RPCs by a recogniser. Audio is decoded and cut in threads of `pool`."""

    def __init__(
        self,
        recognizer: Recognizer,
        config: ServerConfig,
        *,
        admission: Admission,
        pool: Executor,
        observe: Observe,
    ) -> None:
        """Serves `recognizer`; `pool` has a thread for each request that `admission` lets in.

        `observe` hears of each RPC that ended.
        """
        self._recognizer = recognizer
        self._config = config
        self._admission = admission
        self._pool = pool
        self._observe = observe

    # --- the RPCs ------------------------------------------------------------------------------

    async def Recognize(  # noqa: N802 - the name is the wire's
        self, request: pb.RecognizeRequest, context: Context
    ) -> pb.RecognizeResponse:
        """Recognises audio that fits in one message."""
        work = partial(self._recognize, request)
        return await answer("Recognize", context, work, self._observe)

    async def Upload(  # noqa: N802
        self, request_iterator: AsyncIterator[pb.UploadRequest], context: Context
    ) -> pb.RecognizeResponse:
        """Recognises audio sent in pieces; one answer."""
        work = partial(self._upload, Inbox(request_iterator))
        return await answer("Upload", context, work, self._observe)

    async def StreamingRecognize(  # type: ignore[override]  # noqa: N802
        self, request_iterator: AsyncIterator[pb.StreamingRecognizeRequest], context: Context
    ) -> None:
        """Recognises audio while it is sent.

        Writes to `context` rather than yields: gRPC does not close the generator of a caller that
        went away, and its unfinished work would run on.
        """
        work = partial(self._streaming_recognize, Inbox(request_iterator), context)
        await answer("StreamingRecognize", context, work, self._observe)

    async def ListModels(  # noqa: N802
        self, request: pb.ListModelsRequest, context: Context
    ) -> pb.ListModelsResponse:
        """Lists the one model that is served."""
        return await answer("ListModels", context, self._list_models, self._observe)

    # --- their work ----------------------------------------------------------------------------

    async def _recognize(self, request: pb.RecognizeRequest, call: Call) -> pb.RecognizeResponse:
        with self._admission:
            task = self._task(request.config, call)
            return await self._transcribe(request.audio, task, call)

    async def _upload(self, inbox: Inbox[pb.UploadRequest], call: Call) -> pb.RecognizeResponse:
        async with inbox:
            with self._admission:
                task = self._task((await inbox.config()).config, call)
                with reading(inbox) as file:
                    return await self._transcribe(file, task, call)

    async def _streaming_recognize(
        self, inbox: Inbox[pb.StreamingRecognizeRequest], context: Context, call: Call
    ) -> None:
        async with inbox:
            with self._admission:
                task = self._task((await inbox.config()).config.config, call)
                with reading(inbox) as file:
                    transcript = await self._stream(file, task, context)
                self._note(call, transcript)
                message = convert.transcript(transcript)
                await context.write(pb.StreamingRecognizeResponse(transcript=message))

    async def _list_models(self, call: Call) -> pb.ListModelsResponse:
        self._admission.check_open()  # it costs nothing, so a full server answers it, too
        return pb.ListModelsResponse(models=[convert.model(self._recognizer)])

    # --- their steps ---------------------------------------------------------------------------

    def _task(self, config: pb.RecognitionConfig, call: Call) -> Task:
        convert.check_model(config.model, self._recognizer)
        options = convert.decoding_options(config.decoding)
        return Task(convert.pcm_format(config), options, call.deadline)

    async def _transcribe(
        self, source: bytes | BinaryIO, task: Task, call: Call
    ) -> pb.RecognizeResponse:
        """Recognises a whole audio."""
        limits = self._config.audio_limits
        audio = await self._in_thread(partial(load_audio, source, pcm=task.pcm, limits=limits))
        joiner = Joiner(self._recognizer.model_id)
        async with aclosing(self._recognitions(self._recognizer.cut(audio), task)) as results:
            async for recognition in results:
                joiner.add(recognition)
        transcript = joiner.transcript(audio.duration, audio.warnings)
        self._note(call, transcript)
        return pb.RecognizeResponse(transcript=convert.transcript(transcript))

    async def _stream(self, file: BinaryIO, task: Task, context: Context) -> Transcript:
        """Recognises audio as it comes and writes each segment that is final."""
        pieces = await self._in_thread(partial(self._streamed_pieces, file, task))
        joiner = Joiner(self._recognizer.model_id)
        async with aclosing(self._recognitions(iter(pieces), task)) as results:
            async for recognition in results:
                for segment in joiner.add(recognition):
                    message = convert.segment(segment)
                    await context.write(pb.StreamingRecognizeResponse(segment=message))
        return joiner.transcript(pieces.duration, pieces.warnings)

    def _streamed_pieces(self, file: BinaryIO, task: Task) -> StreamedPieces:
        stream = iter_audio(file, pcm=task.pcm, limits=self._config.audio_limits)
        return StreamedPieces(stream, self._recognizer.segmenter())

    def _recognitions(
        self, pieces: Iterator[Piece], task: Task
    ) -> AsyncGenerator[Recognition, None]:
        submit = partial(self._recognizer.submit, options=task.options, deadline=task.deadline)
        pipeline = Pipeline(submit, self._pool, self._config.max_pieces_in_flight)
        return pipeline.recognitions(pieces)

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)

    @staticmethod
    def _note(call: Call, transcript: Transcript) -> None:
        """What the log line says of an answer; never its words."""
        receipt = transcript.receipt
        call.facts |= {
            "audio_seconds": round(transcript.duration, 3),
            "segments": len(transcript.segments),
            "queue_seconds": round(receipt.queue_seconds, 3),
            "batch_size": receipt.batch_size,
            "warnings": len(transcript.warnings),
        }
