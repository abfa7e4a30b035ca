"""Writes the events of a session and sends them."""

import json
import uuid
from contextlib import suppress
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect

from auricle_server.protocols.openai_http.answers import logprobs
from auricle_server.protocols.openai_http.realtime.item import RealtimeItem
from auricle_server.protocols.openai_http.realtime.settings import BETA_FORMATS, RealtimeSettings
from auricle_server.protocols.openai_http.status import HttpFailure

BETA = "realtime=v1", "openai-beta.realtime-v1"  # the header OpenAI-Beta, or a subprotocol
TRANSCRIPTION = "conversation.item.input_audio_transcription"


class SessionOutbox:
    """Tells one client what happens, in the form that it asks for."""

    def __init__(self, websocket: WebSocket) -> None:
        """Send the events to `websocket`."""
        self._websocket = websocket
        asked = websocket.headers.get("openai-beta", ""), *websocket.scope.get("subprotocols", [])
        self._is_beta = any(each in asked for each in BETA)
        self._session = f"sess_{uuid.uuid4().hex[:21]}"
        self._last: str | None = None  # the item that was committed before

    async def say(self, kind: str, **fields: Any) -> None:  # noqa: ANN401 - whatever JSON holds
        """Send one event; nothing happens where the client has gone."""
        event = {"type": kind, "event_id": f"event_{uuid.uuid4().hex[:21]}", **fields}
        with suppress(WebSocketDisconnect):
            await self._websocket.send_text(json.dumps(event))

    async def created(self, settings: RealtimeSettings) -> None:
        """Send the first event."""
        await self._settings("created", settings, is_flat=self._is_beta)

    async def updated(self, settings: RealtimeSettings, *, is_flat: bool) -> None:
        """Confirm an update, in the form of today or flat as in the beta."""
        await self._settings("updated", settings, is_flat=is_flat)

    async def committed(self, item: RealtimeItem) -> None:
        """Tell that the audio of an item is complete."""
        item.committed = True
        place = {"previous_item_id": self._last}
        self._last = item.id
        await self.say("input_audio_buffer.committed", item_id=item.id, **place)
        if self._is_beta:
            await self.say("conversation.item.created", item=item.message, **place)
        else:
            await self.say("conversation.item.added", item=item.message, **place)
            await self.say("conversation.item.done", item=item.message, **place)

    async def delta(self, item: RealtimeItem, text: str) -> None:
        """Tell new text of an item, if there is any."""
        if text:
            await self._of(item, "delta", delta=text)

    async def completed(self, item: RealtimeItem, seconds: float, *, has_logprobs: bool) -> None:
        """Tell all that was said in the `seconds` of an item."""
        usage = {"type": "duration", "seconds": round(seconds, 3)}
        more = {"logprobs": logprobs(tuple(item.segments))} if has_logprobs else {}
        await self._of(item, "completed", transcript=item.text, usage=usage, **more)

    async def failed(self, item: RealtimeItem, failure: HttpFailure) -> None:
        """Tell that an item will have no transcript."""
        await self._of(item, "failed", error=failure.body["error"])

    async def error(self, failure: HttpFailure, event_id: str | None = None) -> None:
        """Tell what is wrong with the event that has `event_id`."""
        await self.say("error", error=failure.body["error"] | {"event_id": event_id})

    async def _settings(self, what: str, settings: RealtimeSettings, *, is_flat: bool) -> None:
        kind = "transcription_session" if is_flat else "session"
        session = session_object(settings, self._session, is_flat=is_flat)
        await self.say(f"{kind}.{what}", session=session)

    async def _of(self, item: RealtimeItem, what: str, **fields: Any) -> None:  # noqa: ANN401
        await self.say(f"{TRANSCRIPTION}.{what}", item_id=item.id, content_index=0, **fields)


def session_object(
    settings: RealtimeSettings, name: str, *, is_flat: bool = False
) -> dict[str, Any]:
    """Write all settings of the session `name`, in the form of today or flat as in the beta."""
    named = {
        "object": "realtime.transcription_session",
        "id": name,
        "expires_at": None,
        "include": list(settings.include),
    }
    return named | (_flat(settings) if is_flat else _nested(settings))


def _nested(settings: RealtimeSettings) -> dict[str, Any]:
    given = {
        "format": settings.format,
        "noise_reduction": settings.noise_reduction,
        "transcription": settings.transcription,
        "turn_detection": settings.turn_detection,
    }
    return {"type": "transcription", "audio": {"input": given}}


def _flat(settings: RealtimeSettings) -> dict[str, Any]:
    names = {new: old for old, new in BETA_FORMATS.items()}
    return {
        "input_audio_format": names[settings.format["type"]],
        "input_audio_noise_reduction": settings.noise_reduction,
        "input_audio_transcription": settings.transcription,
        "turn_detection": settings.turn_detection,
    }
