"""The front door with a tiny model: what goes in, what comes out, and what is refused."""

import io
import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import CancelledError, ThreadPoolExecutor, wait
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch

from auricle.audio import Audio, load_audio
from auricle.config import SAMPLE_RATE, Calibration
from auricle.naming import model_path
from auricle.recognizer import Recognizer
from auricle.segmentation.joining import join
from auricle.segmentation.segmenter import Piece
from auricle_types.errors import (
    AudioError,
    AudioNotFoundError,
    AudioTooLongError,
    CorruptCheckpointError,
    DeadlineExceededError,
    EmptyAudioError,
    EngineStoppedError,
    InvalidOptionError,
    InvalidSamplesError,
    QueueFullError,
    UnknownModelError,
    UnsupportedAudioError,
)
from auricle_types.events import FinalSegment, FinalTranscript
from auricle_types.options import DecodingOptions, EngineConfig
from tests.asr.recognizing import PATIENCE, Gate, content, wav
from tests.asr.tiny import (
    SECONDS,
    VOCAB_SIZE,
    WINDOW_SECONDS,
    sound,
    sounds,
    tiny_checkpoint,
    write_tiny_checkpoint,
)

pytestmark = pytest.mark.usefixtures("all_is_speech")

SAMPLES = Path(__file__).parents[2] / "samples"
DEV = Path(__file__).parents[3] / "shared" / "speech" / "dev"


@pytest.fixture(scope="module")
def recognizer() -> Iterator[Recognizer]:
    with Recognizer.from_checkpoint(tiny_checkpoint(), device="cpu") as recognizer:
        yield recognizer


@pytest.fixture(scope="module")
def long_audio() -> Audio:
    """Four samples, one after the other: several windows of speech and silence."""
    parts = [load_audio(path).samples for path in sorted(SAMPLES.glob("*.wav"))[:4]]
    return Audio(np.concatenate(parts))


def test_different_sounds_are_different_texts(recognizer: Recognizer) -> None:
    texts = {recognizer.transcribe(samples).text for samples in sounds()}
    assert len(texts) >= len(SECONDS) - 1  # one of them may say nothing


def test_a_transcript_is_whole(recognizer: Recognizer) -> None:
    transcript = recognizer.transcribe(sounds()[0])
    (segment,) = transcript.segments
    assert transcript.duration == SECONDS[0]
    assert (segment.start, segment.end) == (0.0, SECONDS[0])
    assert transcript.text == segment.text != ""
    assert 0 < transcript.confidence <= 1
    receipt = transcript.receipt
    assert (receipt.model_id, receipt.batch_size) == ("tiny", 1)
    assert 0 < receipt.padding_ratio < 0.5
    assert receipt.tokens >= len(segment.text.split())
    assert receipt.encode_seconds > 0
    assert receipt.decode_seconds > 0
    assert receipt.guards == ("rate",)  # random weights never end
    (warning,) = transcript.warnings
    assert warning.startswith("words may be missing between 0.0 and 1.0 s")


def test_confidences_are_calibrated_as_the_checkpoint_says(recognizer: Recognizer) -> None:
    checkpoint, calibration = tiny_checkpoint(), Calibration(2.0, 1.0)
    checkpoint.model.config = replace(checkpoint.model.config, calibration=calibration)
    plain = recognizer.transcribe(sounds()[0])
    with Recognizer.from_checkpoint(checkpoint, device="cpu") as calibrated:
        found = calibrated.transcribe(sounds()[0])
    assert found.text == plain.text
    (segment,) = plain.segments
    assert found.segments[0].confidence == calibration.confidence(segment.confidence)
    assert found.segments[0].confidence != segment.confidence


def test_every_kind_of_source_is_the_same_audio(recognizer: Recognizer, tmp_path: Path) -> None:
    samples = sounds()[0]
    path = tmp_path / "sound.wav"
    path.write_bytes(wav(samples))
    read_only = np.frombuffer(samples.tobytes(), np.float32)
    backwards = samples[::-1].copy()[::-1]
    sources = (path, str(path), wav(samples), Audio(samples), read_only, backwards)
    found = [content(recognizer.transcribe(source)) for source in sources]
    assert found == [content(recognizer.transcribe(samples))] * len(sources)


def test_a_list_is_its_audios_one_by_one(recognizer: Recognizer) -> None:
    together = recognizer.transcribe([*sounds(), wav(sounds()[2])])
    alone = [recognizer.transcribe(samples) for samples in sounds()]
    assert [content(one) for one in together] == [content(one) for one in [*alone, alone[2]]]
    assert recognizer.transcribe([]) == []


