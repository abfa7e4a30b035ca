"""What is answered, in each format."""

import base64
import math

import httpx2
import pytest

from auricle.config import ModelConfig
from auricle_types.options import DecodingOptions
from tests.server.fakes import FakeRecognizer, wav
from tests.server.protocols.openai_http.forms import AUDIO, FIRST, PATH, SECOND, transcribed

BOTH = f"{FIRST} {SECOND}"


async def test_json_is_the_default(client: httpx2.AsyncClient) -> None:
    response = await transcribed(client, {"model": "whisper-1"})
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert response.json() == {"text": BOTH, "usage": {"type": "duration", "seconds": 2}}


@pytest.mark.parametrize(
    ("name", "kind", "body"),
    [
        ("text", "text/plain", f"{BOTH}\n"),
        (
            "srt",
            "text/plain",
            f"1\n00:00:00,000 --> 00:00:01,000\n{FIRST}\n\n"
            f"2\n00:00:01,000 --> 00:00:01,500\n{SECOND}\n\n",
        ),
        (
            "vtt",
            "text/vtt",
            f"WEBVTT\n\n00:00:00.000 --> 00:00:01.000\n{FIRST}\n\n"
            f"00:00:01.000 --> 00:00:01.500\n{SECOND}\n\n",
        ),
    ],
)
async def test_plain_text(client: httpx2.AsyncClient, name: str, kind: str, body: str) -> None:
    response = await transcribed(client, {"response_format": name})
    assert response.headers["content-type"] == f"{kind}; charset=utf-8"
    assert response.text == body


async def test_verbose_json(client: httpx2.AsyncClient) -> None:
    body = (await transcribed(client, {"response_format": "verbose_json"})).json()
    segments = body.pop("segments")
    assert body == {
        "task": "transcribe",
        "language": "english",
        "duration": 1.5,
        "text": BOTH,
        "usage": {"type": "duration", "seconds": 2},
    }
    assert [each["id"] for each in segments] == [0, 1]
    assert segments[1] == {
        "id": 1,
        "seek": 100,
        "start": 1.0,
        "end": 1.5,
        "text": f" {SECOND}",
        "tokens": [],
        "temperature": 0.0,
        "avg_logprob": round(math.log(0.5), 4),
        "compression_ratio": pytest.approx(16 / 24, abs=0.1),
        "no_speech_prob": 0.0,
    }


async def test_fields_become_options(
    client: httpx2.AsyncClient, recognizer: FakeRecognizer
) -> None:
    fields = {
        "model": "gpt-4o-transcribe",
        "language": "EN-us",
        "prompt": "Before.",
        "temperature": "0.5",
        "response_format": "verbose_json",
        "timestamp_granularities[]": ["word", "segment"],
        "keywords[]": ["Kyrgyz", "Lisbon"],
        "hotwords": "Auricle, cochlea:3",
        "chunking_strategy[type]": "server_vad",
        "vad_filter": "true",
        "seed": "x",
    }
    response = await transcribed(client, fields)
    assert response.status_code == 200
    assert response.json()["words"] == []
    assert recognizer.submitted[0][1] == DecodingOptions(
        language="en",
        prompt="Before.",
        temperature=0.5,
        word_timestamps=True,
        hotwords=("Kyrgyz", "Lisbon", "Auricle", "cochlea:3"),
    )


async def test_the_file_may_come_first(
    client: httpx2.AsyncClient, recognizer: FakeRecognizer
) -> None:
    head = b"--B\r\nContent-Disposition: form-data; name="
    body = head + b'"file"; filename="upload"\r\n\r\n' + AUDIO + b"\r\n"
    body += head + b'"language"\r\n\r\ngerman\r\n--B--\r\n'
    kind = {"content-type": "multipart/form-data; boundary=B"}
    response = await client.post(PATH, content=body, headers=kind)
    assert response.status_code == 200
    assert recognizer.submitted[0][1].language == "de"


async def test_json_with_base64(client: httpx2.AsyncClient) -> None:
    audio = {"data": base64.b64encode(AUDIO).decode(), "format": "wav"}
    body = {"model": "whisper-1", "language": "en", "input_audio": audio}
    assert (await client.post(PATH, json=body)).json()["text"] == BOTH


async def test_translations(client: httpx2.AsyncClient, recognizer: FakeRecognizer) -> None:
    fields = {"response_format": "verbose_json"}
    files = {"file": AUDIO}
    response = await client.post("/v1/audio/translations", data=fields, files=files)
    assert (response.json()["task"], response.json()["language"]) == ("translate", "english")
    assert recognizer.submitted[0][1].task == "translate"


async def test_a_long_prompt_keeps_its_end(
    client: httpx2.AsyncClient, recognizer: FakeRecognizer
) -> None:
    await transcribed(client, {"prompt": 20_000 * "a" + "end"})
    prompt = recognizer.submitted[0][1].prompt
    assert isinstance(prompt, str)
    assert len(prompt) == 10_000
    assert prompt.endswith("aend")


async def test_a_prompt_is_ignored_where_the_model_takes_none(
    client: httpx2.AsyncClient, recognizer: FakeRecognizer
) -> None:
    recognizer.config = ModelConfig(name="fake", family="moonshine")
    assert (await transcribed(client, {"prompt": "Before."})).status_code == 200
    assert recognizer.submitted[0][1].prompt is None


# --- models, health, schema ----------------------------------------------------------------------


async def test_models(client: httpx2.AsyncClient) -> None:
    listed = (await client.get("/v1/models")).json()
    (model,) = listed["data"]
    assert listed["object"] == "list"
    assert (model["id"], model["object"], model["owned_by"]) == ("fake-1", "model", "auricle")
    for name in ("fake-1", "fake", "whisper-1"):
        assert (await client.get(f"/v1/models/{name}")).json()["id"] == name


@pytest.mark.parametrize("path", ["/health", "/health/live", "/health/ready"])
async def test_health(client: httpx2.AsyncClient, path: str) -> None:
    assert (await client.get(path)).status_code == 200


async def test_the_schema_has_the_form(client: httpx2.AsyncClient) -> None:
    schema = (await client.get("/openapi.json")).json()
    body = schema["paths"][PATH]["post"]["requestBody"]["content"]["multipart/form-data"]
    assert "timestamp_granularities[]" in body["schema"]["properties"]


# --- server-sent events --------------------------------------------------------------------------


async def test_deltas_add_up(client: httpx2.AsyncClient) -> None:
    response = await transcribed(client, {"stream": "true"}, wav(3.5))
    assert response.headers["content-type"].startswith("text/event-stream")
    *lines, rest = response.text.split("\n\n")
    assert rest == ""
    events = [httpx2.Response(200, text=line.removeprefix("data: ")).json() for line in lines]
    *deltas, done = events
    assert [each["type"] for each in deltas] == 4 * ["transcript.text.delta"]
    assert done["type"] == "transcript.text.done"
    assert "".join(each["delta"] for each in deltas) == done["text"] == " ".join(4 * [FIRST])


async def test_the_first_error_of_a_stream_is_its_status(client: httpx2.AsyncClient) -> None:
    response = await transcribed(client, {"stream": "true"}, b"no audio at all")
    assert response.status_code == 400
