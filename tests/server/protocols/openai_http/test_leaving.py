"""Clients that leave, servers that stop."""

import asyncio
import json
import threading

import httpx2
import pytest

from auricle_server import ServerConfig, SpeechServer, configured_protocols
from auricle_server.protocols.auricle_grpc import GrpcProtocol
from auricle_server.protocols.openai_http import HttpProtocol
from auricle_types.errors import InferenceError, InvalidOptionError
from tests.server.fakes import FakeRecognizer
from tests.server.protocols.openai_http.forms import AUDIO, PATH, error_of, transcribed

WAIT_SECONDS = 20


async def submitted(recognizer: FakeRecognizer, pieces: int = 1) -> None:
    """Wait until the fake has so many pieces."""
    assert await asyncio.to_thread(recognizer.came.wait, WAIT_SECONDS)
    async with asyncio.timeout(WAIT_SECONDS):
        while len(recognizer.futures) < pieces:  # noqa: ASYNC110 - the fake is of another thread
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("fields", [{}, {"stream": "true"}])
async def test_the_work_of_a_client_that_leaves_is_dropped(
    client: httpx2.AsyncClient, recognizer: FakeRecognizer, fields: dict[str, str]
) -> None:
    recognizer.hold = True
    asking = asyncio.create_task(transcribed(client, fields))
    await submitted(recognizer)
    dropped = threading.Event()
    recognizer.futures[0].add_done_callback(lambda _: dropped.set())
    asking.cancel()
    assert await asyncio.to_thread(dropped.wait, WAIT_SECONDS)
    assert recognizer.futures[0].cancelled()


async def test_a_reader_of_events_that_leaves(
    client: httpx2.AsyncClient, recognizer: FakeRecognizer
) -> None:
    recognizer.hold = True
    dropped = threading.Event()
    recognizer.piece_seconds = 0.5
    form = client.build_request("POST", PATH, data={"stream": "true"}, files={"file": AUDIO})
    sending = asyncio.create_task(client.send(form, stream=True))
    await submitted(recognizer, 2)
    recognizer.futures[1].add_done_callback(lambda _: dropped.set())
    recognizer.finish(0)
    response = await asyncio.wait_for(sending, WAIT_SECONDS)
    assert response.status_code == 200
    await response.aclose()
    assert await asyncio.to_thread(dropped.wait, WAIT_SECONDS)
    assert recognizer.futures[1].cancelled()


async def test_an_error_in_the_midst_of_events_is_an_event(
    client: httpx2.AsyncClient, recognizer: FakeRecognizer
) -> None:
    recognizer.hold = True
    asking = asyncio.create_task(transcribed(client, {"stream": "true"}))
    await submitted(recognizer, 2)
    recognizer.finish(0)
    recognizer.futures[1].set_exception(InferenceError("it went wrong"))
    response = await asyncio.wait_for(asking, WAIT_SECONDS)
    assert response.status_code == 200
    first, last = response.text.strip().split("\n\n")
    assert "transcript.text.delta" in first
    error = json.loads(last.removeprefix("data: "))["error"]
    assert (error["message"], error["type"]) == ("it went wrong", "server_error")


async def test_a_stop_waits_for_what_has_begun(
    server: SpeechServer, client: httpx2.AsyncClient, recognizer: FakeRecognizer
) -> None:
    recognizer.hold = True
    asking = asyncio.create_task(transcribed(client))
    await submitted(recognizer)
    stopping = asyncio.create_task(server.stop(drain=WAIT_SECONDS))
    async with asyncio.timeout(WAIT_SECONDS):
        while (await client.get("/health/ready")).status_code == 200:
            pass
    assert (await client.get("/health/ready")).status_code == 503
    assert (await client.get("/health/live")).status_code == 200
    refused = await transcribed(client)
    assert refused.status_code == 503
    assert error_of(refused)["type"] == "server_error"
    assert refused.headers["retry-after"]
    recognizer.hold = False
    for number in range(len(recognizer.futures)):
        recognizer.finish(number)
    assert (await asking).status_code == 200
    await stopping
    with pytest.raises(httpx2.ConnectError):
        await client.get("/health/live")


# --- how it is set up ----------------------------------------------------------------------------


def test_http_is_on_and_can_be_off(monkeypatch: pytest.MonkeyPatch) -> None:
    assert configured_protocols(ServerConfig()) == [GrpcProtocol, HttpProtocol]
    assert configured_protocols(ServerConfig(http=False)) == [GrpcProtocol]
    monkeypatch.setattr("auricle_server.listeners.HTTP_PACKAGES", ("no_such_package",))
    assert configured_protocols(ServerConfig()) == [GrpcProtocol]


async def test_a_port_that_is_taken_is_named(server: SpeechServer) -> None:
    config = ServerConfig(port=0, http_port=server.port)
    other = SpeechServer(FakeRecognizer(), config, protocols=configured_protocols(config))
    with pytest.raises(InvalidOptionError, match=f"{server.port}.*--no-http"):
        await other.start()
