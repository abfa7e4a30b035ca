"""Requests for the tests of HTTP."""

from typing import Any

import httpx2

from tests.server.fakes import wav

PATH = "/v1/audio/transcriptions"
AUDIO = wav(1.5)
FIRST, SECOND = "level 250 beam 1", "level 250 beam 1"  # what the fake says, a text a second


async def transcribed(
    client: httpx2.AsyncClient, fields: dict[str, Any] | None = None, audio: bytes = AUDIO
) -> httpx2.Response:
    """The answer to one form; its lists are repeated fields."""
    return await client.post(PATH, data=fields or {}, files={"file": ("a.wav", audio)})


def error_of(response: httpx2.Response) -> dict[str, Any]:
    """The error of an answer, which has OpenAI's shape, a number and nothing else."""
    body = response.json()
    assert set(body) == {"error"}
    assert set(body["error"]) == {"message", "type", "param", "code"}
    assert body["error"]["message"]
    assert response.headers["x-request-id"].startswith("req_")
    error: dict[str, Any] = body["error"]
    return error
