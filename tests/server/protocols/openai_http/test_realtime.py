"""Transcription sessions over a websocket: what is told, in which order, and what goes wrong."""

import asyncio
from dataclasses import replace

import httpx2
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Subprotocol

from auricle_server import ServerConfig, SpeechServer
from auricle_server.protocols.openai_http import HttpProtocol
from auricle_server.protocols.openai_http.realtime import turn
from auricle_types.errors import QueueFullError
from tests.server.protocols.openai_http.forms import error_of
from tests.server.protocols.openai_http.talk import (
    CLEAR,
    COMMIT,
    COMMITTED,
    COMPLETED,
    RATE,
    TRANSCRIPTION,
    HearingRecognizer,
    manual,
    talking,
)

SECRETS = "/v1/realtime/client_secrets"


@pytest.fixture
def recognizer() -> HearingRecognizer:
    return HearingRecognizer()


async def test_only_what_is_named_changes(server: SpeechServer) -> None:
    async with talking(server) as talk:
        session = talk.events[0]["session"]
        assert talk.events[0]["type"] == "session.created"
        assert session["id"].startswith("sess_")
        assert session["type"] == "transcription"
        assert session["audio"]["input"]["turn_detection"]["type"] == "server_vad"
        await talk.update(transcription={"model": "whisper-1", "language": "en"})
        again = await talk.update(turn_detection=None, transcription={"prompt": "A radio."})
        assert again["format"] == {"type": "audio/pcm", "rate": 24000}
        assert again["turn_detection"] is None
        assert again["transcription"] == {
            "model": "whisper-1",
            "language": "en",
            "prompt": "A radio.",
        }


async def test_the_client_commits(server: SpeechServer) -> None:
    async with manual(server) as talk:
        items, befores = [], []
        for _ in range(2):
            await talk.append(1.5)
            await talk.send(COMMIT)
            committed = await talk.until(COMMITTED)
            completed = await talk.until(COMPLETED)
            assert completed["item_id"] == committed["item_id"]
            assert completed["transcript"] == "level 0 beam 1 level 0 beam 1"
            assert completed["usage"] == {"type": "duration", "seconds": 1.5}
            items.append(committed["item_id"])
            befores.append(committed["previous_item_id"])
        assert befores == [None, items[0]]
        deltas = [each for each in talk.events if each["type"] == f"{TRANSCRIPTION}.delta"]
        told = "".join(each["delta"] for each in deltas if each["item_id"] == items[0])
        assert told == "level 0 beam 1 level 0 beam 1"


