"""The HTTP application: its paths, its errors, and an id for each answer."""

import uuid

from fastapi import FastAPI
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from auricle.version import __version__
from auricle_server.config import ServerConfig
from auricle_server.protocols.openai_http.pages import Pages
from auricle_server.protocols.openai_http.realtime import ClientSecrets, RealtimeSockets
from auricle_server.protocols.openai_http.recognitions import Recognitions
from auricle_server.protocols.openai_http.schema import FIELDS, TRANSCRIPTION_FIELDS, form_schema
from auricle_server.protocols.openai_http.status import failure_of
from auricle_server.service import SpeechService
from auricle_types.errors import AuricleError
from auricle_types.quoting import quoted


def http_app(service: SpeechService, config: ServerConfig) -> ASGIApp:
    """Make the application that answers by `service`."""
    app = FastAPI(title="Auricle", version=__version__, docs_url=None, redoc_url=None)
    for kind in (HTTPException, AuricleError, Exception):
        app.add_exception_handler(kind, _refused)
    add_recognitions(app, Recognitions(service, config))
    add_pages(app, Pages(service))
    add_realtime(app, service, config)
    return RequestIds(app)


def add_recognitions(app: FastAPI, recognitions: Recognitions) -> None:
    """Add the paths that take audio."""

    @app.post(
        "/v1/audio/transcriptions",
        response_class=Response,
        openapi_extra=form_schema(TRANSCRIPTION_FIELDS),
    )
    async def transcriptions(request: Request) -> Response:
        """Answer with the words of a recording."""
        return await recognitions.answer(request, "transcribe")

    @app.post("/v1/audio/translations", response_class=Response, openapi_extra=form_schema(FIELDS))
    async def translations(request: Request) -> Response:
        """Answer with the words of a recording in English."""
        return await recognitions.answer(request, "translate")


def add_realtime(app: FastAPI, service: SpeechService, config: ServerConfig) -> None:
    """Add the websocket of live speech, and the keys for it."""
    secrets = ClientSecrets(service, config)
    app.websocket("/v1/realtime")(RealtimeSockets(service, config, secrets).serve)

    @app.post("/v1/realtime/client_secrets", response_class=Response)
    async def client_secrets(request: Request) -> Response:
        """Answer with a key for one session, which has its settings."""
        return await secrets.answer(request)


def add_pages(app: FastAPI, pages: Pages) -> None:
    """Add the paths that take nothing."""
    app.get("/v1/models")(pages.models)
    app.get("/v1/models/{name:path}")(pages.model)
    app.get("/health")(pages.ready)
    app.get("/health/live")(pages.live)
    app.get("/health/ready")(pages.ready)


class RequestIds:
    """Gives each answer an id of its own, which the log has, too."""

    def __init__(self, app: ASGIApp) -> None:
        """Name the answers of `app`."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and name its answer."""
        name = scope["request_id"] = f"req_{uuid.uuid4().hex}"

        async def send_named(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["x-request-id"] = name
            await send(message)

        await self._app(scope, receive, send_named)


async def _refused(request: Request, error: Exception) -> Response:
    if isinstance(error, HTTPException):  # of a path or a method that there is not
        asked = quoted(f"{request.method} {request.url.path}")
        error = HTTPException(error.status_code, f"{error.detail}: {asked}", error.headers)
    return failure_of(error).response
