"""A server with a fake recogniser on a free port of the loopback."""

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import pytest
from grpc import aio

from auricle_proto.v1.speech_pb2_grpc import SpeechStub
from auricle_server import ServerConfig, SpeechServer
from tests.server.fakes import FakeRecognizer

if TYPE_CHECKING:
    from auricle_proto.v1.speech_pb2_grpc import SpeechAsyncStub  # exists as a type only


@pytest.fixture
def recognizer() -> FakeRecognizer:
    return FakeRecognizer()


@pytest.fixture
def config() -> ServerConfig:
    return ServerConfig(
        port=0, max_audio_seconds=30, max_upload_bytes=1_500_000, max_pieces_in_flight=3
    )


@pytest.fixture
async def server(recognizer: FakeRecognizer, config: ServerConfig) -> AsyncIterator[SpeechServer]:
    server = SpeechServer(recognizer, config)
    await server.start()
    yield server
    await server.stop(drain=0)


@pytest.fixture
async def channel(server: SpeechServer) -> AsyncIterator[aio.Channel]:
    async with aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:
        yield channel


@pytest.fixture
def stub(channel: aio.Channel) -> "SpeechAsyncStub":
    return SpeechStub(channel)
