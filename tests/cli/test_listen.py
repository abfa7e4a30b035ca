"""`auricle listen`: captions, files, a microphone that is faked, and Ctrl-C."""

import io
import json
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import soundfile
from rich.console import Console

from auricle_cli.caption_files import CaptionFiles
from auricle_cli.captions import TerminalCaptions
from auricle_cli.failure import Failure
from auricle_cli.live_audio import CHUNK_SAMPLES, microphone, recording
from auricle_cli.local import as_samples
from auricle_types.events import EndOfUtterance, Event, FinalSegment, FinalTranscript, Interim
from auricle_types.options import StreamingOptions
from auricle_types.transcript import Receipt, Segment, Transcript
from tests.cli.conftest import Auricle, Opened

SEGMENTS = (Segment(0.0, 1.5, "one & two", 0.5), Segment(62.0, 63.0, "three", 0.5))


@pytest.fixture
def wav(tmp_path: Path) -> Path:
    path = tmp_path / "tone.wav"
    soundfile.write(path, np.sin(np.arange(24_000) / 20), 16_000)
    return path


def test_a_recording_is_heard_and_its_segments_are_printed(
    auricle: Auricle, opened: Opened, wav: Path
) -> None:
    result = auricle("listen", "--input", str(wav), "--end-silence", "0.4")
    assert result.exit_code == 0
    assert result.stdout == "[00:00.0] 24000 samples\n"
    assert opened.transcriber.streaming == StreamingOptions(
        interim_results=True, voice_activity=True, end_silence=0.4
    )
    assert opened.transcriber.closed


def test_segments_go_to_files(auricle: Auricle, opened: Opened, wav: Path, tmp_path: Path) -> None:
    paths = [tmp_path / f"out{suffix}" for suffix in (".txt", ".srt", ".vtt", ".jsonl")]
    arguments = [part for path in paths for part in ("--output", str(path))]
    assert auricle("listen", "--input", str(wav), *arguments).exit_code == 0
    text, srt, vtt, lines = (path.read_text() for path in paths)
    assert text == "24000 samples\n"
    assert srt == "1\n00:00:00,000 --> 00:00:01,500\n24000 samples\n\n"
    assert vtt == "WEBVTT\n\n00:00:00.000 --> 00:00:01.500\n24000 samples\n\n"
    assert json.loads(lines)["text"] == "24000 samples"


def test_files_are_complete_after_each_segment(tmp_path: Path) -> None:
    path = tmp_path / "out.vtt"
    with CaptionFiles([path]) as files:
        for segment in SEGMENTS:
            files.add(segment)
            assert path.read_text().count("-->") == SEGMENTS.index(segment) + 1
    assert "one &amp; two" in path.read_text()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--output", "words.doc"], ".txt, .srt, .vtt, .jsonl"),
        (["--realtime"], "add --input"),
    ],
)
def test_what_cannot_be_done_is_said(auricle: Auricle, arguments: list[str], words: str) -> None:
    result = auricle("listen", *arguments)
    assert result.exit_code == 2
    assert words in result.stderr


def test_a_file_that_cannot_be_written_is_named(
    auricle: Auricle, opened: Opened, wav: Path
) -> None:
    result = auricle("listen", "--input", str(wav), "--output", "/no/such/folder/out.srt")
    assert result.exit_code == 2
    assert "cannot be written" in result.stderr
    assert opened.transcriber.closed


def test_a_file_stays_as_it_is_where_nothing_can_be_heard(auricle: Auricle, tmp_path: Path) -> None:
    path = tmp_path / "talk.srt"
    path.write_text("yesterday")
    assert auricle("listen", "--output", str(path), "--input", __file__).exit_code == 2
    assert path.read_text() == "yesterday"


def test_audio_that_cannot_be_read_is_named(auricle: Auricle, tmp_path: Path) -> None:
    path = tmp_path / "no.wav"
    path.write_bytes(b"no audio")
    result = auricle("listen", "--input", str(path))
    assert result.exit_code == 2
    assert "no.wav" in result.stderr


# --- captions ----------------------------------------------------------------------------------


def screen(*events: Event) -> str:
    """What a terminal gets."""
    output = io.StringIO()
    with TerminalCaptions(Console(file=output, force_terminal=True, width=80)) as captions:
        for event in events:
            captions.show(event)
    return output.getvalue()


def test_open_words_are_dim_and_stable_ones_bright() -> None:
    shown = screen(Interim(61.5, "one two three", "one two", 0.9))
    assert "[01:01.5] one two\x1b[2;3m three\x1b[0m" in shown


def test_a_final_segment_takes_the_place_of_the_open_words() -> None:
    final = FinalSegment(Segment(0.0, 1.0, "one two.", 0.5))
    shown = screen(Interim(0.0, "one tow", "", 0.9), final)
    assert shown.count("one two.") == 1
    assert shown.rindex("\x1b[2K") > shown.index("one tow")


def test_open_words_go_when_an_utterance_ends_without_any() -> None:
    shown = screen(Interim(0.0, "hm", "", 0.9), EndOfUtterance(1.0))
    assert shown.rindex("\x1b[2K") > shown.index("hm")


