"""A realtime client for tests, and a detector that hears each second as an utterance."""

import asyncio
import base64
import json
import threading
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import Future
from contextlib import asynccontextmanager
from typing import Any

import numpy.typing as npt
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from auricle.config import ModelConfig
from auricle.segmentation.live import Item
from auricle.segmentation.segmenter import Piece
from auricle.transcript import Recognition
from auricle_server import SpeechServer
from auricle_types.events import EndOfUtterance, SpeechStarted, SpeechStopped
from auricle_types.options import DecodingOptions, StreamingOptions
from tests.server.fakes import FakeRecognizer, FakeSegmenter, only_pieces

COMMIT = {"type": "input_audio_buffer.commit"}
CLEAR = {"type": "input_audio_buffer.clear"}
COMMITTED = "input_audio_buffer.committed"
TRANSCRIPTION = "conversation.item.input_audio_transcription"
COMPLETED = f"{TRANSCRIPTION}.completed"
RATE = 16_000


class Talk:
    """One websocket; every event that comes has a type and an id."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection
        self.events: list[dict[str, Any]] = []

    async def send(self, event: object) -> None:
        await self.connection.send(json.dumps(event))

    async def receive(self) -> dict[str, Any]:
        event: dict[str, Any] = json.loads(await asyncio.wait_for(self.connection.recv(), 20))
        assert event["event_id"].startswith("event_")
        self.events.append(event)
        return event

    async def until(self, kind: str) -> dict[str, Any]:
        """The next event of a kind; there is no error before it."""
        while (event := await self.receive())["type"] != kind:
            assert event["type"] not in ("error", f"{TRANSCRIPTION}.failed"), event
        return event

    async def asked(self, event: object) -> dict[str, Any]:
        """The answer to one event."""
        await self.send(event)
        return await self.receive()

    async def update(self, **given: object) -> dict[str, Any]:
        session = {"type": "transcription", "audio": {"input": given}}
        await self.send({"type": "session.update", "session": session})
        return (await self.until("session.updated"))["session"]["audio"]["input"]  # type: ignore[no-any-return]

    async def append(self, seconds: float) -> None:
        audio = base64.b64encode(bytes(2 * round(seconds * RATE))).decode()
        await self.send({"type": "input_audio_buffer.append", "audio": audio})

    def kinds(self) -> list[str]:
        return [event["type"] for event in self.events]


@asynccontextmanager
async def talking(
    server: SpeechServer,
    path: str = "/v1/realtime?intent=transcription",
    headers: dict[str, str] | None = None,
    subprotocols: Sequence[Subprotocol] | None = None,
) -> AsyncIterator[Talk]:
    """A session whose first event has come."""
    address = f"ws://127.0.0.1:{server.port}{path}"
    async with connect(
        address, proxy=None, additional_headers=headers, subprotocols=subprotocols
    ) as connection:
        talk = Talk(connection)
        await talk.receive()
        yield talk


@asynccontextmanager
async def manual(server: SpeechServer) -> AsyncIterator[Talk]:
    """A session whose audio the client commits."""
    async with talking(server) as talk:
        pcm = {"type": "audio/pcm", "rate": RATE}
        await talk.update(format=pcm, turn_detection=None)
        yield talk


class HearingSegmenter(FakeSegmenter):
    """Hears each piece as an utterance of its own."""

    def feed(self, samples: npt.NDArray[Any]) -> list[Item]:
        return _heard(super().feed(samples))

    def flush(self) -> list[Item]:
        return _heard(super().flush())


class HearingRecognizer(FakeRecognizer):
    """A fake with a detector; it keeps what it was asked for."""

    asked: StreamingOptions | None = None

    def __init__(self) -> None:
        super().__init__(config=ModelConfig(name="fake", family="whisper"))
        self.dropped = threading.Event()  # a future was cancelled

    def submit(
        self,
        piece: Piece,
        options: DecodingOptions,
        *,
        deadline: float | None = None,
        block: bool = False,
    ) -> Future[Recognition]:
        future = super().submit(piece, options, deadline=deadline, block=block)
        future.add_done_callback(self._done)
        return future

    def _done(self, future: Future[Recognition]) -> None:
        if future.cancelled():
            self.dropped.set()

    def segmenter(self, streaming: StreamingOptions | None = None) -> FakeSegmenter:
        self.asked = streaming
        if streaming is not None and streaming.voice_activity:
            return HearingSegmenter(self.piece_seconds)
        return FakeSegmenter(self.piece_seconds)


def _heard(items: list[Item]) -> list[Item]:
    heard: list[Item] = []
    for piece in only_pieces(items):
        end = piece.start + piece.duration
        heard += [SpeechStarted(piece.start), SpeechStopped(end), piece, EndOfUtterance(end)]
    return heard
