"""The blocking client against a server with a fake recogniser."""

import io
import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import pytest

from auricle_client import (
    AudioError,
    AudioNotFoundError,
    AudioTooLargeError,
    AudioTooLongError,
    AuricleError,
    Client,
    DeadlineExceededError,
    EmptyAudioError,
    InvalidOptionError,
    Model,
    PcmFormat,
    QueueFullError,
    Receipt,
    RecognitionOptions,
    RequestCancelledError,
    Segment,
    ServerError,
    ServerUnavailableError,
    UnknownModelError,
    UnsupportedAudioError,
)
from auricle_types.options import DecodingOptions
from tests.server.fakes import FakeRecognizer, wav

SPEECH = wav(2.5)  # three pieces of the fake segmenter
TEXT = "level 250 beam 1"
SEGMENTS = (
    Segment(0.0, 1.0, TEXT, 0.5),
    Segment(1.0, 2.0, TEXT, 0.5),
    Segment(2.0, 2.5, TEXT, 0.5),
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "speech.wav"
    path.write_bytes(SPEECH)
    return path


# --- answers -----------------------------------------------------------------------------------


def test_recognize_gives_all_fields(client: Client) -> None:
    transcript = client.recognize(SPEECH)
    assert transcript.text == f"{TEXT} {TEXT} {TEXT}"
    assert transcript.segments == SEGMENTS
    assert (transcript.confidence, transcript.duration) == (0.5, 2.5)
    assert transcript.receipt == Receipt("fake-1", 0.25, 0.5, 0.75, 3, 0.125, 21, ("rate",))
    assert transcript.warnings == ()


@pytest.mark.parametrize("kind", ["path", "str", "bytes"])
def test_recognize_takes(client: Client, path: Path, kind: str) -> None:
    source: Any = {"path": path, "str": str(path), "bytes": SPEECH}[kind]
    assert client.recognize(source).segments == SEGMENTS


@pytest.mark.parametrize("kind", ["path", "str", "bytes", "file", "chunks"])
@pytest.mark.parametrize("method", ["upload", "stream"])
def test_upload_and_stream_take(client: Client, path: Path, kind: str, method: str) -> None:
    source: Any = {
        "path": path,
        "str": str(path),
        "bytes": SPEECH,
        "file": io.BytesIO(SPEECH),
        "chunks": (SPEECH[start : start + 999] for start in range(0, len(SPEECH), 999)),
    }[kind]
    whole = client.recognize(SPEECH)
    if method == "upload":
        assert client.upload(source, chunk_bytes=1000) == whole
    else:
        stream = client.stream(source, chunk_bytes=1000)
        assert tuple(stream) == SEGMENTS
        assert stream.transcript == whole


def test_upload_takes_a_pipe(client: Client) -> None:
    reader, writer = os.pipe()

    def write() -> None:
        with os.fdopen(writer, "wb") as file:
            file.write(SPEECH)

    thread = threading.Thread(target=write)
    thread.start()
    with os.fdopen(reader, "rb") as file:
        assert client.upload(file).segments == SEGMENTS
    thread.join(20)


def test_options_reach_the_recognizer(client: Client, recognizer: FakeRecognizer) -> None:
    pcm = PcmFormat(sample_rate=8_000, channels=2, encoding="f32le")
    options = RecognitionOptions(
        model="fake", pcm=pcm, beam_size=4, max_tokens=9, length_penalty=0.5
    )
    assert client.upload(bytes(8_000 * 2 * 4), options).duration == 1.0
    ((_, decoding, _),) = recognizer.submitted
    assert (decoding.beam_size, decoding.max_tokens, decoding.length_penalty) == (4, 9, 0.5)


def test_sampling_reaches_the_recognizer_to_the_last_bit(
    client: Client, recognizer: FakeRecognizer
) -> None:
    client.recognize(wav(0.5), RecognitionOptions(temperature=0.7, seed=2**62 + 1))
    client.recognize(wav(0.5), RecognitionOptions(temperature=0.0, seed=0))
    sampled, greedy = [options for _, options, _ in recognizer.submitted]
    assert (sampled.temperature, sampled.seed) == (0.7, 2**62 + 1)
    assert (greedy.temperature, greedy.seed) == (0.0, 0)


def test_what_whisper_is_told_reaches_the_recognizer(
    client: Client, recognizer: FakeRecognizer
) -> None:
    told: dict[str, Any] = {
        "language": "de",
        "task": "translate",
        "prompt": "Anna",
        "timestamps": False,
        "word_timestamps": True,
        "fallback": True,
    }
    client.recognize(wav(0.5), RecognitionOptions(**told))
    client.recognize(wav(0.5))
    asked = [options for _, options, _ in recognizer.submitted]
    assert asked == [DecodingOptions(**told), DecodingOptions()]


def test_ctc_lm_and_guards_reach_the_recognizer_to_the_last_bit(
    client: Client, recognizer: FakeRecognizer
) -> None:
    client.recognize(wav(0.5), RecognitionOptions(ctc_weight=0.1, guards=False, lm_weight=0.3))
    client.recognize(wav(0.5), RecognitionOptions(ctc_weight=0.0, guards=True, token_reward=0.7))
    client.recognize(wav(0.5))
    assert [options for _, options, _ in recognizer.submitted] == [
        DecodingOptions(ctc_weight=0.1, guards=False, lm_weight=0.3),
        DecodingOptions(ctc_weight=0.0, token_reward=0.7),
        DecodingOptions(),
    ]


def test_a_timeout_reaches_the_recognizer(client: Client, recognizer: FakeRecognizer) -> None:
    client.recognize(wav(0.5), timeout=50)
    client.recognize(wav(0.5))
    with_timeout, without = [deadline for _, _, deadline in recognizer.submitted]
    assert with_timeout is not None
    assert without is None


def test_list_models(client: Client) -> None:
    assert client.list_models() == (Model("fake-1", "fake", "en", 20.0, "cpu", "float32"),)


def test_warnings_arrive(client: Client) -> None:
    assert client.upload(SPEECH[:40_000]).warnings


def test_a_segment_comes_before_the_audio_ends(client: Client) -> None:
    read = threading.Event()

    def live() -> Iterator[bytes]:
        yield SPEECH[:48_000]
        assert read.wait(20)  # the rest is spoken when the first segment was read
        yield SPEECH[48_000:]

    with client.stream(live()) as stream:
        segments = iter(stream)
        assert next(segments) == SEGMENTS[0]
        read.set()
        assert tuple(segments) == SEGMENTS[1:]


def test_one_client_serves_many_threads(client: Client) -> None:
    audios = [wav(0.5 + index / 8, level=(index + 1) / 20) for index in range(16)]
    alone = [client.recognize(audio) for audio in audios]
    with ThreadPoolExecutor(16) as threads:
        assert list(threads.map(client.upload, audios)) == alone
    assert len({transcript.text for transcript in alone}) == 16


def test_a_channel_of_the_callers_stays_open(target: str) -> None:
    with grpc.insecure_channel(target) as channel:
        with Client(channel) as client:
            client.list_models()
        assert Client(channel).list_models()


# --- errors ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "error"),
    [
        (b"", EmptyAudioError),
        (b"To be, or not to be: that is the question. " * 50, UnsupportedAudioError),
        (wav(31), AudioTooLongError),
    ],
    ids=["empty", "text", "too long"],
)
def test_audio_that_the_server_refuses(
    client: Client, source: bytes, error: type[AudioError]
) -> None:
    for call in (client.recognize, client.upload, lambda source: list(client.stream(source))):
        with pytest.raises(error) as caught:
            call(source)
        assert caught.value.code is grpc.StatusCode.INVALID_ARGUMENT
        assert caught.value.reason == error.reason
        assert str(caught.value)