async def test_the_detector_commits(server: SpeechServer, recognizer: HearingRecognizer) -> None:
    async with talking(server) as talk:
        detection = {"threshold": 1, "prefix_padding_ms": 600, "silence_duration_ms": 350}
        pcm = {"type": "audio/pcm", "rate": RATE}
        await talk.update(format=pcm, turn_detection={"type": "server_vad", **detection})
        await talk.append(1.0)
        await talk.until(COMPLETED)
        await talk.append(1.0)
        second = await talk.until(COMPLETED)
        kinds = talk.kinds()[2:]
        assert kinds[: len(kinds) // 2] == kinds[len(kinds) // 2 :]
        assert kinds[: len(kinds) // 2] == [
            "input_audio_buffer.speech_started",
            "input_audio_buffer.speech_stopped",
            COMMITTED,
            "conversation.item.added",
            "conversation.item.done",
            f"{TRANSCRIPTION}.delta",
            COMPLETED,
        ]
        of_it = [each for each in talk.events if each.get("item_id") == second["item_id"]]
        assert of_it[0]["audio_start_ms"] == 400
        assert of_it[1]["audio_end_ms"] == 2000
        assert second["usage"]["seconds"] == 1.6
    asked = recognizer.asked
    assert asked is not None
    assert (asked.speech_threshold, asked.prefix_padding, asked.end_silence) == (0.95, 0.6, 0.35)


async def test_a_commit_ends_what_the_detector_hears(server: SpeechServer) -> None:
    async with talking(server) as talk:
        await talk.update(format={"type": "audio/pcm", "rate": RATE})
        await talk.send(COMMIT)  # of nothing, which is nobody's fault here
        await talk.append(0.5)
        await talk.send(COMMIT)
        completed = await talk.until(COMPLETED)
        assert completed["usage"]["seconds"] == 0.5
        assert await talk.asked(CLEAR) | {"event_id": ""} == {
            "type": "input_audio_buffer.cleared",
            "event_id": "",
        }


async def test_what_is_cleared_is_not_heard(server: SpeechServer) -> None:
    async with manual(server) as talk:
        await talk.append(2)
        await talk.send(CLEAR)
        await talk.until("input_audio_buffer.cleared")
        await talk.append(0.5)
        await talk.send(COMMIT)
        assert (await talk.until(COMPLETED))["usage"]["seconds"] == 0.5


async def test_a_failure_is_told_of_its_item(
    server: SpeechServer, recognizer: HearingRecognizer
) -> None:
    recognizer.error = QueueFullError("full")
    async with manual(server) as talk:
        await talk.append(2)
        await asyncio.to_thread(recognizer.came.wait, 20)
        await talk.send(COMMIT)
        committed = await talk.until(COMMITTED)
        while (failed := await talk.receive())["type"] != f"{TRANSCRIPTION}.failed":
            assert failed["type"] != COMPLETED
        assert failed["item_id"] == committed["item_id"]
        assert failed["error"]["code"] == "rate_limit_exceeded"
        recognizer.error = None
        await talk.append(0.5)
        await talk.send(COMMIT)
        await talk.until(COMPLETED)


async def test_too_much_audio(server: SpeechServer) -> None:
    async with manual(server) as talk:
        for _ in range(4):
            await talk.append(10)
        await talk.send(COMMIT)
        while (failed := await talk.receive())["type"] != f"{TRANSCRIPTION}.failed":
            assert failed["type"] != COMPLETED
        assert failed["error"]["code"] == "audio_too_long"


async def test_an_idle_socket_takes_no_place(
    recognizer: HearingRecognizer, config: ServerConfig
) -> None:
    small = replace(config, max_requests=1, max_open_requests=3)
    async with (
        SpeechServer(recognizer, small, protocols=(HttpProtocol,)) as server,
        manual(server),
        manual(server) as talk,
    ):
        await talk.append(0.5)
        await talk.send(COMMIT)
        await talk.until(COMPLETED)


async def test_a_full_server_refuses_the_handshake(
    recognizer: HearingRecognizer, config: ServerConfig
) -> None:
    small = replace(config, max_open_requests=1)
    async with (
        SpeechServer(recognizer, small, protocols=(HttpProtocol,)) as server,
        talking(server),
    ):
        with pytest.raises(InvalidStatus) as refused:
            async with talking(server):
                pass
    assert refused.value.response.status_code == 429


async def test_a_client_that_leaves_drops_its_work(
    server: SpeechServer, recognizer: HearingRecognizer
) -> None:
    recognizer.hold = True
    async with manual(server) as talk:
        await talk.append(2)
        await asyncio.to_thread(recognizer.came.wait, 20)
    assert await asyncio.to_thread(recognizer.dropped.wait, 20)


async def test_the_beta_form(server: SpeechServer) -> None:
    header = {"OpenAI-Beta": "realtime=v1"}
    async with talking(server, "/v1/realtime?model=x", headers=header) as talk:
        assert talk.kinds() == ["transcription_session.created"]
        session = {"input_audio_format": "g711_ulaw", "turn_detection": None}
        await talk.send({"type": "transcription_session.update", "session": session})
        updated = (await talk.until("transcription_session.updated"))["session"]
        assert updated["input_audio_format"] == "g711_ulaw"
        assert updated["turn_detection"] is None
        await talk.append(1)  # 32,000 bytes are 4 s of mu-law
        await talk.send(COMMIT)
        assert (await talk.until(COMPLETED))["usage"]["seconds"] == 4
        assert "conversation.item.created" in talk.kinds()


async def test_browsers_name_their_key_as_a_protocol(server: SpeechServer) -> None:
    offered = [Subprotocol("realtime"), Subprotocol("openai-insecure-api-key.none")]
    async with talking(server, subprotocols=offered) as talk:
        assert talk.connection.subprotocol == "realtime"


async def test_an_item_can_be_deleted(server: SpeechServer) -> None:
    async with talking(server) as talk:
        answer = await talk.asked({"type": "conversation.item.delete", "item_id": "item_1"})
        assert (answer["type"], answer["item_id"]) == ("conversation.item.deleted", "item_1")


async def test_a_client_secret_holds_the_settings(
    server: SpeechServer, client: httpx2.AsyncClient
) -> None:
    session = {"type": "transcription", "audio": {"input": {"turn_detection": None}}}
    made = (await client.post(SECRETS, json={"session": session})).json()
    assert made["value"].startswith("ek_")
    assert made["session"]["audio"]["input"]["turn_detection"] is None
    header = {"Authorization": f"Bearer {made['value']}"}
    async with talking(server, headers=header) as talk:
        assert talk.events[0]["session"]["audio"]["input"]["turn_detection"] is None
    offered = [Subprotocol("realtime"), Subprotocol(f"openai-insecure-api-key.{made['value']}")]
    async with talking(server, subprotocols=offered) as talk:
        assert talk.events[0]["session"]["audio"]["input"]["turn_detection"] is None


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400),
        (b'{"session": {"type": "realtime"}}', 400),
        (b'{"expires_after": {"seconds": 1}}', 400),
        (b'{"session": {"audio": {"input": {"transcription": {"model": "none"}}}}}', 404),
        (b'{"a": "' + 100_000 * b"a" + b'"}', 413),
    ],
)
async def test_a_client_secret_is_refused(
    client: httpx2.AsyncClient, body: bytes, status: int
) -> None:
    response = await client.post(SECRETS, content=body)
    assert response.status_code == status
    assert error_of(response)["type"] == "invalid_request_error"


