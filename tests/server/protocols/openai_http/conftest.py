"""A server of HTTP alone with a fake recogniser, and a client for it."""

from collections.abc import AsyncIterator

import httpx2
import pytest

from auricle.config import ModelConfig
from auricle_server import ServerConfig, SpeechServer
from auricle_server.protocols.openai_http import HttpProtocol
from tests.server.fakes import FakeRecognizer


@pytest.fixture
def recognizer() -> FakeRecognizer:
    return FakeRecognizer(config=ModelConfig(name="fake", family="whisper"))


@pytest.fixture
def config() -> ServerConfig:
    return ServerConfig(
        http_port=0,
        max_audio_seconds=30,
        max_upload_bytes=1_500_000,
        max_message_bytes=1_000_000,
        max_pieces_in_flight=3,
    )


@pytest.fixture
async def server(recognizer: FakeRecognizer, config: ServerConfig) -> AsyncIterator[SpeechServer]:
    server = SpeechServer(recognizer, config, protocols=(HttpProtocol,))
    await server.start()
    yield server
    await server.stop(drain=0)


@pytest.fixture
async def client(server: SpeechServer) -> AsyncIterator[httpx2.AsyncClient]:
    address = f"http://127.0.0.1:{server.port}"
    async with httpx2.AsyncClient(base_url=address, timeout=20, trust_env=False) as client:
        yield client
