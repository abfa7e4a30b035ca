"""What is wrong with an event is told, and the session stays open."""

from typing import Any

import pytest

from auricle_server import SpeechServer
from tests.server.protocols.openai_http.talk import COMMIT, COMPLETED, manual, talking


@pytest.mark.parametrize(
    ("event", "code", "param"),
    [
        ({"type": "no.such.event"}, "invalid_value", "type"),
        ({"type": "input_audio_buffer.append", "audio": "***"}, "invalid_value", "audio"),
        ({"type": "input_audio_buffer.append"}, "invalid_value", "audio"),
        (COMMIT, "input_audio_buffer_commit_empty", None),
        ({"type": "session.update"}, "invalid_value", "session"),
        (
            {"type": "session.update", "session": {"type": "realtime"}},
            "invalid_value",
            "session.type",
        ),
        (["no object"], "invalid_value", None),
    ],
)
async def test_an_error_leaves_the_session_open(
    server: SpeechServer, event: object, code: str, param: str | None
) -> None:
    async with manual(server) as talk:
        named = {**event, "event_id": "mine"} if isinstance(event, dict) else event
        answer = await talk.asked(named)
        assert answer["type"] == "error"
        error = answer["error"]
        assert error["type"] == "invalid_request_error"
        assert (error["code"], error["param"]) == (code, param)
        assert error["event_id"] == ("mine" if isinstance(event, dict) else None)
        await talk.append(0.5)
        await talk.send(COMMIT)
        await talk.until(COMPLETED)


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"format": {"type": "audio/midi"}}, "invalid_value"),
        ({"format": {"type": "audio/pcm", "rate": 7}}, "invalid_value"),
        ({"turn_detection": {"threshold": 2}}, "invalid_value"),
        ({"turn_detection": {"silence_duration_ms": float("nan")}}, "invalid_value"),
        ({"turn_detection": {"type": "telepathy"}}, "invalid_value"),
        ({"transcription": {"model": "none/such"}}, "model_not_found"),
        ({"transcription": {"language": "xx"}}, "invalid_language_format"),
        ({"transcription": {"prompt": "\ud800"}}, "invalid_value"),
        ({"transcription": "whisper-1"}, "invalid_value"),
    ],
)
async def test_settings_that_nothing_can_hold(
    server: SpeechServer, given: dict[str, Any], code: str
) -> None:
    async with talking(server) as talk:
        session = {"audio": {"input": given}}
        answer = await talk.asked({"type": "session.update", "session": session})
        assert answer["type"] == "error"
        assert answer["error"]["code"] == code
        assert (await talk.update())["format"] == {"type": "audio/pcm", "rate": 24000}


async def test_broken_json(server: SpeechServer) -> None:
    async with talking(server) as talk:
        for text in ("{ this is no json", "[" * 100_000, b"\xff"):
            await talk.connection.send(text)
            assert (await talk.receive())["type"] == "error"