# --- audio -------------------------------------------------------------------------------------


def test_a_recording_comes_in_chunks_that_add_up(wav: Path) -> None:
    with recording(wav, threading.Event()) as chunks:
        heard = [as_samples(chunk) for chunk in chunks]
    assert {len(chunk) for chunk in heard} == {CHUNK_SAMPLES}
    expected = np.sin(np.arange(24_000) / 20)
    np.testing.assert_allclose(np.concatenate(heard), expected, atol=2 / 32_768)


def test_a_recording_plays_at_the_pace_of_its_speech(wav: Path) -> None:
    waits: list[float] = []

    class Stopped(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            waits.append(round(timeout or 0.0, 3))
            return False

    times = iter(np.arange(0, 100, 0.04))  # each chunk takes 0.04 s besides
    with recording(wav, Stopped(), realtime=True, clock=lambda: float(next(times))) as chunks:
        assert len(list(chunks)) == 15
    assert waits[:3] == [0.06, 0.12, 0.18]


def test_a_recording_stops(wav: Path) -> None:
    stopped = threading.Event()
    with recording(wav, stopped) as chunks:
        next(chunks)
        stopped.set()
        assert list(chunks) == []


class FakeStream:
    """Hears three chunks, one after another."""

    def __init__(self, *, callback: Any, **settings: Any) -> None:  # noqa: ANN401
        self.callback, self.settings = callback, settings

    def __enter__(self) -> "FakeStream":
        for value in (1, 2, 3):
            self.callback(bytes([value]) * 2 * CHUNK_SAMPLES, CHUNK_SAMPLES, None, None)
        return self

    def __exit__(self, *_: object) -> None:
        pass


def test_a_microphone_is_heard_until_it_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    library = SimpleNamespace(RawInputStream=FakeStream, PortAudioError=OSError)
    monkeypatch.setitem(sys.modules, "sounddevice", library)
    stopped = threading.Event()
    with microphone("2", stopped) as chunks:
        assert [next(chunks)[0] for _ in range(3)] == [1, 2, 3]
        stopped.set()
        assert list(chunks) == []


def test_what_was_heard_before_the_end_is_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    library = SimpleNamespace(RawInputStream=FakeStream, PortAudioError=OSError)
    monkeypatch.setitem(sys.modules, "sounddevice", library)
    stopped = threading.Event()
    with microphone(None, stopped) as chunks:
        stopped.set()
        assert [chunk[0] for chunk in chunks] == [1, 2, 3]


def test_a_microphone_that_ends_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    class Unplugged(FakeStream):
        def __enter__(self) -> FakeStream:
            self.settings["finished_callback"]()
            return self

    library = SimpleNamespace(RawInputStream=Unplugged, PortAudioError=OSError)
    monkeypatch.setitem(sys.modules, "sounddevice", library)
    with (
        microphone(None, threading.Event()) as chunks,
        pytest.raises(Failure, match="unplugged"),
    ):
        list(chunks)


class NoPackage:
    def find_spec(self, name: str, *_: object) -> None:
        if name == "sounddevice":
            raise ImportError


class NoLibrary:
    def find_spec(self, name: str, *_: object) -> None:
        if name == "sounddevice":
            raise OSError("PortAudio library not found")


@pytest.mark.parametrize(
    ("missing", "words"), [(NoPackage, r"auricle\[mic\]"), (NoLibrary, "libportaudio2")]
)
def test_what_a_microphone_needs_is_said(
    monkeypatch: pytest.MonkeyPatch, missing: type, words: str
) -> None:
    monkeypatch.delitem(sys.modules, "sounddevice", raising=False)
    monkeypatch.setattr(sys, "meta_path", [missing(), *sys.meta_path])
    with pytest.raises(Failure, match=words), microphone(None, threading.Event()):
        pass


def test_no_microphone_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_device(**_: object) -> None:
        raise ValueError("No input device matching 'x'")

    library = SimpleNamespace(RawInputStream=no_device, PortAudioError=OSError)
    monkeypatch.setitem(sys.modules, "sounddevice", library)
    with pytest.raises(Failure, match="--input"), microphone("x", threading.Event()):
        pass


def test_ctrl_c_gives_what_was_said(
    auricle: Auricle, opened: Opened, wav: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def listen(chunks: Iterator[bytes], streaming: StreamingOptions) -> Iterator[Event]:
        heard = len(next(chunks))
        signal.raise_signal(signal.SIGINT)
        heard += sum(map(len, chunks))
        segment = Segment(0.0, 1.0, f"{heard // 2} samples", 0.5)
        yield FinalSegment(segment)
        yield FinalTranscript(Transcript((segment,), 1.0, Receipt("fake")))

    monkeypatch.setattr(opened.transcriber, "listen", listen)
    result = auricle("listen", "--input", str(wav))
    assert result.exit_code == 0
    assert result.stdout == f"[00:00.0] {CHUNK_SAMPLES} samples\n"
