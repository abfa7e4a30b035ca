"""Keys that a browser gets in place of the operator's, each with the settings of its session."""

import secrets
import time
from typing import Any

from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, Response

from auricle_server.config import ServerConfig
from auricle_server.protocols.openai_http.body import Arriving
from auricle_server.protocols.openai_http.realtime.outbox import session_object
from auricle_server.protocols.openai_http.realtime.settings import (
    Fields,
    RealtimeSettings,
    checked_object,
    invalid,
)
from auricle_server.protocols.openai_http.status import failure_of
from auricle_server.service import SpeechService
from auricle_types.parsing import parse_json

MOST_SECRETS = 1024  # the oldest one is forgotten
MOST_BYTES = 64 * 1024  # of a request
SECONDS = 600  # that a key holds, unless the client says otherwise
LEAST_SECONDS, MOST_SECONDS = 10, 7200
BEARER = "bearer "
KEY_PROTOCOL = "openai-insecure-api-key."


class ClientSecrets:
    """Makes keys and finds their settings; a connection without such a key has the defaults."""

    def __init__(self, service: SpeechService, config: ServerConfig) -> None:
        """Take settings that `service` can serve; wait for them as long as `config` allows."""
        self._service = service
        self._patience = config.stream_idle_seconds
        self._made: dict[str, tuple[float, RealtimeSettings]] = {}  # with the end of each

    async def answer(self, request: Request) -> Response:
        """Answer with a new key; whatever is wrong becomes an answer, too."""
        try:
            arriving = Arriving(request.receive, MOST_BYTES, self._patience)
            body = _parsed(await Request(request.scope, arriving).body())
            settings = RealtimeSettings.default().updated(_field(body, "session"))
            self._service.check_model(settings.task(takes_prompt=False).model)
            return JSONResponse(self._secret(settings, _seconds(body)))
        except Exception as error:  # noqa: BLE001 - the last line of defence: it serves on
            return failure_of(error).response

    def settings(self, connection: HTTPConnection) -> RealtimeSettings:
        """Return the settings with which a connection begins."""
        end, settings = self._made.get(_key(connection), (0.0, None))
        return settings if settings and time.time() < end else RealtimeSettings.default()

    def _secret(self, settings: RealtimeSettings, seconds: int) -> dict[str, Any]:
        value, end = f"ek_{secrets.token_hex(16)}", int(time.time()) + seconds
        self._made[value] = end, settings
        if len(self._made) > MOST_SECRETS:
            del self._made[next(iter(self._made))]
        session = session_object(settings, f"sess_{secrets.token_hex(10)}")
        return {"value": value, "expires_at": end, "session": session}


def _key(connection: HTTPConnection) -> str:
    given = connection.headers.get("authorization", "")
    if given.lower().startswith(BEARER):
        return given[len(BEARER) :].strip()
    offered: list[str] = connection.scope.get("subprotocols", [])
    keys = (each for each in offered if each.startswith(KEY_PROTOCOL))
    return next(keys, "").removeprefix(KEY_PROTOCOL)


def _parsed(body: bytes) -> Fields:
    try:
        return checked_object("", parse_json(body or b"{}"))
    except ValueError as error:
        raise invalid("", "the body is no JSON") from error


def _field(body: Fields, name: str) -> Fields:
    return checked_object(name, body.get(name))


def _seconds(body: Fields) -> int:
    seconds = _field(body, "expires_after").get("seconds", SECONDS)
    if type(seconds) is not int or not LEAST_SECONDS <= seconds <= MOST_SECONDS:
        param = "expires_after.seconds"
        raise invalid(param, f"{param} must be {LEAST_SECONDS} to {MOST_SECONDS}")
    return seconds
