"""Transcriptions and translations: a form in, words in OpenAI's formats out."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, aclosing

from starlette.requests import HTTPConnection, Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from auricle_server.config import ServerConfig
from auricle_server.middleware.call import CANCELLED, OK, Call
from auricle_server.protocols.openai_http import answers
from auricle_server.protocols.openai_http.body import received
from auricle_server.protocols.openai_http.convert import FormTask, form_task
from auricle_server.protocols.openai_http.inbox import FormInbox
from auricle_server.protocols.openai_http.leaving import unless_left
from auricle_server.protocols.openai_http.status import failure_of
from auricle_server.service import SpeechService
from auricle_types.events import FinalSegment, FinalTranscript
from auricle_types.options import Task

PROMPTED_FAMILIES = ("whisper",)  # OpenAI ignores a prompt where a model takes none
METHODS: dict[Task, str] = {"transcribe": "Transcriptions", "translate": "Translations"}


class Recognitions:
    """Answers requests by a service."""

    def __init__(self, service: SpeechService, config: ServerConfig) -> None:
        """Answer by `service`, within the limits of `config`."""
        self._service = service
        self._config = config

    async def answer(self, request: Request, task: Task) -> Response:
        """Read a request and answer it; whatever goes wrong becomes an answer, too."""
        call = Call.starting(METHODS[task], peer(request), None)
        call.facts["request_id"] = request.scope.get("request_id", "")
        async with AsyncExitStack() as stack:
            stack.enter_context(self._service.recorded(call))
            try:
                return await self._answer(request, task, call, stack)
            except Exception as error:  # noqa: BLE001 - the last line of defence: it serves on
                failure = failure_of(error)
                call.fail(failure.name, failure.reason)
                return failure.response

    async def _answer(
        self, request: Request, task: Task, call: Call, stack: AsyncExitStack
    ) -> Response:
        with self._service.receiving(call):
            form = await stack.enter_async_context(received(request, self._config))
        model = self._service.recognizer.config
        wanted = form_task(form, task, takes_prompt=model.family in PROMPTED_FAMILIES)
        inbox = FormInbox(form, wanted.recognition)
        if wanted.is_stream:
            lines = self._lines(inbox, wanted, call)
            first = await unless_left(request, _first(lines))  # its error is the answer's status
            return EventStream(first, lines, call, stack.pop_all())
        transcript = await unless_left(request, self._service.recognize(inbox, call))
        return answers.answer(transcript, wanted, model.language)

    async def _lines(
        self, inbox: FormInbox, wanted: FormTask, call: Call
    ) -> AsyncGenerator[bytes, None]:
        """Write each segment as new text as soon as it is final, then all of the text."""
        before, has_logprobs = "", wanted.has_logprobs
        async with aclosing(self._service.recording(inbox, call)) as events:
            async for event in events:
                if isinstance(event, FinalSegment) and event.segment.text:
                    yield answers.delta(before, event.segment, has_logprobs=has_logprobs)
                    before = event.segment.text
                elif isinstance(event, FinalTranscript):
                    yield answers.done(event.transcript, has_logprobs=has_logprobs)


class EventStream(StreamingResponse):
    """Server-sent events, as they come; it holds what they need until the last one is sent."""

    def __init__(
        self,
        first: bytes,
        lines: AsyncGenerator[bytes, None],
        call: Call,
        resources: AsyncExitStack,
    ) -> None:
        """Send `first` and the other `lines`, then close `resources`."""
        super().__init__(self._told(first), media_type="text/event-stream")
        self._lines = lines
        self._call = call
        self._resources = resources

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the events; those of a client that leaves are dropped with their work."""
        async with self._resources, aclosing(self._lines):
            self._call.code = CANCELLED  # until the last event was sent
            await super().__call__(scope, receive, send)

    async def _told(self, first: bytes) -> AsyncIterator[bytes]:
        """Give the events; an error in their midst is an event, too."""
        yield first
        try:
            async for line in self._lines:
                yield line
            self._call.code = OK
        except Exception as error:  # noqa: BLE001 - the status was sent long ago
            failure = failure_of(error)
            self._call.fail(failure.name, failure.reason)
            yield answers.server_sent(failure.body)


def peer(request: HTTPConnection) -> str:
    """Name the client's address as gRPC does, so that the limits count it once."""
    if request.client is None:
        return "unknown"
    host, port = request.client
    return f"ipv6:[{host}]:{port}" if ":" in host else f"ipv4:{host}:{port}"


async def _first(lines: AsyncGenerator[bytes, None]) -> bytes:
    return await anext(lines)
