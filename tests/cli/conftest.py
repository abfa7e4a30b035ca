"""A transcriber that needs no model: it spells what it read."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from auricle_cli.answers import TranscriptionError, TranscriptionJob
from auricle_cli.inputs import Source
from auricle_cli.main import main
from auricle_cli.recognition import RecognitionSetup
from auricle_server import ServerConfig, SpeechServer
from auricle_types.events import Event, FinalSegment, FinalTranscript
from auricle_types.options import StreamingOptions
from auricle_types.transcript import Receipt, Segment, Transcript
from tests.server.fakes import FakeRecognizer

Auricle = Callable[..., Result]


class FakeTranscriber:
    """The words of a text file are the words of its audio, a second each; `broken` fails."""

    def __init__(self) -> None:
        self.closed = False
        self.jobs: list[TranscriptionJob] = []
        self.streaming: StreamingOptions | None = None

    def transcribe(self, source: Source, job: TranscriptionJob = TranscriptionJob()) -> Transcript:
        self.jobs.append(job)
        with source.open() as reader:
            words = reader.read().decode().split()
        if words == ["broken"]:
            raise TranscriptionError("not audio")
        segments = tuple(Segment(i, i + 1.0, word, 0.5) for i, word in enumerate(words))
        job.reached(len(words) / 2)
        warnings = ("the file is truncated",) if "truncated" in words else ()
        return Transcript(segments, float(len(words)), Receipt("fake", tokens=2), warnings)

    def stream(self, source: Source, on_segment: Callable[[Segment], None]) -> Transcript:
        transcript = self.transcribe(source)
        for segment in transcript.segments:
            on_segment(segment)
        return transcript

    def listen(self, chunks: Iterator[bytes], streaming: StreamingOptions) -> Iterator[Event]:
        self.streaming = streaming
        seconds = sum(map(len, chunks)) / 32_000
        segment = Segment(0.0, seconds, f"{round(seconds * 16_000)} samples", 0.5)
        yield FinalSegment(segment)
        yield FinalTranscript(Transcript((segment,), seconds, Receipt("fake")))

    def close(self) -> None:
        self.closed = True


class Opened:
    """What a command asked for, and what it got."""

    def __init__(self) -> None:
        self.recognition: RecognitionSetup | None = None
        self.transcriber = FakeTranscriber()


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Opened:
    """Commands get a fake transcriber, whatever they ask for."""
    record = Opened()

    def open_fake(recognition: RecognitionSetup) -> FakeTranscriber:
        record.recognition = recognition
        return record.transcriber

    monkeypatch.setattr(RecognitionSetup, "open", open_fake)
    return record


@pytest.fixture
def auricle(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Auricle:
    """Runs the command line in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str, **settings: object) -> Result:
        return CliRunner().invoke(main, arguments, catch_exceptions=False, **settings)  # type: ignore[arg-type]

    return run


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    """A folder of recordings: two good, one broken, one that is no audio."""
    folder = tmp_path / "clips"
    (folder / "deep").mkdir(parents=True)
    (folder / "b.wav").write_text("the cat")
    (folder / "deep" / "a.FLAC").write_text("sat")
    (folder / "notes.txt").write_text("no audio")
    return folder


@pytest.fixture
def address() -> Iterator[str]:
    """A real server on the loopback, with a fake recogniser behind it."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    async def start() -> SpeechServer:
        config = ServerConfig(port=0, decoder_processes=0)  # which would take a while to start
        server = SpeechServer(FakeRecognizer(), config)
        await server.start()
        return server

    server = asyncio.run_coroutine_threadsafe(start(), loop).result(timeout=30)
    yield f"127.0.0.1:{server.port}"
    asyncio.run_coroutine_threadsafe(server.stop(drain=0), loop).result(timeout=30)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(timeout=30)
    loop.close()
