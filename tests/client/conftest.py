"""A server in a thread of its own, so that clients that block can be tested, too."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from auricle_client import Client
from auricle_server import ServerConfig, SpeechServer
from auricle_server.service import ServedRecognizer
from tests.server.fakes import FakeRecognizer


@contextmanager
def serving(recognizer: ServedRecognizer, config: ServerConfig) -> Iterator[str]:
    """Runs a server; gives its HOST:PORT."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    async def start() -> SpeechServer:
        server = SpeechServer(recognizer, config)
        await server.start()
        return server

    try:
        server = asyncio.run_coroutine_threadsafe(start(), loop).result(20)
        yield f"127.0.0.1:{server.port}"
        asyncio.run_coroutine_threadsafe(server.stop(drain=0), loop).result(20)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(20)
        loop.close()


@pytest.fixture
def recognizer() -> FakeRecognizer:
    return FakeRecognizer()


@pytest.fixture
def target(recognizer: FakeRecognizer) -> Iterator[str]:
    config = ServerConfig(port=0, max_audio_seconds=30, max_message_bytes=2_000_000)
    with serving(recognizer, config) as target:
        yield target


@pytest.fixture
def client(target: str) -> Iterator[Client]:
    with Client(target) as client:
        yield client