def test_one_message_over_the_limit(client: Client) -> None:
    with pytest.raises(AudioTooLargeError) as caught:
        client.recognize(bytes(2_100_000))
    assert caught.value.reason == "AUDIO_TOO_LARGE"


def test_an_unknown_model(client: Client) -> None:
    with pytest.raises(UnknownModelError, match="large"):
        client.upload(SPEECH, RecognitionOptions(model="large"))


@pytest.mark.parametrize(
    "options",
    [
        {"beam_size": 0},
        {"beam_size": 2**40},
        {"max_tokens": "many"},
        {"temperature": -0.1},
        {"temperature": 0.5, "beam_size": 2},
        {"seed": -1},
        {"seed": 2**63},
    ],
    ids=str,
)
def test_options_out_of_range_are_refused_before_anything_is_sent(options: dict[str, Any]) -> None:
    with pytest.raises(InvalidOptionError):
        RecognitionOptions(**options)


@pytest.mark.parametrize("options", [{"max_tokens": 2**40}, {"prompt": (1, 2)}], ids=str)
def test_what_the_wire_cannot_hold(client: Client, options: dict[str, Any]) -> None:
    with pytest.raises(InvalidOptionError, match="does not fit"):
        client.upload(SPEECH, RecognitionOptions(**options))


