"""What Prometheus reads, over HTTP as it does, and by its own parser."""

import asyncio
import socket
import urllib.error
import urllib.request
from collections.abc import AsyncIterator
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import pytest
from grpc import aio
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from auricle.engine.invariance import Checks
from auricle.engine.statistics import Statistics
from auricle_proto.v1 import speech_pb2 as pb
from auricle_proto.v1.speech_pb2_grpc import SpeechStub
from auricle_server import ServerConfig, SpeechServer
from auricle_server.middleware.metrics import CHECKS, COUNTERS, OUTCOMES, Metrics
from auricle_server.scraping import Endpoint
from auricle_types.errors import InvalidOptionError
from tests.server.fakes import FakeRecognizer, wav
from tests.server.messages import refused, soon

if TYPE_CHECKING:
    from auricle_proto.v1.speech_pb2_grpc import SpeechAsyncStub

STATISTICS = Statistics(
    submitted=20,
    finished=11,
    failed=2,
    cancelled=3,
    expired=4,
    refused=5,
    waiting=6,
    running=7,
    steps=8,
    rows=24,
    slots=64,
    frames=90,
    computed_frames=120.0,
    encode_seconds=1.5,
    decode_seconds=2.5,
    audio_seconds=33.25,
    tokens=444,
)
ENGINE = {
    'auricle_requests_total{outcome="finished"}': 11,
    'auricle_requests_total{outcome="failed"}': 2,
    'auricle_requests_total{outcome="cancelled"}': 3,
    'auricle_requests_total{outcome="expired"}': 4,
    'auricle_requests_total{outcome="refused"}': 5,
    "auricle_queue_length": 6,
    "auricle_running": 7,
    "auricle_steps_total": 8,
    "auricle_occupancy_ratio": 0.375,
    "auricle_padding_ratio": 0.25,
    "auricle_encode_seconds_total": 1.5,
    "auricle_decode_seconds_total": 2.5,
    "auricle_audio_seconds_total": 33.25,
    "auricle_tokens_total": 444,
}
INVARIANCE = {
    "auricle_invariance_checked_total": 9,
    "auricle_invariance_different_total": 1,
    "auricle_invariance_skipped_total": 2,
}


@dataclass
class Counted(FakeRecognizer):
    """A fake with figures."""

    figures: Statistics = STATISTICS
    found: Checks | None = None

    def statistics(self) -> Statistics:
        return self.figures

    def checks(self) -> Checks | None:
        return self.found


