"""The service `auricle.v1.Speech`: each RPC in a few lines."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from functools import partial
from typing import Any, TypeVar

import grpc
from grpc import aio

from auricle_proto.v1 import speech_pb2 as pb
from auricle_proto.v1 import speech_pb2_grpc
from auricle_server.middleware.call import Call
from auricle_server.protocols.auricle_grpc import convert
from auricle_server.protocols.auricle_grpc.health import SPEECH
from auricle_server.protocols.auricle_grpc.inbox import Inbox, Messages, WholeInbox
from auricle_server.protocols.auricle_grpc.status import failure_of
from auricle_server.service import SpeechService

Context = aio.ServicerContext[Any, Any]
T = TypeVar("T")


class SpeechServicer(speech_pb2_grpc.SpeechServicer):
    """Answers RPCs by a service."""

    def __init__(self, service: SpeechService) -> None:
        self._service = service

    # --- the RPCs ------------------------------------------------------------------------------

    async def Recognize(  # type: ignore[override]  # noqa: N802 - the name is the wire's
        self, request_iterator: AsyncIterator[pb.RecognizeRequest], context: Context
    ) -> pb.RecognizeResponse:
        """Recognises audio that fits in one message, which `add_speech` lets it receive itself."""
        inbox = WholeInbox(request_iterator)
        return await self._answer("Recognize", context, partial(self._recognize, inbox))

    async def Upload(  # noqa: N802
        self, request_iterator: AsyncIterator[pb.UploadRequest], context: Context
    ) -> pb.RecognizeResponse:
        """Recognises audio sent in pieces; one answer."""
        inbox = Inbox(request_iterator)
        return await self._answer("Upload", context, partial(self._recognize, inbox))

    async def StreamingRecognize(  # type: ignore[override]  # noqa: N802
        self, request_iterator: AsyncIterator[pb.StreamingRecognizeRequest], context: Context
    ) -> None:
        """Recognises audio while it is sent.

        Writes to `context` rather than yields: gRPC does not close the generator of a caller that
        went away, and its unfinished work would run on.
        """
        work = partial(self._streaming_recognize, Inbox(request_iterator), context)
        await self._answer("StreamingRecognize", context, work)

    async def ListModels(  # type: ignore[override]  # noqa: N802
        self, request_iterator: AsyncIterator[pb.ListModelsRequest], context: Context
    ) -> pb.ListModelsResponse:
        """Lists the one model that is served; receives its message as Recognize does."""
        work = partial(self._list_models, Messages(request_iterator))
        return await self._answer("ListModels", context, work)

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

    async def _recognize(
        self, inbox: WholeInbox | Inbox[pb.UploadRequest], call: Call
    ) -> pb.RecognizeResponse:
        async with inbox:
            transcript = await self._service.recognize(inbox, call)
            return pb.RecognizeResponse(transcript=convert.transcript(transcript))

    async def _streaming_recognize(
        self, inbox: Inbox[pb.StreamingRecognizeRequest], context: Context, call: Call
    ) -> None:
        async with inbox, aclosing(self._service.stream(inbox, call)) as events:
            async for event in events:
                await context.write(convert.event(event))

    async def _list_models(
        self, messages: Messages[pb.ListModelsRequest], call: Call
    ) -> pb.ListModelsResponse:
        self._service.check_open()  # it costs nothing, so a full server answers it, too
        async with messages:
            await messages.next()
        return pb.ListModelsResponse(models=[convert.model(self._service.recognizer)])


def add_speech(server: aio.Server, servicer: SpeechServicer) -> None:
    """Add the service to `server`.

    gRPC would receive a unary call's message before its handler runs, however long that takes, and
    call a damaged one UNKNOWN. On the wire such a call is a stream of one message, so it is handled
    as one: Recognize is admitted first, and its message is waited for no longer than others.
    """
    speech_pb2_grpc.add_SpeechServicer_to_server(servicer, server)
    recognize = grpc.stream_unary_rpc_method_handler(
        servicer.Recognize,
        request_deserializer=pb.RecognizeRequest.FromString,
        response_serializer=pb.RecognizeResponse.SerializeToString,
    )
    list_models = grpc.stream_unary_rpc_method_handler(
        servicer.ListModels,
        request_deserializer=pb.ListModelsRequest.FromString,
        response_serializer=pb.ListModelsResponse.SerializeToString,
    )
    handlers = {"Recognize": recognize, "ListModels": list_models}
    server.add_registered_method_handlers(SPEECH, handlers)  # type: ignore[attr-defined] # no stub
