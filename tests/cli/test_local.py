"""Transcription in the process, around a fake recogniser."""

from collections.abc import Generator, Iterator
from concurrent.futures import Future
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import soundfile

from auricle.audio import AudioStream
from auricle.recognizer import Recognizer
from auricle.segmentation.segmenter import Piece
from auricle.segmentation.sources import PieceSource, StreamedAudio, WholeAudio
from auricle.session import Session, events, final_transcript
from auricle.transcript import Recognition as Recognized
from auricle_cli import local
from auricle_cli.answers import TranscriptionError, TranscriptionJob
from auricle_cli.inputs import OWN_FILES, Source
from auricle_cli.recognition import RecognitionSetup
from auricle_types.errors import EngineStoppedError, UnknownModelError
from auricle_types.events import Event
from auricle_types.options import DecodingOptions, EngineConfig, LoadingOptions, PcmFormat
from auricle_types.transcript import Segment, Transcript
from tests.cli.conftest import Auricle
from tests.server.fakes import FakeRecognizer, wav


class FakeLibrary(FakeRecognizer):
    """The fake with the library's two other ways in."""

    closed = False
    drained = True

    def stream(self, chunks: AudioStream, *, options: DecodingOptions) -> Iterator[Event]:
        return self._events(StreamedAudio(chunks, self.segmenter()), options)

    def transcribe(self, audio: AudioStream, *, options: DecodingOptions) -> Transcript:
        return final_transcript(self._events(WholeAudio(lambda: audio, self.cut), options))

    def _events(self, source: PieceSource, options: DecodingOptions) -> Generator[Event]:
        submit = partial(self.submit, options=options)
        return events(Session(source, submit, model_id=self.model_id))

    def close(self, *, drain: bool = True) -> None:
        self.closed, self.drained = True, drain


class Overlapping(FakeLibrary):
    """Recognises the end of each piece again in the next one, and nothing new in the last."""

    def submit(
        self,
        piece: Piece,
        options: DecodingOptions,
        *,
        deadline: float | None = None,
        block: bool = False,
    ) -> Future[Recognized]:
        texts = ["one two three", "two three four five", "four five"]
        text, overlap = texts[len(self.submitted)], 0.4 if self.submitted else 0.0
        found = super().submit(piece, options, deadline=deadline, block=block).result()
        segments = tuple(replace(each, text=text) for each in found.segments)
        future: Future[Recognized] = Future()
        future.set_result(replace(found, segments=segments, overlap=overlap))
        return future


@pytest.fixture
def library() -> FakeLibrary:
    return FakeLibrary()


def transcriber(
    library: FakeLibrary, beam: int = 1, pcm: PcmFormat | None = None
) -> local.LocalTranscriber:
    return local.LocalTranscriber(cast("Recognizer", library), DecodingOptions(beam), pcm)


@pytest.fixture
def source(tmp_path: Path) -> Source:
    path = tmp_path / "a.wav"
    path.write_bytes(wav(2.5, level=0.5))
    return Source(str(path))


def test_transcribe(library: FakeLibrary, source: Source) -> None:
    transcript = transcriber(library, beam=2).transcribe(source)
    assert transcript.text == " ".join(["level 500 beam 2"] * 3)
    assert transcript.duration == 2.5


def test_a_stream_is_the_whole_piece_by_piece(library: FakeLibrary, source: Source) -> None:
    segments: list[Segment] = []
    transcript = transcriber(library).stream(source, segments.append)
    assert transcript == transcriber(library).transcribe(source)
    assert tuple(segments) == transcript.segments


def test_words_that_an_overlap_repeats_are_shown_once(source: Source) -> None:
    segments: list[Segment] = []
    transcript = transcriber(Overlapping()).stream(source, segments.append)
    assert [segment.text for segment in segments] == ["one two three", "four five"]
    assert tuple(segments) == transcript.segments


def test_a_truncated_file_warns_either_way(library: FakeLibrary, source: Source) -> None:
    path = Path(source.name)
    path.write_bytes(path.read_bytes()[:-20_000])
    whole = transcriber(library).transcribe(source)
    streamed = transcriber(library).stream(source, lambda segment: None)
    assert whole.duration == streamed.duration < 2.0
    assert whole.warnings
    assert streamed.warnings