def scraped(port: int) -> dict[str, float]:
    """The samples by name and labels, read as Prometheus reads them."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=20) as response:
        text = response.read().decode()
    families = text_string_to_metric_families(text)
    samples = [sample for family in families for sample in family.samples]
    return {sample.name + labels(sample.labels): sample.value for sample in samples}


def labels(pairs: dict[str, str]) -> str:
    inside = ",".join(f'{key}="{value}"' for key, value in sorted(pairs.items()))
    return f"{{{inside}}}" if inside else ""


@pytest.fixture
def recognizer() -> Counted:
    return Counted()


@pytest.fixture
async def watched(recognizer: Counted) -> AsyncIterator[SpeechServer]:
    """A server with metrics on a free port."""
    async with SpeechServer(recognizer, ServerConfig(port=0, metrics_port=0)) as server:
        yield server


@pytest.fixture
async def stub(watched: SpeechServer) -> AsyncIterator["SpeechAsyncStub"]:
    async with aio.insecure_channel(f"127.0.0.1:{watched.port}") as channel:
        yield SpeechStub(channel)


async def samples(server: SpeechServer) -> dict[str, float]:
    assert server.metrics_port
    return await asyncio.to_thread(scraped, server.metrics_port)


# --- the engine --------------------------------------------------------------------------------


async def test_the_engines_statistics(watched: SpeechServer) -> None:
    found = await samples(watched)
    assert {name: found.get(name) for name in ENGINE} == ENGINE
    assert not found.keys() & INVARIANCE.keys()  # nobody asked for it


async def test_they_are_those_of_the_moment(watched: SpeechServer, recognizer: Counted) -> None:
    await samples(watched)
    recognizer.figures = Statistics(running=1)
    found = await samples(watched)
    assert found["auricle_running"] == 1
    assert found["auricle_occupancy_ratio"] == 0.0


async def test_the_invariance_checks(watched: SpeechServer, recognizer: Counted) -> None:
    recognizer.found = Checks(checked=9, different=1, skipped=2)
    found = await samples(watched)
    assert {name: found.get(name) for name in INVARIANCE} == INVARIANCE


def test_every_name_is_a_field() -> None:
    known = {field.name for field in fields(Statistics)}
    assert {*OUTCOMES, *COUNTERS} <= known
    assert [field.name for field in fields(Checks)] == list(CHECKS)


# --- the RPCs ----------------------------------------------------------------------------------


async def test_rpcs_are_counted_by_method_and_code(
    watched: SpeechServer, stub: "SpeechAsyncStub"
) -> None:
    for _ in range(3):
        await stub.Recognize(pb.RecognizeRequest(audio=wav(0.1)))
    await refused(stub.Recognize(pb.RecognizeRequest()))
    await stub.ListModels(pb.ListModelsRequest())
    found = await samples(watched)
    assert {name: value for name, value in found.items() if "rpcs_total" in name} == {
        'auricle_rpcs_total{code="OK",method="Recognize"}': 3,
        'auricle_rpcs_total{code="INVALID_ARGUMENT",method="Recognize"}': 1,
        'auricle_rpcs_total{code="OK",method="ListModels"}': 1,
    }
    assert found['auricle_rpc_seconds_count{method="Recognize"}'] == 4
    assert found['auricle_rpc_seconds_bucket{le="+Inf",method="Recognize"}'] == 4
    assert found['auricle_rpc_seconds_sum{method="Recognize"}'] > 0


def test_an_rpcs_seconds_fall_into_their_buckets() -> None:
    metrics = Metrics(Counted())
    for seconds in (0.03, 0.3, 3.0):
        metrics.rpc("Upload", "OK", seconds)

    def within(limit: str) -> float | None:
        bucket = {"method": "Upload", "le": limit}
        return metrics.registry.get_sample_value("auricle_rpc_seconds_bucket", bucket)

    assert [within(limit) for limit in ("0.025", "0.05", "0.5", "60.0")] == [0, 1, 2, 3]


async def test_two_servers_in_a_process_count_apart(
    watched: SpeechServer, stub: "SpeechAsyncStub"
) -> None:
    async with SpeechServer(Counted(), ServerConfig(port=0, metrics_port=0)) as other:
        await stub.ListModels(pb.ListModelsRequest())
        name = 'auricle_rpcs_total{code="OK",method="ListModels"}'
        assert (await samples(watched)).get(name) == 1
        assert name not in await samples(other)


# --- the endpoint ------------------------------------------------------------------------------


async def test_it_is_off_by_default() -> None:
    async with SpeechServer(Counted(), ServerConfig(port=0)) as server:
        assert server.metrics_port is None


async def test_it_is_closed_with_the_server(recognizer: Counted) -> None:
    server = SpeechServer(recognizer, ServerConfig(port=0, metrics_port=0))
    await server.start()
    port = server.metrics_port
    assert port
    await soon(server.stop(drain=0))
    assert server.metrics_port is None
    with pytest.raises(urllib.error.URLError):
        await asyncio.to_thread(scraped, port)


async def test_it_listens_where_the_server_does(watched: SpeechServer) -> None:
    assert watched._endpoint is not None
    assert watched._endpoint._httpd.server_address[0] == "127.0.0.1"


async def test_a_port_that_is_taken(recognizer: Counted) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        server = SpeechServer(recognizer, ServerConfig(port=0, metrics_port=port))
        with pytest.raises(InvalidOptionError, match=rf"metrics on port {port}.*in use"):
            await server.start()
        await server.stop()


def test_a_host_that_is_none() -> None:
    with pytest.raises(InvalidOptionError, match=r"256\.1\.1\.1"):
        Endpoint.open(CollectorRegistry(), "256.1.1.1", 0)