def test_one_audio_in_any_form_is_one_transcript(recognizer: Recognizer, tmp_path: Path) -> None:
    data, samples = wav(sounds()[2]), sounds()[2]
    path = tmp_path / "sound.wav"
    path.write_bytes(data)
    expected = content(recognizer.transcribe(data))
    for form in (path, str(path), bytearray(data), io.BytesIO(data), Audio(samples)):
        assert content(recognizer.transcribe(form)) == expected  # type: ignore[arg-type]
    pair, tensor = (samples, SAMPLE_RATE), torch.from_numpy(samples)
    assert content(recognizer.transcribe(pair)) == content(recognizer.transcribe(tensor))
    assert [content(each) for each in recognizer.transcribe((path, path))] == [expected] * 2


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_fork_is_told_to_load_the_model_itself(recognizer: Recognizer) -> None:
    child = os.fork()
    if child == 0:
        signal.alarm(30)
        try:
            recognizer.transcribe(sounds()[0])
        except EngineStoppedError:
            os._exit(0)
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_a_list_waits_for_room_in_the_queue(recognizer: Recognizer) -> None:
    with Recognizer.from_checkpoint(
        tiny_checkpoint(), device="cpu", engine=EngineConfig(max_queue=1)
    ) as narrow:
        found = narrow.transcribe(sounds() * 3)
    assert [content(one) for one in found] == [
        content(one) for one in recognizer.transcribe(sounds())
    ] * 3


def test_options_reach_the_search(recognizer: Recognizer) -> None:
    short = recognizer.transcribe(sounds()[0], options=DecodingOptions(max_tokens=2))
    assert short.receipt.tokens <= 2
    greedy, beam = (
        [recognizer.transcribe(s, options=DecodingOptions(beam_size=size)).text for s in sounds()]
        for size in (1, 5)
    )
    assert greedy != beam


def test_sixteen_threads_get_what_one_gets(recognizer: Recognizer) -> None:
    sources = [sound(seed, 0.3 + seed % 5 / 4) for seed in range(16)]
    alone = [content(recognizer.transcribe(samples)) for samples in sources]
    assert len(set(map(str, alone))) > 12
    started = threading.Barrier(16)

    def client(samples: npt.NDArray[np.float32]) -> list[tuple[object, ...]]:
        started.wait(PATIENCE)
        return [content(recognizer.transcribe(samples)) for _ in range(3)]

    with ThreadPoolExecutor(16) as clients:
        found = list(clients.map(client, sources))
    assert found == [[one] * 3 for one in alone]


def test_long_audio_is_cut_and_joined(recognizer: Recognizer, long_audio: Audio) -> None:
    transcript = recognizer.transcribe(long_audio)
    pieces = list(recognizer.cut([long_audio.samples]))
    assert len(pieces) > 3
    assert all(piece.duration <= WINDOW_SECONDS for piece in pieces)
    assert transcript.duration == long_audio.duration
    starts = [segment.start for segment in transcript.segments]
    assert len(starts) > 2
    assert starts == sorted(starts)
    assert transcript.segments[-1].end <= long_audio.duration
    recognitions = [recognizer.submit(piece).result(PATIENCE) for piece in pieces]
    joined = join(recognitions, duration=long_audio.duration)
    assert content(joined) == content(transcript)


def test_a_stream_gives_its_segments_then_the_transcript(
    recognizer: Recognizer, long_audio: Audio
) -> None:
    chunks = np.array_split(long_audio.samples, 50)
    *segments, last = recognizer.stream(chunks)
    assert isinstance(last, FinalTranscript)
    assert last.transcript.duration == long_audio.duration
    assert tuple(each.segment for each in segments if isinstance(each, FinalSegment)) == (
        last.transcript.segments
    )
    segmenter = recognizer.segmenter()
    items = [item for chunk in chunks for item in segmenter.feed(chunk)] + segmenter.flush()
    pieces = [item for item in items if isinstance(item, Piece)]
    recognitions = [recognizer.submit(piece).result(PATIENCE) for piece in pieces]
    assert [each.overlap for each in recognitions] == [piece.overlap for piece in pieces]
    joined = join(recognitions, duration=long_audio.duration)
    assert content(joined) == content(last.transcript)
    assert len({segment.text for segment in joined.segments}) > 1


def test_bad_samples_in_a_stream_have_their_error(recognizer: Recognizer) -> None:
    for bad, error in ((np.full(9, np.nan, np.float32), InvalidSamplesError), (1j, AudioError)):
        with pytest.raises(error):
            list(recognizer.stream([sounds()[0], np.atleast_1d(bad)]))


def test_silence_says_nothing(recognizer: Recognizer) -> None:
    for seconds in (0.1, WINDOW_SECONDS, 60.0):
        silence = np.zeros(int(seconds * SAMPLE_RATE), np.float32)
        transcript = recognizer.transcribe(silence)
        assert (transcript.text, transcript.segments) == ("", ())
        assert transcript.confidence == 0
        assert transcript.receipt.model_id == "tiny"