def test_headerless_audio(library: FakeLibrary, tmp_path: Path) -> None:
    path = tmp_path / "a.pcm"
    path.write_bytes(np.full(8000, 16384, "<i2").tobytes())
    pcm = PcmFormat(8000)
    for run in (
        transcriber(library, pcm=pcm).transcribe,
        lambda s: transcriber(library, pcm=pcm).stream(s, lambda segment: None),
    ):
        assert run(Source(str(path))).duration == pytest.approx(1.0)


@pytest.mark.parametrize("content", [b"", b"this is no audio"])
def test_bad_audio(library: FakeLibrary, source: Source, content: bytes) -> None:
    Path(source.name).write_bytes(content)
    with pytest.raises(TranscriptionError, match="audio"):
        transcriber(library).transcribe(source)
    with pytest.raises(TranscriptionError, match="audio"):
        transcriber(library).stream(source, lambda segment: None)
    assert library.submitted == []


def test_a_folder_is_no_audio(library: FakeLibrary, tmp_path: Path) -> None:
    with pytest.raises(TranscriptionError, match="directory"):
        transcriber(library).transcribe(Source(str(tmp_path)))


def test_an_output_that_nobody_reads_is_no_failure_of_the_audio(
    library: FakeLibrary, source: Source
) -> None:
    def gone(segment: Segment) -> None:
        raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        transcriber(library).stream(source, gone)


def test_close_waits_for_nothing(library: FakeLibrary) -> None:
    transcriber(library).close()
    assert library.closed
    assert not library.drained


# --- jobs --------------------------------------------------------------------------------------


class Failing(FakeLibrary):
    """Recognises two pieces and then none."""

    def submit(
        self,
        piece: Piece,
        options: DecodingOptions,
        *,
        deadline: float | None = None,
        block: bool = False,
    ) -> Future[Recognized]:
        if len(self.submitted) == 2:
            raise EngineStoppedError("the engine stopped")
        return super().submit(piece, options, deadline=deadline, block=block)


def test_an_input_that_broke_off_goes_on(source: Source, tmp_path: Path) -> None:
    job = TranscriptionJob(tmp_path / "a.partial.jsonl")
    with pytest.raises(TranscriptionError, match="stopped"):
        transcriber(Failing()).transcribe(source, job)
    library = FakeLibrary()
    resumed = transcriber(library).transcribe(source, job)
    assert [piece.start for piece, *_ in library.submitted] == [2.0]
    assert resumed == transcriber(FakeLibrary()).transcribe(source)


def test_other_options_or_a_changed_input_begin_anew(source: Source, tmp_path: Path) -> None:
    job = TranscriptionJob(tmp_path / "a.partial.jsonl")
    transcriber(FakeLibrary()).transcribe(source, job)
    library = FakeLibrary()
    assert "beam 2" in transcriber(library, beam=2).transcribe(source, job).text
    transcriber(library, beam=2).transcribe(source, job)
    assert len(library.submitted) == 3
    Path(source.name).write_bytes(wav(2.5, level=0.25))
    assert "level 250" in transcriber(library, beam=2).transcribe(source, job).text
    assert len(library.submitted) == 6


def test_another_model_by_the_same_name_begins_anew(source: Source, tmp_path: Path) -> None:
    job = TranscriptionJob(tmp_path / "a.partial.jsonl")
    model = tmp_path / "best.safetensors"
    library = FakeLibrary()
    for weights in ("old", "newer"):
        model.write_text(weights)
        loading = LoadingOptions(model=str(model))
        made = cast("Recognizer", library)
        local.LocalTranscriber(made, DecodingOptions(), loading=loading).transcribe(source, job)
    assert len(library.submitted) == 6


def test_what_is_no_audio_leaves_no_journal(source: Source, tmp_path: Path) -> None:
    Path(source.name).write_bytes(b"this is no audio")
    job = TranscriptionJob(tmp_path / "a.partial.jsonl")
    with pytest.raises(TranscriptionError):
        transcriber(FakeLibrary()).transcribe(source, job)
    assert job.journal is not None
    assert not job.journal.exists()


def test_how_far_it_is(library: FakeLibrary, source: Source) -> None:
    reached: list[float] = []
    transcriber(library).transcribe(source, TranscriptionJob(reached=reached.append))
    assert reached == [1.0, 2.0, 2.5]


