"""The websockets of realtime clients: how each begins, counts as a request, and ends."""

from urllib.parse import urlsplit

from starlette.websockets import WebSocket, WebSocketState

from auricle_server.config import ServerConfig
from auricle_server.middleware.call import Call
from auricle_server.protocols.openai_http.realtime.secrets import ClientSecrets
from auricle_server.protocols.openai_http.realtime.session import RealtimeContext, RealtimeSession
from auricle_server.protocols.openai_http.recognitions import PROMPTED_FAMILIES, peer
from auricle_server.protocols.openai_http.status import failure_of
from auricle_server.service import SpeechService
from auricle_types.errors import InvalidRequestError
from auricle_types.quoting import quoted

METHOD = "Realtime"
SUBPROTOCOL = "realtime"  # of browsers, which name their key as another one
INTERNAL_ERROR = 1011


class RealtimeSockets:
    """Serves transcription sessions by a service."""

    def __init__(
        self, service: SpeechService, config: ServerConfig, secrets: ClientSecrets
    ) -> None:
        """Serve by `service`, within the limits of `config`; `secrets` may hold settings."""
        self._service = service
        self._secrets = secrets
        self._patience = config.stream_idle_seconds / 2  # before the service loses its own

    async def serve(self, websocket: WebSocket) -> None:
        """Serve one client until it leaves; refuse it where the server is full or stops."""
        call = Call.starting(METHOD, peer(websocket), None)
        call.facts["request_id"] = websocket.scope.get("request_id", "")
        with self._service.recorded(call):
            try:
                check_origin(websocket)
                with self._service.receiving(call):
                    await self._serve(websocket, call)
            except Exception as error:  # noqa: BLE001 - the last line of defence: it serves on
                failure = failure_of(error)
                call.fail(failure.name, failure.reason)
                if websocket.application_state is WebSocketState.CONNECTING:
                    await websocket.send_denial_response(failure.response)
                else:
                    await websocket.close(INTERNAL_ERROR)

    async def _serve(self, websocket: WebSocket, call: Call) -> None:
        offered = websocket.scope.get("subprotocols", [])
        await websocket.accept(SUBPROTOCOL if SUBPROTOCOL in offered else None)
        takes_prompt = self._service.recognizer.config.family in PROMPTED_FAMILIES
        context = RealtimeContext(self._service, call.peer, takes_prompt, self._patience)
        settings = self._secrets.settings(websocket)
        await RealtimeSession(websocket, context, settings).run()


def check_origin(websocket: WebSocket) -> None:
    """Raise InvalidRequestError for a web page from elsewhere.

    A browser lets every page open a websocket to this machine, and says where the page is from.
    Other clients say nothing.
    """
    origin = websocket.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != websocket.headers.get("host"):
        raise InvalidRequestError(
            f"pages of {quoted(origin)} may not connect; serve the page from this server's address"
        )
