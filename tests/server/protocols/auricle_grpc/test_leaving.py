"""Decoding ends when the caller has gone."""

import asyncio
import io
import threading
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import soundfile

from auricle.audio import Samples
from auricle.audio.converter import Converter
from auricle.audio.decoders import AvDecoder, Block
from auricle_proto.v1 import speech_pb2 as pb
from auricle_server import ServerConfig, SpeechServer
from tests.server.fakes import FakeRecognizer
from tests.server.messages import streams, until, uploads

if TYPE_CHECKING:
    from auricle_proto.v1.speech_pb2_grpc import SpeechAsyncStub


@pytest.fixture
def config() -> ServerConfig:
    """Decode here, where the test can hold the decoder."""
    return ServerConfig(port=0, decoder_processes=0)


class HeldDecoder:
    """Holds the decoder within its third block, and counts blocks."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.blocks = 0
        self.busy, self.go_on, self.closed = (threading.Event() for _ in range(3))
        feed, close = Converter.feed, AvDecoder.close

        def held_feed(converter: Converter, block: Block) -> Samples:
            self.blocks += 1
            if self.blocks == 3:
                self.busy.set()
                assert self.go_on.wait(20)
            return feed(converter, block)

        def noted_close(decoder: AvDecoder) -> None:
            close(decoder)
            self.closed.set()

        monkeypatch.setattr(Converter, "feed", held_feed)
        monkeypatch.setattr(AvDecoder, "close", noted_close)


@pytest.mark.parametrize("rpc", ["Recognize", "Upload", "StreamingRecognize"])
@pytest.mark.parametrize("seconds", [None, 1.0])
async def test_nothing_is_decoded_for_a_caller_that_left(
    stub: "SpeechAsyncStub",
    recognizer: FakeRecognizer,
    server: SpeechServer,
    monkeypatch: pytest.MonkeyPatch,
    rpc: str,
    seconds: float | None,
) -> None:
    recognizer.piece_seconds = 1000.0  # so that all would be decoded for the first piece
    buffer = io.BytesIO()
    soundfile.write(buffer, np.zeros(20 * 16_000), 16_000, format="FLAC")
    requests: dict[str, Any] = {
        "Recognize": pb.RecognizeRequest(audio=buffer.getvalue()),
        "Upload": iter(uploads([buffer.getvalue()])),
        "StreamingRecognize": iter(streams([buffer.getvalue()])),
    }
    decoder = HeldDecoder(monkeypatch)
    call = getattr(stub, rpc)(requests[rpc], timeout=seconds)
    assert await asyncio.to_thread(decoder.busy.wait, 20)
    if seconds is None:
        call.cancel()
    await until(lambda: server._admission.active == 0)
    decoder.go_on.set()
    assert await asyncio.to_thread(decoder.closed.wait, 20)
    assert decoder.blocks == 3
