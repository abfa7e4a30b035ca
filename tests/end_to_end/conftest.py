"""The whole of Auricle with the bundled model: recogniser, server in a thread, client."""

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from auricle import Recognizer
from auricle.naming import model_path
from auricle_client import Client
from auricle_server import ServerConfig, SpeechServer

SAMPLES = Path(__file__).parents[2] / "samples"


@pytest.fixture(scope="session")
def samples() -> list[Path]:
    lines = (SAMPLES / "manifest.jsonl").read_text().splitlines()
    return [SAMPLES / json.loads(line)["audio_filepath"] for line in lines[2:5]]


@pytest.fixture(scope="session")
def recognizer() -> Iterator[Recognizer]:
    assert model_path("bundled").exists(), "the bundled model belongs to the package"
    with Recognizer.from_pretrained() as recognizer:
        yield recognizer


@pytest.fixture(scope="session")
def address(recognizer: Recognizer) -> Iterator[str]:
    most = 64 * 1024 * 1024
    config = ServerConfig(
        port=0, max_audio_seconds=1_200, max_upload_bytes=most, max_message_bytes=most
    )
    with serving(recognizer, config) as port:
        yield f"127.0.0.1:{port}"


@pytest.fixture
def client(address: str) -> Iterator[Client]:
    with Client(address) as client:
        yield client


@contextmanager
def serving(recognizer: Recognizer, config: ServerConfig) -> Iterator[int]:
    """The port of a server whose event loop runs in a thread of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="server-loop")
    thread.start()

    async def make() -> SpeechServer:
        server = SpeechServer(recognizer, config)
        await server.start()
        return server

    server = asyncio.run_coroutine_threadsafe(make(), loop).result(30)
    try:
        yield server.port
    finally:
        asyncio.run_coroutine_threadsafe(server.stop(drain=0), loop).result(30)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(30)
        loop.close()
