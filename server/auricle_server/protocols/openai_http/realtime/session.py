"""One session: reads the events of a client, and begins and ends the turns."""

import asyncio
import base64
import binascii
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from starlette.websockets import WebSocket

from auricle_server.middleware.call import Call
from auricle_server.protocols.openai_http.realtime.inbox import TurnInbox
from auricle_server.protocols.openai_http.realtime.outbox import SessionOutbox
from auricle_server.protocols.openai_http.realtime.settings import (
    Fields,
    RealtimeSettings,
    from_beta,
    invalid,
)
from auricle_server.protocols.openai_http.realtime.turn import (
    DetectedTurn,
    ManualTurn,
    RealtimeTurn,
)
from auricle_server.protocols.openai_http.status import InvalidFieldError, failure_of
from auricle_server.service import SpeechService
from auricle_types.parsing import parse_json
from auricle_types.quoting import quoted

LEAST_SECONDS = 0.1  # of audio in a commit, as OpenAI wants it
MOST_TURNS = 4  # of one session at once; the next one waits
METHOD = "RealtimeTurn"


@dataclass(frozen=True, slots=True)
class RealtimeContext:
    """What a session needs to know of its server and its client."""

    service: SpeechService
    peer: str
    takes_prompt: bool
    patience: float  # seconds without audio after which a turn gives its place back


