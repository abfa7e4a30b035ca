"""Clients that die at every stage of their request: their rows go, nobody else notices.

The clients are processes, killed by SIGKILL; the recogniser is real, with a tiny model; gates hold
its device thread so that each client dies where the test wants it to.
"""

import asyncio
import sys
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from grpc import aio

from auricle.audio import load_audio
from auricle.engine import ModelRunner
from auricle.engine.request import Job
from auricle.hypothesis import Hypothesis
from auricle.recognizer import Recognizer
from auricle_proto.v1 import speech_pb2 as pb
from auricle_proto.v1.speech_pb2_grpc import SpeechStub
from auricle_server import ServerConfig, SpeechServer
from auricle_types.errors import AuricleError
from auricle_types.options import EngineConfig
from tests.asr.recognizing import runner_of
from tests.asr.tiny import sound, tiny_checkpoint
from tests.server.messages import WAIT_SECONDS, soon, until
from tests.server.wave import pcm_wav

pytestmark = pytest.mark.usefixtures("all_is_speech")

if TYPE_CHECKING:
    from auricle_proto.v1.speech_pb2_grpc import SpeechAsyncStub

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "samples"
OTHER = pcm_wav(sound(1, 1.5))
DOOMED = pcm_wav(sound(2, 2.0))
HEADER = 44  # bytes


@dataclass(frozen=True)
class Hold:
    """Where the device thread is to wait."""

    stage: str = "nowhere"
    reached: threading.Event = field(default_factory=threading.Event)
    ended: threading.Event = field(default_factory=threading.Event)


class Gate:
    """Holds the device thread where it is told to, until it is told otherwise."""

    def __init__(self) -> None:
        self._hold = Hold()

    def hold(self, stage: str) -> None:
        """Holds what comes to `stage` next, and lets go what is held now."""
        before, self._hold = self._hold, Hold(stage)
        before.ended.set()

    def open(self) -> None:
        self.hold("nowhere")

    async def reached(self) -> None:
        assert await asyncio.to_thread(self._hold.reached.wait, WAIT_SECONDS)

    def pass_through(self, stage: str) -> None:
        hold = self._hold
        if hold.stage == stage:
            hold.reached.set()
            assert hold.ended.wait(2 * WAIT_SECONDS)


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Gate:
    gate, join, step = Gate(), ModelRunner.join, ModelRunner.step

    def gated_join(runner: ModelRunner, jobs: Sequence[Job]) -> float:
        gate.pass_through("encoding")
        return join(runner, jobs)

    def gated_step(runner: ModelRunner) -> list[tuple[Job, Hypothesis | AuricleError]]:
        gate.pass_through("decoding")
        return step(runner)

    monkeypatch.setattr(ModelRunner, "join", gated_join)
    monkeypatch.setattr(ModelRunner, "step", gated_step)
    return gate


@pytest.fixture
def recognizer(gate: Gate) -> Iterator[Recognizer]:
    """No slot and no byte of its cache may be lost."""
    recognizer = Recognizer.from_checkpoint(
        tiny_checkpoint(), device="cpu", engine=EngineConfig(slots=4)
    )
    room = runner_of(recognizer._engine).room
    yield recognizer
    gate.open()
    recognizer.close()
    assert runner_of(recognizer._engine).room == room
    statistics = recognizer.statistics()
    assert (statistics.running, statistics.waiting) == (0, 0)
    ended = statistics.finished + statistics.cancelled
    assert statistics.submitted == ended > 0


@pytest.fixture
async def server(recognizer: Recognizer) -> AsyncIterator[SpeechServer]:
    async with SpeechServer(recognizer, ServerConfig(port=0, drain_seconds=0)) as server:
        yield server


@pytest.fixture
async def stub(server: SpeechServer) -> AsyncIterator["SpeechAsyncStub"]:
    async with aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:
        yield SpeechStub(channel)


@asynccontextmanager
async def victim(
    server: SpeechServer, audio: Path, count: int, rpc: str = "Upload"
) -> AsyncIterator[asyncio.subprocess.Process]:
    """A client in a process of its own, which has reached the server."""
    before = server._admission.open
    command = [sys.executable, "-m", "tests.end_to_end.victim", f"127.0.0.1:{server.port}"]
    process = await asyncio.create_subprocess_exec(*command, rpc, str(audio), str(count), cwd=ROOT)
    try:
        await until(lambda: server._admission.open == before + 1)
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await soon(process.wait())


async def killed(process: asyncio.subprocess.Process, server: SpeechServer) -> None:
    """Dead, and the server knows it."""
    before = server._admission.open
    process.kill()
    await until(lambda: server._admission.open == before - 1)


async def text(stub: "SpeechAsyncStub") -> str:
    """What the other client is told."""
    response = await soon(stub.Recognize(pb.RecognizeRequest(audio=OTHER)))
    return response.transcript.text