def test_a_full_queue_says_when_to_come_back(client: Client, recognizer: FakeRecognizer) -> None:
    recognizer.room, recognizer.retry_after = 0, 2.5
    with pytest.raises(QueueFullError) as caught:
        client.recognize(SPEECH)
    assert (caught.value.reason, caught.value.retry_after) == ("QUEUE_FULL", 2.5)


def test_a_failing_server(client: Client, recognizer: FakeRecognizer) -> None:
    recognizer.future_error = ZeroDivisionError("inside")
    with pytest.raises(ServerError, match="incident") as caught:
        client.recognize(SPEECH)
    assert caught.value.code is grpc.StatusCode.INTERNAL


def test_a_timeout_that_passes(client: Client, recognizer: FakeRecognizer) -> None:
    recognizer.hold = True
    for call in (
        lambda: client.recognize(SPEECH, timeout=0.2),
        lambda: client.upload(SPEECH, timeout=0.2),
        lambda: list(client.stream(SPEECH, timeout=0.2)),
    ):
        with pytest.raises(DeadlineExceededError):
            call()


def test_nobody_there(unused_target: str) -> None:
    with Client(unused_target) as client:
        for call in (
            client.list_models,
            lambda: client.recognize(SPEECH),
            lambda: client.upload(SPEECH),
            lambda: list(client.stream(SPEECH)),
        ):
            with pytest.raises(ServerUnavailableError):
                call()


@pytest.fixture
def unused_target(recognizer: FakeRecognizer) -> str:
    """Where a server was and is no more."""
    from auricle_server import ServerConfig
    from tests.client.conftest import serving

    with serving(recognizer, ServerConfig(port=0)) as target:
        return target


def test_a_file_that_is_not_there(client: Client, tmp_path: Path) -> None:
    for call in (client.recognize, client.upload, client.stream):
        with pytest.raises(AudioNotFoundError, match=r"missing\.wav") as caught:
            call(tmp_path / "missing.wav")
        assert isinstance(caught.value, FileNotFoundError)
        assert caught.value.code is None


def test_a_folder_is_no_audio(client: Client, tmp_path: Path) -> None:
    for call in (client.recognize, client.upload):
        with pytest.raises(AudioError, match="folder"):
            call(tmp_path)


def test_what_a_source_raises_reaches_the_caller(client: Client) -> None:
    def broken() -> Iterator[bytes]:
        yield SPEECH[:20_000]
        raise ConnectionResetError("the microphone is gone")

    with pytest.raises(ConnectionResetError, match="microphone"):
        client.upload(broken())
    with pytest.raises(ConnectionResetError, match="microphone"):
        list(client.stream(broken()))


# --- leaving early -----------------------------------------------------------------------------


def test_leaving_a_stream_cancels_it(client: Client, recognizer: FakeRecognizer) -> None:
    recognizer.hold = True
    with client.stream(SPEECH) as stream:
        assert recognizer.came.wait(20)
    with pytest.raises(AuricleError) as caught:
        list(stream)
    assert isinstance(caught.value, RequestCancelledError)
    recognizer.hold = False
    assert client.recognize(SPEECH).segments == SEGMENTS


def test_no_transcript_before_the_end(client: Client) -> None:
    with client.stream(SPEECH) as stream:
        next(iter(stream))
        with pytest.raises(RequestCancelledError, match="not read to its end"):
            _ = stream.transcript