async def test_the_server_stops(recognizer: HearingRecognizer, config: ServerConfig) -> None:
    recognizer.hold = True
    async with (
        SpeechServer(recognizer, config, protocols=(HttpProtocol,)) as server,
        manual(server) as talk,
    ):
        await talk.append(2)
        await asyncio.to_thread(recognizer.came.wait, 20)
        await server.stop(drain=0)
        with pytest.raises(ConnectionClosed):
            await talk.receive()
        assert await asyncio.to_thread(recognizer.dropped.wait, 20)


# --- turns that the detector ends ----------------------------------------------------------------

PCM = {"type": "audio/pcm", "rate": RATE}


async def test_a_turn_without_audio_ends(
    recognizer: HearingRecognizer, config: ServerConfig
) -> None:
    hasty = replace(config, stream_idle_seconds=0.6)
    async with (
        SpeechServer(recognizer, hasty, protocols=(HttpProtocol,)) as server,
        talking(server) as talk,
    ):
        await talk.update(format=PCM)
        for _ in range(2):
            await talk.append(0.5)
            assert (await talk.until(COMPLETED))["usage"]["seconds"] == 0.5


async def test_what_was_cleared_is_not_told(
    server: SpeechServer, recognizer: HearingRecognizer
) -> None:
    async with talking(server) as talk:
        await talk.update(format=PCM)
        recognizer.hold = True
        await talk.append(1.5)  # an utterance, and the begin of another one
        committed = await talk.until(COMMITTED)
        await asyncio.to_thread(recognizer.came.wait, 20)
        await talk.send(CLEAR)
        await talk.until("input_audio_buffer.cleared")
        recognizer.hold = False
        recognizer.finish(0)
        assert (await talk.until(COMPLETED))["item_id"] == committed["item_id"]
        await talk.append(1)
        second = await talk.until(COMPLETED)
        assert [each["item_id"] for each in talk.events if each["type"] == COMMITTED] == [
            committed["item_id"],
            second["item_id"],
        ]


async def test_a_failure_is_told_once(
    server: SpeechServer, recognizer: HearingRecognizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turn, "PAUSE_SECONDS", 60)
    recognizer.error = QueueFullError("full")
    async with talking(server) as talk:
        await talk.update(format=PCM)
        await talk.append(1)
        while (failed := await talk.receive())["type"] != f"{TRANSCRIPTION}.failed":
            assert failed["type"] != "error"
        for _ in range(10):
            await talk.append(0.1)
        answer = await talk.asked({"type": "conversation.item.delete", "item_id": "item_1"})
        assert answer["type"] == "conversation.item.deleted"


async def test_new_settings_end_the_turn(server: SpeechServer) -> None:
    async with talking(server) as talk:
        await talk.update(format=PCM)
        await talk.append(0.5)
        await talk.update(turn_detection=None)
        assert (await talk.until(COMPLETED))["usage"]["seconds"] == 0.5
        await talk.append(0.5)
        await talk.send(COMMIT)
        await talk.until(COMPLETED)
        await talk.append(0.5)
        session = {"audio": {"input": {"format": {"type": "audio/pcmu"}}}}
        answer = await talk.asked({"type": "session.update", "session": session})
        assert answer["error"]["param"] == "session.audio.input.format"


async def test_pages_of_other_sites_are_refused(server: SpeechServer) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with talking(server, headers={"Origin": "https://elsewhere.example"}):
            pass
    assert refused.value.response.status_code == 400
    async with talking(server, headers={"Origin": f"http://127.0.0.1:{server.port}"}):
        pass