@pytest.fixture
def doomed(tmp_path: Path) -> Path:
    path = tmp_path / "doomed.wav"
    path.write_bytes(DOOMED)
    return path


@pytest.fixture
async def expected(stub: "SpeechAsyncStub") -> str:
    """What the other client is told while nobody dies."""
    found = await text(stub)
    assert found
    return found


@pytest.mark.parametrize("rpc", ["Upload", "StreamingRecognize"])
@pytest.mark.parametrize("count", [0, HEADER, len(DOOMED) // 2], ids=["config", "header", "half"])
async def test_before_the_engine_has_its_audio(
    server: SpeechServer,
    stub: "SpeechAsyncStub",
    recognizer: Recognizer,
    expected: str,
    doomed: Path,
    count: int,
    rpc: str,
) -> None:
    async with victim(server, doomed, count, rpc) as process:
        assert await text(stub) == expected
        await killed(process, server)
    assert await text(stub) == expected
    statistics = recognizer.statistics()  # half a file may pass for a whole one
    assert statistics.submitted - statistics.cancelled == 3  # the other client's


async def test_while_it_is_queued(
    server: SpeechServer,
    stub: "SpeechAsyncStub",
    recognizer: Recognizer,
    expected: str,
    doomed: Path,
    gate: Gate,
) -> None:
    gate.hold("encoding")
    other = asyncio.ensure_future(text(stub))
    await gate.reached()
    audio = recognizer.statistics().audio_seconds
    async with victim(server, doomed, len(DOOMED)) as process:
        await until(lambda: recognizer.statistics().waiting == 1)
        await killed(process, server)
    gate.open()
    assert await other == expected
    await until(lambda: recognizer.statistics().cancelled == 1)
    assert recognizer.statistics().audio_seconds - audio == pytest.approx(1.5)  # it was not encoded


@pytest.mark.parametrize("stage", ["encoding", "decoding"])
async def test_on_the_device(
    server: SpeechServer,
    stub: "SpeechAsyncStub",
    recognizer: Recognizer,
    expected: str,
    doomed: Path,
    gate: Gate,
    stage: str,
) -> None:
    gate.hold(stage)
    steps = recognizer.statistics().steps
    async with victim(server, doomed, len(DOOMED)) as process:
        await gate.reached()
        await killed(process, server)
    gate.open()
    await until(lambda: recognizer.statistics().cancelled == 1)
    assert recognizer.statistics().running == 0
    assert recognizer.statistics().steps - steps <= 1  # it left within one step
    assert await text(stub) == expected


async def test_on_the_device_beside_others(
    server: SpeechServer,
    stub: "SpeechAsyncStub",
    recognizer: Recognizer,
    expected: str,
    doomed: Path,
    gate: Gate,
) -> None:
    gate.hold("decoding")
    others = [asyncio.ensure_future(text(stub))]
    await gate.reached()
    async with victim(server, doomed, len(DOOMED)) as process:
        others.append(asyncio.ensure_future(text(stub)))
        await until(lambda: recognizer.statistics().waiting == 2)
        gate.hold("decoding")  # one step later all three are in it
        await gate.reached()
        assert recognizer.statistics().running == 3
        await killed(process, server)
        gate.open()
    assert await asyncio.gather(*others) == [expected] * 2
    assert recognizer.statistics().cancelled == 1


async def test_while_a_long_stream_is_sent_and_recognised(
    server: SpeechServer,
    stub: "SpeechAsyncStub",
    recognizer: Recognizer,
    expected: str,
    tmp_path: Path,
    gate: Gate,
) -> None:
    speech = [load_audio(path).samples for path in sorted(SAMPLES.glob("*.wav"))[:4]]
    path = tmp_path / "long.wav"  # several windows
    path.write_bytes(pcm_wav(np.concatenate(speech)))
    gate.hold("decoding")
    async with victim(server, path, path.stat().st_size - 4_000, "StreamingRecognize") as process:
        await gate.reached()
        await until(lambda: recognizer.statistics().waiting >= 2)  # more pieces behind the first
        await killed(process, server)
    gate.open()
    await until(lambda: recognizer.statistics().cancelled == recognizer.statistics().submitted - 1)
    assert await text(stub) == expected


async def test_a_crowd_that_dies(
    server: SpeechServer,
    stub: "SpeechAsyncStub",
    recognizer: Recognizer,
    expected: str,
    doomed: Path,
    gate: Gate,
) -> None:
    """At different places; then the others have all the slots."""
    gate.hold("decoding")
    async with victim(server, doomed, len(DOOMED)) as first:
        await gate.reached()
        async with (
            victim(server, doomed, len(DOOMED)) as second,
            victim(server, doomed, 0) as third,
        ):
            await until(lambda: recognizer.statistics().waiting == 1)
            for process in (third, first, second):
                await killed(process, server)
    gate.open()
    others = await soon(asyncio.gather(*(text(stub) for _ in range(6))))
    assert others == [expected] * 6
    assert recognizer.statistics().cancelled == 2