class RealtimeSession:
    """Answers the events of one client, one at a time."""

    def __init__(
        self, websocket: WebSocket, context: RealtimeContext, settings: RealtimeSettings
    ) -> None:
        """Serve `websocket`, which begins with `settings`."""
        self._websocket = websocket
        self._context = context
        self._outbox = SessionOutbox(websocket)
        self._settings = settings
        self._turn: RealtimeTurn | None = None  # that takes the audio
        self._turns: dict[RealtimeTurn, asyncio.Task[None]] = {}  # that are not over
        self._seconds = 0.0  # of audio before the turn
        self._answers: dict[str, Callable[[Fields], Awaitable[None]]] = {
            "session.update": self._update,
            "transcription_session.update": self._update_beta,
            "input_audio_buffer.append": self._append,
            "input_audio_buffer.commit": self._commit,
            "input_audio_buffer.clear": self._clear,
            "conversation.item.delete": self._delete,
        }

    async def run(self) -> None:
        """Answer until the client leaves, then drop the unfinished work."""
        await self._outbox.created(self._settings)
        try:
            while (message := await self._websocket.receive())["type"] == "websocket.receive":
                await self._answer(message.get("text") or message.get("bytes") or "")
        finally:
            tasks = list(self._turns.values())
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _answer(self, text: str | bytes) -> None:
        event_id = None
        try:
            event = _parsed(text)
            event_id = _text(event, "event_id")
            kind = event.get("type")
            if not isinstance(kind, str) or kind not in self._answers:
                known = ", ".join(self._answers)
                raise invalid("type", f"type must be one of {known}, not {quoted(str(kind))}")
            await self._answers[kind](event)
        except Exception as error:  # noqa: BLE001 - the last line of defence: it serves on
            await self._outbox.error(failure_of(error), event_id)

    # --- settings --------------------------------------------------------------------------------

    async def _update(self, event: Fields) -> None:
        await self._set(self._settings.updated(_session(event)), is_flat=False)

    async def _update_beta(self, event: Fields) -> None:
        await self._set(self._settings.updated(from_beta(_session(event))), is_flat=True)

    async def _set(self, settings: RealtimeSettings, *, is_flat: bool) -> None:
        task = settings.task(takes_prompt=self._context.takes_prompt)
        self._context.service.check_model(task.model)
        await self._leave(settings)
        self._settings = settings
        await self._outbox.updated(settings, is_flat=is_flat)

    async def _leave(self, settings: RealtimeSettings) -> None:
        """End the turn to which other settings than the new ones apply."""
        if isinstance(self._turn, DetectedTurn) and settings != self._settings:
            self._turn.inbox.close()
            self._end_turn()
        elif isinstance(self._turn, ManualTurn):
            if settings.format != self._settings.format:
                param = "session.audio.input.format"
                raise invalid(param, "commit or clear the audio before you change its format")
            if settings.turn_detection is not None:
                await self._turn.commit()
                self._end_turn()

    # --- audio -----------------------------------------------------------------------------------

    async def _append(self, event: Fields) -> None:
        audio = _audio(event)
        if audio:
            turn = self._turn
            if turn is None or not self._takes_audio(turn):
                turn = await self._begin()
            await turn.append(audio)

    def _takes_audio(self, turn: RealtimeTurn) -> bool:
        """Whether more audio belongs to `turn`; one that failed swallows it for a while."""
        if isinstance(turn, ManualTurn) or not turn.inbox.closed:
            return True
        return turn.failed and turn in self._turns

    async def _commit(self, event: Fields) -> None:
        turn = self._turn
        if isinstance(turn, DetectedTurn):
            await turn.commit()
        elif self._settings.turn_detection is None:
            seconds = 0.0 if turn is None else turn.seconds
            if turn is None or seconds < LEAST_SECONDS:
                raise _too_small(seconds)
            await turn.commit()
            self._end_turn()

    async def _clear(self, event: Fields) -> None:
        turn = self._turn
        if isinstance(turn, DetectedTurn):
            turn.clear()
        elif turn is not None and turn in self._turns:
            self._turns[turn].cancel()
        self._end_turn()
        await self._outbox.say("input_audio_buffer.cleared")

    async def _delete(self, event: Fields) -> None:
        await self._outbox.say("conversation.item.deleted", item_id=_text(event, "item_id"))

    # --- turns -----------------------------------------------------------------------------------

    async def _begin(self) -> RealtimeTurn:
        while len(self._turns) >= MOST_TURNS:
            await asyncio.wait(self._turns.values(), return_when=asyncio.FIRST_COMPLETED)
        self._end_turn()
        turn = self._turn = self._made()
        call = Call.starting(METHOD, self._context.peer, None)
        task = self._turns[turn] = asyncio.create_task(turn.run(self._context.service, call))
        task.add_done_callback(lambda _: self._turns.pop(turn))
        return turn

    def _made(self) -> RealtimeTurn:
        settings, context = self._settings, self._context
        task = settings.task(takes_prompt=context.takes_prompt)
        if settings.turn_detection is None:
            return ManualTurn(settings, TurnInbox(task, None), self._outbox)
        inbox = TurnInbox(task, context.patience)
        return DetectedTurn(settings, inbox, self._outbox, self._seconds)

    def _end_turn(self) -> None:
        if self._turn is not None:
            self._seconds += self._turn.seconds
            self._turn = None


def _parsed(text: str | bytes) -> dict[str, Any]:
    try:
        event = parse_json(text)
    except ValueError as error:
        raise invalid("", "the message is no JSON") from error
    if not isinstance(event, dict):
        raise invalid("", "the message must be a JSON object")
    return event


def _text(event: Fields, name: str) -> str | None:
    value = event.get(name)
    return value if isinstance(value, str) else None


def _session(event: Fields) -> Fields:
    session = event.get("session")
    if not isinstance(session, dict):
        raise invalid("session", "session must be an object")
    return session


def _audio(event: Fields) -> bytes:
    audio = event.get("audio")
    if not isinstance(audio, str):
        raise invalid("audio", "audio must be a text in base64")
    try:
        return base64.b64decode(audio, validate=True)
    except (ValueError, binascii.Error) as error:
        raise invalid("audio", "audio is not base64") from error


def _too_small(seconds: float) -> InvalidFieldError:
    wanted, has = f"{1000 * LEAST_SECONDS:.0f}ms", f"{1000 * seconds:.2f}ms"
    return invalid(
        "",
        "Error committing input audio buffer: buffer too small. "
        f"Expected at least {wanted} of audio, but buffer only has {has} of audio.",
        "input_audio_buffer_commit_empty",
    )