def test_each_channel_by_itself(tmp_path: Path) -> None:
    left, right = np.full(24_000, 0.5, np.float32), np.full(24_000, 0.25, np.float32)
    right[:16_000] = 0.125
    path = tmp_path / "a.wav"
    soundfile.write(path, np.stack([left, right], axis=1), 16_000)
    reached: list[float] = []
    journal = tmp_path / "a.partial.jsonl"
    library = FakeLibrary()
    job = TranscriptionJob(journal, reached.append, channels_apart=True)
    transcript = transcriber(library).transcribe(Source(str(path)), job)
    assert [(s.channel, s.start, s.text[:9]) for s in transcript.segments] == [
        (1, 0.0, "level 500"),
        (2, 0.0, "level 125"),
        (1, 1.0, "level 500"),
        (2, 1.0, "level 250"),
    ]
    assert transcript.duration == 1.5
    assert reached == [0.5, 0.75, 1.25, 1.5]
    assert transcriber(library).transcribe(Source(str(path)), job) == transcript
    assert len(library.submitted) == 4  # the journal had all of them
    assert library.cut_at_once == [False] * 4  # turns are cut apart in short recordings, too
    mixed = transcriber(library).transcribe(Source(str(path)), TranscriptionJob())
    assert {segment.channel for segment in mixed.segments} == {0}


def test_one_channel_has_no_number(library: FakeLibrary, source: Source) -> None:
    apart = TranscriptionJob(channels_apart=True)
    assert transcriber(library).transcribe(source, apart) == transcriber(library).transcribe(source)
    with pytest.raises(TranscriptionError, match="read only once"):
        transcriber(library).transcribe(Source("-"), apart)


def test_the_limits_of_strangers_are_not_those_of_ones_own_files() -> None:
    assert OWN_FILES.max_seconds == float("inf")
    assert OWN_FILES.max_bytes > 2**60


# --- loading -----------------------------------------------------------------------------------


def test_load(library: FakeLibrary, source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []

    def from_pretrained(**options: object) -> FakeLibrary:
        asked.append(options)
        return library

    monkeypatch.setattr(Recognizer, "from_pretrained", from_pretrained)
    loaded = RecognitionSetup(decoding=DecodingOptions(beam_size=3, max_tokens=9)).open()
    named = LoadingOptions("m", Path("m.lm"), "cpu", "float32", "auto")
    exact = EngineConfig(exact=True, processes=2)
    RecognitionSetup(loading=named, engine=exact).open()
    assert asked == [
        {**asdict(LoadingOptions()), "engine": EngineConfig()},
        {**asdict(named), "engine": exact},
    ]
    assert "beam 3" in loaded.transcribe(source).text
    assert {options.max_tokens for _, options, _ in library.submitted} == {9}


def test_sampling_options_reach_the_search(
    library: FakeLibrary, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Recognizer, "from_pretrained", lambda *_, **__: library)
    RecognitionSetup(decoding=DecodingOptions(temperature=0.5, seed=7)).open().transcribe(source)
    options = {options for _, options, _ in library.submitted}
    assert options == {DecodingOptions(temperature=0.5, seed=7)}


def test_ctc_lm_and_guards_reach_the_search(
    library: FakeLibrary, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Recognizer, "from_pretrained", lambda *_, **__: library)
    usual = DecodingOptions()  # the defaults of the library
    other = replace(usual, ctc_weight=0.0, lm_weight=0.7, guards=False)
    RecognitionSetup().open().transcribe(source)
    RecognitionSetup(decoding=other).open().transcribe(source)
    options = {options for _, options, _ in library.submitted}
    assert options == {usual, other}


def test_what_whisper_is_asked_for_reaches_the_search(
    library: FakeLibrary, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Recognizer, "from_pretrained", lambda *_, **__: library)
    asked: dict[str, Any] = {
        "language": "de",
        "task": "translate",
        "prompt": "names",
        "timestamps": False,
        "word_timestamps": True,
        "fallback": False,
    }
    RecognitionSetup(decoding=DecodingOptions(**asked)).open().transcribe(source)
    assert {options for _, options, _ in library.submitted} == {DecodingOptions(**asked)}


def test_what_cannot_be_loaded_is_said_in_one_line(
    monkeypatch: pytest.MonkeyPatch, auricle: Auricle
) -> None:
    def from_pretrained(model: str, **options: str) -> FakeLibrary:
        raise UnknownModelError(f"no model {model}")

    monkeypatch.setattr(Recognizer, "from_pretrained", from_pretrained)
    result = auricle("transcribe", "--model", "x", "-", input=wav(1.0))
    assert (result.exit_code, result.stderr) == (2, "auricle: no model x\n")
