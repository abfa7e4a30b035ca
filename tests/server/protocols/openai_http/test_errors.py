"""What is refused, and how: OpenAI's bodies, never a 5xx for what a client sends."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import httpx2
import pytest

from auricle_server import ServerConfig, SpeechServer
from auricle_server.protocols.openai_http import HttpProtocol
from auricle_types.errors import AuricleError, EngineStoppedError, QueueFullError
from tests.server.fakes import FakeRecognizer, wav
from tests.server.protocols.openai_http.forms import AUDIO, PATH, error_of, transcribed

FORM = "multipart/form-data; boundary=B"
HEAD = b'--B\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
JSON = "application/json"
FULL = QueueFullError("full", retry_after=2.5)


@pytest.mark.parametrize(
    ("fields", "status", "param", "code"),
    [
        ({"model": "none/such"}, 404, "model", "model_not_found"),
        ({"language": "xx"}, 400, "language", "invalid_language_format"),
        ({"response_format": "mp3"}, 400, "response_format", "invalid_option"),
        ({"temperature": "7"}, 400, "temperature", "invalid_option"),
        ({"temperature": "nan"}, 400, "temperature", "invalid_option"),
        ({"stream": "maybe"}, 400, "stream", "invalid_option"),
        ({"hotwords": "a" * 200}, 400, None, "invalid_option"),
        (
            {"response_format": "verbose_json", "timestamp_granularities[]": "hour"},
            400,
            "timestamp_granularities",
            "invalid_option",
        ),
        ({"timestamp_granularities[]": "word"}, 400, "timestamp_granularities", "invalid_option"),
    ],
)
async def test_fields(
    client: httpx2.AsyncClient, fields: dict[str, Any], status: int, param: str, code: str
) -> None:
    response = await transcribed(client, fields)
    assert response.status_code == status
    error = error_of(response)
    assert (error["type"], error["param"], error["code"]) == ("invalid_request_error", param, code)


@pytest.mark.parametrize("audio", [b"", b"this is no audio" * 99, AUDIO[:30]])
async def test_audio(client: httpx2.AsyncClient, audio: bytes) -> None:
    response = await transcribed(client, audio=audio)
    assert response.status_code == 400
    assert error_of(response)["code"].endswith("_audio")


@pytest.mark.parametrize(
    ("error", "status", "kind", "code", "retry"),
    [
        (FULL, 429, "rate_limit_error", "rate_limit_exceeded", "3"),
        (EngineStoppedError("stops"), 503, "server_error", "engine_stopped", "1"),
        (RuntimeError("secret"), 500, "server_error", "internal", None),
        (AuricleError("secret"), 500, "server_error", "unknown", None),
    ],
)  # fmt: skip
async def test_the_servers_side(
    client: httpx2.AsyncClient,
    recognizer: FakeRecognizer,
    error: Exception,
    status: int,
    kind: str,
    code: str,
    retry: str | None,
) -> None:
    recognizer.error = error
    response = await transcribed(client)
    found = error_of(response)
    assert (response.status_code, found["type"], found["code"]) == (status, kind, code)
    assert response.headers.get("retry-after") == retry
    assert "secret" not in found["message"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/no/such/path", 404),
        ("GET", "/v1/models/none", 404),
        ("GET", PATH, 405),
        ("DELETE", "/v1/models", 405),
    ],
)
async def test_paths(client: httpx2.AsyncClient, method: str, path: str, status: int) -> None:
    response = await client.request(method, path)
    assert response.status_code == status
    assert error_of(response)["type"] == "invalid_request_error"


# --- sizes and times -----------------------------------------------------------------------------


async def endless() -> AsyncIterator[bytes]:
    yield HEAD
    for _ in range(100):
        yield bytes(100_000)


async def test_too_many_bytes_without_a_length(client: httpx2.AsyncClient) -> None:
    response = await client.post(PATH, content=endless(), headers={"content-type": FORM})
    assert response.status_code == 413
    assert error_of(response)["code"] == "audio_too_large"


async def test_too_many_bytes_by_their_length(client: httpx2.AsyncClient) -> None:
    response = await transcribed(client, audio=wav(100))
    assert response.status_code == 413
    assert (await transcribed(client)).status_code == 200  # on the same connection


async def test_json_is_held_in_memory_and_so_is_limited(client: httpx2.AsyncClient) -> None:
    body = b'{"a": "' + 1_000_000 * b"a" + b'"}'
    response = await client.post(PATH, content=body, headers={"content-type": JSON})
    assert response.status_code == 413


async def test_too_many_seconds(client: httpx2.AsyncClient) -> None:
    response = await transcribed(client, audio=wav(31))
    assert response.status_code == 400
    assert error_of(response)["code"] == "audio_too_long"


async def test_a_body_that_stops_is_cut_off(
    recognizer: FakeRecognizer, config: ServerConfig
) -> None:
    hasty = replace(config, stream_idle_seconds=0.2)
    async with SpeechServer(recognizer, hasty, protocols=(HttpProtocol,)) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        head = f"POST {PATH} HTTP/1.1\r\nHost: a\r\nContent-Length: 9999\r\nContent-Type: {FORM}"
        writer.write(head.encode() + b"\r\n\r\n" + HEAD)
        answer = await asyncio.wait_for(reader.read(), 20)  # the server closes the connection
        assert answer.startswith(b"HTTP/1.1 408")
        assert b"stream_idle" in answer
        writer.close()
        await writer.wait_closed()


# --- hostile bodies ------------------------------------------------------------------------------


def part(name: str, value: bytes, more: str = "") -> bytes:
    return f'--B\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n'.encode() + value


FILE = part("file", AUDIO + b"\r\n", '; filename="a"')
END = b"--B--\r\n"
BODIES = [
    *((FORM, body) for body in (
        b"", b"--B", b"--B--", END, b"\r\n", b"\0" * 99, HEAD, HEAD + b"\r\n" + END, b"--C\r\n",
        FILE[:-9], part("file", b"x\r\n") + END, part("model", b"whisper-1\r\n") + END,
        FILE + FILE + END, 300 * part("a", b"b\r\n") + FILE + END,
        part("prompt", 300_000 * b"p" + b"\r\n") + FILE + END,
        b"--B\r\n\r\nno name\r\n" + FILE + END, b"--B\r\nContent-Disposition: x\r\n\r\n\r\n" + END,
        b"--B\r\nContent-Disposition: form-data\r\n\r\nx\r\n" + END,
        b"--B\r\n" + 9999 * b"A: b\r\n" + b"\r\n", b"--B\r\n" + 99_999 * b"A",
        part("language", b"\xff\xfe\r\n") + FILE + END, part("model", b"\0\r\n") + FILE + END,
        part("temperature", b"1e999\r\n") + FILE + END,
        part("temperature", b"-0.1\r\n") + FILE + END,
        part("temperature", 9999 * b"9" + b"\r\n") + FILE + END,
        part("language", 5000 * b"e" + b"\r\n") + FILE + END,
        part("hotwords", b"a:b:\xe2\x80\xae\r\n") + FILE + END,
        part("hotwords", 2000 * b"a," + b"\r\n") + FILE + END,
        part("hotwords", b"a:nan\r\n") + FILE + END, part("hotwords", b":5\r\n") + FILE + END,
        part("response_format", b"\r\n\r\n\0\r\n") + FILE + END,
        part("stream", "\N{GRINNING FACE}\r\n".encode()) + FILE + END,
    )),
    *((JSON, body) for body in (
        b"", b"{", b"[]", b"null", b"1", b'"a"', b"{}", b"NaN", 99_999 * b"[", 9999 * b'{"a":',
        9999 * b"1", b"\xff", b'{"input_audio": 1}', b'{"input_audio": {"data": 1}}',
        b'{"input_audio": {"data": "?"}}', b'{"input_audio": {"data": "YQ=="}}',
        b'{"input_audio": {"data": ""}}', b'{"input_audio": {"data": "\xc3\xa9"}}',
        b'{"prompt": "\\ud800", "input_audio": {"data": ""}}',
        b'{"temperature": {}, "input_audio": {"data": "YWE="}}',
    )),
    ("", FILE + END), ("text/plain", b"a"), ("multipart/form-data", FILE + END),
    ("multipart/form-data; boundary=", FILE + END), ("multipart/mixed; boundary=B", FILE + END),
    ("application/x-www-form-urlencoded", b"file=a"), ("audio/wav", AUDIO),
    *((f"{FORM}; charset={name}", part("language", b"\xff\r\n") + FILE + END)
      for name in ("undefined", "rot13", "idna", "zlib", "utf-16", "\x01", "punycode")),
]  # fmt: skip


async def test_hostile_bodies_are_the_clients_fault(client: httpx2.AsyncClient) -> None:
    assert len(BODIES) >= 60
    wrong = []
    for number, (kind, body) in enumerate(BODIES):
        response = await client.post(PATH, content=body, headers={"content-type": kind})
        if not 400 <= response.status_code < 500 or not error_of(response):
            wrong.append((number, kind, body[:99], response.status_code, response.text))
    assert wrong == []
    assert (await transcribed(client)).status_code == 200
