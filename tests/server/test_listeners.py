"""Start, health, reflection, drain, signals."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator

import grpc
import pytest
from grpc import aio
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from auricle_proto.v1 import speech_pb2 as pb
from auricle_proto.v1.speech_pb2_grpc import SpeechStub
from auricle_server import ServerConfig, SpeechServer, serve
from auricle_server.listeners import STOP_SIGNALS
from auricle_types.errors import InvalidOptionError
from tests.server.fakes import FakeRecognizer, wav
from tests.server.messages import refused, soon

Code = grpc.StatusCode
SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
SERVICE = "auricle.v1.Speech"
REQUEST = pb.RecognizeRequest(audio=wav(0.5))


async def health(channel: aio.Channel, service: str = "") -> int:
    stub = health_pb2_grpc.HealthStub(channel)
    response = await stub.Check(health_pb2.HealthCheckRequest(service=service))
    return int(response.status)


# --- while it serves ---------------------------------------------------------------------------


async def test_the_port_is_the_one_it_listens_on(server: SpeechServer) -> None:
    assert server.port > 0


@pytest.mark.parametrize("service", ["", SERVICE])
async def test_healthy_while_it_serves(channel: aio.Channel, service: str) -> None:
    assert await health(channel, service) == SERVING


async def test_the_health_of_another_service_is_not_known(channel: aio.Channel) -> None:
    assert (await refused(health(channel, "nobody.v1.Knows"))).code is Code.NOT_FOUND


@pytest.mark.parametrize("version", ["v1", "v1alpha"])
async def test_reflection_lists_the_services(channel: aio.Channel, version: str) -> None:
    ask = channel.stream_stream(
        f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo",
        request_serializer=reflection_pb2.ServerReflectionRequest.SerializeToString,
        response_deserializer=reflection_pb2.ServerReflectionResponse.FromString,
    )
    request = reflection_pb2.ServerReflectionRequest(list_services="")
    (response,) = [each async for each in ask(iter([request]))]
    names = {service.name for service in response.list_services_response.service}
    assert {SERVICE, "grpc.health.v1.Health"} <= names


async def test_reflection_can_be_left_out(recognizer: FakeRecognizer) -> None:
    async with (
        SpeechServer(recognizer, ServerConfig(port=0, reflection=False)) as server,
        aio.insecure_channel(f"127.0.0.1:{server.port}") as channel,
    ):
        stub = reflection_pb2_grpc.ServerReflectionStub(channel)
        request = reflection_pb2.ServerReflectionRequest(list_services="")
        call = stub.ServerReflectionInfo(iter([request]))
        assert (await refused(call.read())).code is Code.UNIMPLEMENTED
        assert await health(channel) == SERVING


async def test_reflection_knows_the_messages(channel: aio.Channel) -> None:
    stub = reflection_pb2_grpc.ServerReflectionStub(channel)
    request = reflection_pb2.ServerReflectionRequest(file_containing_symbol=SERVICE)
    (response,) = [each async for each in stub.ServerReflectionInfo(iter([request]))]
    files = b"".join(response.file_descriptor_response.file_descriptor_proto)
    assert b"RecognizeRequest" in files


async def test_a_port_that_is_taken(recognizer: FakeRecognizer, server: SpeechServer) -> None:
    second = SpeechServer(recognizer, ServerConfig(port=server.port))
    with pytest.raises(InvalidOptionError, match=str(server.port)):
        await second.start()
    await second.stop()


async def test_a_host_that_is_none(recognizer: FakeRecognizer) -> None:
    server = SpeechServer(recognizer, ServerConfig(host="256.1.1.1", port=0))
    with pytest.raises(InvalidOptionError, match=r"256\.1\.1\.1"):
        await server.start()
    await server.stop()


# --- drain -------------------------------------------------------------------------------------


@pytest.fixture
async def busy(
    recognizer: FakeRecognizer, server: SpeechServer, channel: aio.Channel
) -> AsyncIterator["aio.UnaryUnaryCall[pb.RecognizeRequest, pb.RecognizeResponse]"]:
    """A request that waits for its recognition."""
    recognizer.hold = True
    call = SpeechStub(channel).Recognize(REQUEST)
    assert await asyncio.to_thread(recognizer.came.wait, 20)
    yield call
    call.cancel()


async def test_running_work_finishes_while_new_work_is_refused(
    busy: "aio.UnaryUnaryCall[pb.RecognizeRequest, pb.RecognizeResponse]",
    recognizer: FakeRecognizer,
    server: SpeechServer,
    channel: aio.Channel,
) -> None:
    stopping = asyncio.ensure_future(server.stop(drain=20))
    await asyncio.sleep(0)
    for service in ("", SERVICE):
        assert await health(channel, service) == NOT_SERVING
    refusal = await refused(SpeechStub(channel).Recognize(REQUEST))
    assert (refusal.code, refusal.reason) == (Code.UNAVAILABLE, "ENGINE_STOPPED")
    assert not stopping.done()
    recognizer.finish(0)
    assert (await soon(busy)).transcript.text
    await soon(stopping)


async def test_work_that_outlasts_the_drain_is_cancelled(
    busy: "aio.UnaryUnaryCall[pb.RecognizeRequest, pb.RecognizeResponse]",
    recognizer: FakeRecognizer,
    server: SpeechServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("auricle_server.protocols.auricle_grpc.protocol.FLUSH_SECONDS", 0.01)
    await soon(server.stop(drain=0.01))
    await refused(busy)
    assert recognizer.futures[0].cancelled()


async def test_watchers_see_the_drain_and_do_not_hold_it_up(
    server: SpeechServer, channel: aio.Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("auricle_server.protocols.auricle_grpc.protocol.FLUSH_SECONDS", 0.1)
    stub = health_pb2_grpc.HealthStub(channel)
    watch = stub.Watch(health_pb2.HealthCheckRequest(service=SERVICE))
    assert (await soon(watch.read())).status == SERVING
    stopping = asyncio.ensure_future(server.stop(drain=1000))
    assert (await soon(watch.read())).status == NOT_SERVING
    await soon(stopping)


async def test_after_stopping_nobody_listens(server: SpeechServer, channel: aio.Channel) -> None:
    await server.stop()
    assert (await refused(SpeechStub(channel).Recognize(REQUEST))).code is Code.UNAVAILABLE


# --- signals -----------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_serve_runs_until_a_signal_and_drains(
    recognizer: FakeRecognizer, number: signal.Signals
) -> None:
    recognizer.hold = True
    port: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    before = signal.getsignal(number)
    stopping = asyncio.Event()
    config, ready = ServerConfig(port=0), port.set_result
    serving = asyncio.ensure_future(serve(recognizer, config, ready=ready, stopping=stopping.set))
    async with aio.insecure_channel(f"127.0.0.1:{await soon(port)}") as channel:
        call = SpeechStub(channel).Recognize(REQUEST)
        assert await asyncio.to_thread(recognizer.came.wait, 20)
        assert not stopping.is_set()
        os.kill(os.getpid(), number)
        await soon(stopping.wait())
        refusal = await refused(until_refused(channel))
        assert refusal.code is Code.UNAVAILABLE
        assert not serving.done()
        assert {signal.getsignal(each) for each in STOP_SIGNALS} == {signal.SIG_DFL}
        recognizer.finish(0)
        assert (await soon(call)).transcript.text
        await soon(serving)
    assert signal.getsignal(number) == before


@pytest.mark.parametrize("number", STOP_SIGNALS)
def test_a_second_signal_ends_the_process_at_once(number: signal.Signals) -> None:
    script = "from tests.server.test_listeners import serve_held; serve_held()"
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"busy\n"
            process.send_signal(number)
            assert process.stdout.readline() == b"draining\n"
            process.send_signal(number)
            assert process.wait(60) == -number
        finally:
            process.kill()


def serve_held() -> None:
    """A server with one request that never ends; says when it has it and when it drains."""

    async def run() -> None:
        recognizer = FakeRecognizer(hold=True)
        port: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        ready = port.set_result
        serving = asyncio.ensure_future(serve(recognizer, ServerConfig(port=0), ready=ready))
        async with aio.insecure_channel(f"127.0.0.1:{await port}") as channel:
            call = SpeechStub(channel).Recognize(REQUEST)
            await asyncio.to_thread(recognizer.came.wait)
            os.write(1, b"busy\n")
            await refused(until_refused(channel))
            os.write(1, b"draining\n")
            await asyncio.gather(call, serving)

    asyncio.run(run())


async def until_refused(channel: aio.Channel) -> None:
    while True:
        await SpeechStub(channel).ListModels(pb.ListModelsRequest())
        await asyncio.sleep(0.001)


async def test_serve_says_where_it_cannot_listen(
    recognizer: FakeRecognizer, server: SpeechServer
) -> None:
    with pytest.raises(InvalidOptionError, match="cannot listen"):
        await soon(serve(recognizer, ServerConfig(port=server.port)))


async def test_serve_stops_when_ready_fails(recognizer: FakeRecognizer) -> None:
    ports: list[int] = []

    def ready(port: int) -> None:
        ports.append(port)
        raise BrokenPipeError("nobody reads our port")

    with pytest.raises(BrokenPipeError):
        await soon(serve(recognizer, ServerConfig(port=0), ready=ready))
    async with aio.insecure_channel(f"127.0.0.1:{ports[0]}") as channel:
        assert (await refused(health(channel))).code is Code.UNAVAILABLE