def test_one_sample_is_audio(recognizer: Recognizer) -> None:
    transcript = recognizer.transcribe(np.full(1, 0.5, np.float32))
    assert transcript.duration == 1 / SAMPLE_RATE


@pytest.mark.parametrize(
    ("source", "error"),
    [
        ("nowhere.wav", AudioNotFoundError),
        (Path("nowhere.wav"), AudioNotFoundError),
        (b"", EmptyAudioError),
        (b"no audio at all, but text", UnsupportedAudioError),
        (np.zeros(0, np.float32), EmptyAudioError),
        (np.full(9, np.nan, np.float32), InvalidSamplesError),
        (np.full(9, np.inf, np.float32), InvalidSamplesError),
        (np.zeros((2, 9), np.float32), AudioError),
        (np.zeros(9, np.complex64), AudioError),
    ],
)
def test_bad_audio_has_its_error(
    recognizer: Recognizer, source: str | bytes | npt.NDArray[np.float32], error: type[Exception]
) -> None:
    with pytest.raises(error):
        recognizer.transcribe(source)
    with pytest.raises(error):
        recognizer.transcribe([sounds()[0], source])
    assert recognizer.transcribe(sounds()[0]).text  # it still works


def test_sounds_too_loud_for_the_model_are_an_error(recognizer: Recognizer) -> None:
    loud = np.full(8_000, 1e30, np.float32)
    with pytest.raises(InvalidSamplesError):
        recognizer.transcribe(loud)
    with pytest.raises(InvalidSamplesError):
        recognizer.submit(Piece(0.0, loud))


def test_an_empty_piece_fails_alone(recognizer: Recognizer) -> None:
    first = recognizer.submit(Piece(0.0, sounds()[0]))
    with pytest.raises(EmptyAudioError):
        recognizer.submit(Piece(1.0, np.zeros(0, np.float32)))
    assert first.result(PATIENCE).text == recognizer.transcribe(sounds()[0]).text


def test_a_piece_longer_than_the_window_is_refused(recognizer: Recognizer) -> None:
    with pytest.raises(AudioTooLongError, match="cut it"):
        recognizer.submit(Piece(0.0, sound(0, WINDOW_SECONDS + 0.1)))


def test_a_beam_wider_than_the_slots_is_refused() -> None:
    budgets = EngineConfig(slots=4)
    with Recognizer.from_checkpoint(tiny_checkpoint(), device="cpu", engine=budgets) as recognizer:
        with pytest.raises(InvalidOptionError, match="4 slots"):
            recognizer.transcribe(sounds()[0], options=DecodingOptions(beam_size=5))
        assert recognizer.transcribe(sounds()[0], options=DecodingOptions(beam_size=4)).text


def test_a_piece_keeps_its_place(recognizer: Recognizer) -> None:
    found = recognizer.submit(Piece(7.0, sounds()[0], overlap=0.25)).result(PATIENCE)
    (segment,) = found.segments
    assert (segment.start, segment.end, found.overlap) == (7.0, 8.0, 0.25)


def test_a_deadline_is_kept(recognizer: Recognizer) -> None:
    piece = Piece(0.0, sounds()[0])
    with pytest.raises(DeadlineExceededError):
        recognizer.submit(piece, deadline=time.monotonic())
    in_time = recognizer.submit(piece, deadline=time.monotonic() + PATIENCE)
    assert in_time.result(PATIENCE).text


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Gate:
    return Gate(monkeypatch)


@pytest.fixture
def held(gate: Gate) -> Iterator[Recognizer]:
    """A recogniser behind the gate, with room for two."""
    recognizer = Recognizer.from_checkpoint(
        tiny_checkpoint(), device="cpu", engine=EngineConfig(max_queue=2)
    )
    yield recognizer
    gate.open.set()
    recognizer.close()


def test_a_full_queue_refuses(held: Recognizer, gate: Gate) -> None:
    piece = Piece(0.0, sounds()[1])
    futures = [held.submit(piece)]
    assert gate.busy.wait(PATIENCE)
    futures += [held.submit(piece) for _ in range(2)]
    with pytest.raises(QueueFullError):
        held.submit(piece)
    gate.open.set()
    assert len({future.result(PATIENCE).text for future in futures}) == 1


def test_a_cancelled_piece_is_not_recognised(held: Recognizer, gate: Gate) -> None:
    first = held.submit(Piece(0.0, sounds()[1]))
    assert gate.busy.wait(PATIENCE)
    dropped = held.submit(Piece(0.0, sounds()[1]))
    assert dropped.cancel()
    assert not wait([dropped], PATIENCE).not_done
    gate.open.set()
    first.result(PATIENCE)
    held.close()
    with pytest.raises(CancelledError):
        dropped.result(0)
    assert gate.joined == 1


