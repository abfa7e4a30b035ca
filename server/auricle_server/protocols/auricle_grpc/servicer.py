"""The service `auricle.v1.Speech`: each RPC in a few lines."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from functools import partial
from typing import Any, TypeVar

from grpc import aio

from auricle_proto.v1 import speech_pb2 as pb
from auricle_proto.v1 import speech_pb2_grpc
from auricle_server.middleware.call import Call
from auricle_server.protocols.auricle_grpc import convert
from auricle_server.protocols.auricle_grpc.inbox import Inbox
from auricle_server.protocols.auricle_grpc.status import failure_of
from auricle_server.service import SpeechService

Context = aio.ServicerContext[Any, Any]
T = TypeVar("T")


class SpeechServicer(speech_pb2_grpc.SpeechServicer):
    """Answers RPCs by a service."""

    def __init__(self, service: SpeechService) -> None:
        self._service = service

    # --- the RPCs ------------------------------------------------------------------------------

    async def Recognize(  # noqa: N802 - the name is the wire's
        self, request: pb.RecognizeRequest, context: Context
    ) -> pb.RecognizeResponse:
        """Recognises audio that fits in one message."""
        return await self._answer("Recognize", context, partial(self._recognize, request))

    async def Upload(  # noqa: N802
        self, request_iterator: AsyncIterator[pb.UploadRequest], context: Context
    ) -> pb.RecognizeResponse:
        """Recognises audio sent in pieces; one answer."""
        return await self._answer("Upload", context, partial(self._upload, Inbox(request_iterator)))

    async def StreamingRecognize(  # type: ignore[override]  # noqa: N802
        self, request_iterator: AsyncIterator[pb.StreamingRecognizeRequest], context: Context
    ) -> None:
        """Recognises audio while it is sent.

        Writes to `context` rather than yields: gRPC does not close the generator of a caller that
        went away, and its unfinished work would run on.
        """
        work = partial(self._streaming_recognize, Inbox(request_iterator), context)
        await self._answer("StreamingRecognize", context, work)

    async def ListModels(  # noqa: N802
        self, request: pb.ListModelsRequest, context: Context
    ) -> pb.ListModelsResponse:
        """Lists the one model that is served."""
        return await self._answer("ListModels", context, self._list_models)

    # --- their work ----------------------------------------------------------------------------

    async def _answer(
        self, method: str, context: Context, work: Callable[[Call], Awaitable[T]]
    ) -> T:
        """Run `work` for one RPC; whatever it raises becomes the RPC's status."""
        call = Call.starting(method, context.peer(), context.time_remaining())
        with self._service.recorded(call):
            try:
                return await work(call)
            except Exception as error:  # noqa: BLE001 - the last line of defence: it serves on
                failure = failure_of(error)
                call.fail(failure.code.name, failure.reason)
                await context.abort(failure.code, failure.message, failure.trailing_metadata)

    async def _recognize(self, request: pb.RecognizeRequest, call: Call) -> pb.RecognizeResponse:
        task = convert.task(request.config)
        transcript = await self._service.recognize(request.audio, task, call)
        return pb.RecognizeResponse(transcript=convert.transcript(transcript))

    async def _upload(self, inbox: Inbox[pb.UploadRequest], call: Call) -> pb.RecognizeResponse:
        async with inbox:
            transcript = await self._service.upload(inbox, call)
            return pb.RecognizeResponse(transcript=convert.transcript(transcript))

    async def _streaming_recognize(
        self, inbox: Inbox[pb.StreamingRecognizeRequest], context: Context, call: Call
    ) -> None:
        async with inbox, aclosing(self._service.stream(inbox, call)) as events:
            async for event in events:
                await context.write(convert.event(event))

    async def _list_models(self, call: Call) -> pb.ListModelsResponse:
        self._service.check_open()  # it costs nothing, so a full server answers it, too
        return pb.ListModelsResponse(models=[convert.model(self._service.recognizer)])
