"""A new protocol plugs in without touching the others: here one of a few lines, over TCP."""

import asyncio
import os
import signal
from contextlib import aclosing

import pytest
from grpc import aio

from auricle_proto.v1 import speech_pb2 as pb
from auricle_proto.v1.speech_pb2_grpc import SpeechStub
from auricle_server import ServerConfig, SpeechServer, serve
from auricle_server.incoming import RecognitionTask
from auricle_server.middleware.call import Call
from auricle_server.protocols.auricle_grpc import GrpcProtocol
from auricle_server.service import SpeechService
from auricle_types.events import FinalSegment, FinalTranscript
from auricle_types.options import DecodingOptions
from tests.server.fakes import FakeRecognizer, wav
from tests.server.messages import soon


class FileSent:
    """A client that sends audio, and nothing else."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._reader = reader

    async def task(self) -> RecognitionTask:
        return RecognitionTask(DecodingOptions())

    async def chunk(self) -> bytes:
        return await self._reader.read(4096)


class LineProtocol:
    """Reads a file to its end and writes a line for each event."""

    def __init__(self, service: SpeechService, config: ServerConfig) -> None:
        self._service = service
        self._server: asyncio.Server | None = None

    async def start(self) -> int:
        self._server = await asyncio.start_server(self._answer, "127.0.0.1", 0)
        return int(self._server.sockets[0].getsockname()[1])

    async def drain(self) -> None:
        """Nobody watches its health."""

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        call = Call.starting("Lines", "somebody:1", remaining=None)
        with self._service.recorded(call):
            async with aclosing(self._service.stream(FileSent(reader), call)) as events:
                async for event in events:
                    if isinstance(event, FinalSegment):
                        writer.write(f"{event.segment.text}\n".encode())
                    elif isinstance(event, FinalTranscript):
                        writer.write(f"= {event.transcript.text}\n".encode())
        writer.close()


async def test_it_serves_beside_the_others(
    recognizer: FakeRecognizer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    config = ServerConfig(port=0)
    protocols = (GrpcProtocol, LineProtocol)
    async with SpeechServer(recognizer, config, protocols=protocols) as server:
        grpc_port, line_port = server.ports
        reader, writer = await asyncio.open_connection("127.0.0.1", line_port)
        writer.write(wav(1.5))
        writer.write_eof()
        lines = (await soon(reader.read())).decode().splitlines()
        assert lines == ["level 250 beam 1"] * 2 + ["= level 250 beam 1 level 250 beam 1"]
        writer.close()
        async with aio.insecure_channel(f"127.0.0.1:{grpc_port}") as channel:
            response = await SpeechStub(channel).Recognize(pb.RecognizeRequest(audio=wav(1.5)))
        assert f"= {response.transcript.text}" == lines[-1]
    (record,) = [each for each in caplog.messages if each.startswith("method=Lines")]
    assert "code=OK" in record
    assert "audio_seconds=1.5" in record


async def test_it_serves_alone(recognizer: FakeRecognizer) -> None:
    async with SpeechServer(recognizer, ServerConfig(port=0), protocols=[LineProtocol]) as server:
        assert len(server.ports) == 1


async def test_a_process_serves_it_until_a_signal(recognizer: FakeRecognizer) -> None:
    port: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    config, ready = ServerConfig(port=0), port.set_result
    serving = asyncio.ensure_future(
        serve(recognizer, config, ready=ready, protocols=[LineProtocol])
    )
    reader, writer = await asyncio.open_connection("127.0.0.1", await soon(port))
    writer.write(wav(0.5))
    writer.write_eof()
    assert (await soon(reader.read())).endswith(b"= level 250 beam 1\n")
    writer.close()
    os.kill(os.getpid(), signal.SIGTERM)
    await soon(serving)