def test_a_stream_that_is_closed_drops_the_rest(
    held: Recognizer, gate: Gate, long_audio: Audio
) -> None:
    gate.open.set()
    chunks = iter(np.array_split(long_audio.samples, 50) * 10)
    events = held.stream(chunks)
    assert isinstance(next(events), FinalSegment)
    events.close()
    held.close()
    count = held.statistics()
    assert count.submitted == count.finished + count.cancelled
    assert next(chunks, None) is not None  # it has not read on


@pytest.mark.parametrize("drain", [True, False])
def test_closed_is_closed(drain: bool) -> None:
    recognizer = Recognizer.from_checkpoint(tiny_checkpoint(), device="cpu")
    recognizer.close(drain=drain)
    with pytest.raises(EngineStoppedError):
        recognizer.transcribe(sounds()[0])


def test_leaving_by_an_error_does_not_drain(monkeypatch: pytest.MonkeyPatch) -> None:
    drained: list[bool] = []
    close = Recognizer.close

    def record(recognizer: Recognizer, *, drain: bool = True) -> None:
        drained.append(drain)
        close(recognizer, drain=drain)

    monkeypatch.setattr(Recognizer, "close", record)
    with Recognizer.from_checkpoint(tiny_checkpoint(), device="cpu"):
        pass
    with pytest.raises(KeyError), Recognizer.from_checkpoint(tiny_checkpoint(), device="cpu"):
        raise KeyError
    assert drained == [True, False]


def test_from_a_file_it_is_the_same_model(recognizer: Recognizer, tmp_path: Path) -> None:
    path = write_tiny_checkpoint(tmp_path)
    for source in (path, str(path)):
        with Recognizer.from_pretrained(source, device="cpu", dtype=recognizer.dtype) as loaded:
            assert (loaded.model_id, loaded.device) == ("tiny", "cpu")
            assert loaded.config.transformer.vocab_size == VOCAB_SIZE
            for samples in sounds():
                expected = recognizer.transcribe(samples)
                found = loaded.transcribe(samples)
                assert content(found) == content(expected)
                assert found.confidence == expected.confidence


def test_what_cannot_be_loaded_has_its_error(tmp_path: Path) -> None:
    with pytest.raises(UnknownModelError, match="klingon"):
        Recognizer.from_pretrained("klingon")
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(b"broken")
    with pytest.raises(CorruptCheckpointError):
        Recognizer.from_pretrained(broken)
    path = write_tiny_checkpoint(tmp_path)
    with pytest.raises(InvalidOptionError, match="device"):
        Recognizer.from_pretrained(path, device="abacus")
    with pytest.raises(InvalidOptionError, match="dtype"):
        Recognizer.from_pretrained(path, dtype="float1")


def test_the_bundled_model_lies_in_the_package() -> None:
    path = model_path("bundled")
    assert path.name == "english.safetensors"
    assert path.parent.name == "assets"
    assert path.parent.parent.name == "auricle"
    assert model_path("other.safetensors") == Path("other.safetensors")


@pytest.mark.skipif(not DEV.is_dir(), reason="no speech beside the repository")
@pytest.mark.parametrize("corpus", ["librispeech", "an4"])
def test_real_speech_together_is_real_speech_alone(recognizer: Recognizer, corpus: str) -> None:
    lines = (DEV / f"{corpus}.jsonl").read_text().splitlines()[:6]
    paths = [DEV / json.loads(line)["audio_filepath"] for line in lines]
    together = recognizer.transcribe(paths)
    alone = [recognizer.transcribe(path) for path in paths]
    assert [content(one) for one in together] == [content(one) for one in alone]
    assert len({one.text for one in together}) > 3


# --- words -------------------------------------------------------------------------------------


def test_words_have_the_times_of_the_whole_audio(recognizer: Recognizer) -> None:
    options = DecodingOptions(word_timestamps=True)
    for samples in sounds():
        first, later = (
            recognizer.submit(Piece(start, samples), options).result().segments[0]
            for start in (0.0, 3.0)
        )
        assert [word.text for word in first.words] in ([], first.text.split())
        moved = [(word.start - 3.0, word.end - 3.0, word.text) for word in later.words]
        expected = [(word.start, word.end, word.text) for word in first.words]
        assert [times[2] for times in moved] == [times[2] for times in expected]
        assert np.allclose([t[:2] for t in moved], [t[:2] for t in expected])
        assert all(word.end <= later.end for word in later.words)


def test_nobody_gets_words_that_did_not_ask(recognizer: Recognizer) -> None:
    timed = recognizer.transcribe(list(sounds()), options=DecodingOptions(word_timestamps=True))
    plain = recognizer.transcribe(list(sounds()))
    assert any(segment.words for each in timed for segment in each.segments)
    assert not any(segment.words for each in plain for segment in each.segments)
    assert [each.text for each in timed] == [each.text for each in plain]
