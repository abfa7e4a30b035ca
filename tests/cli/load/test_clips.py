import io
import wave
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auricle_cli.load import Arrival, Clips
from auricle_cli.load.clips import NOISE_RATE, WavRecording
from auricle_client import AudioError, AudioNotFoundError

PLACES = st.floats(0, 1, exclude_max=True)


def frames_of(content: bytes) -> tuple[bytes, int]:
    with wave.open(io.BytesIO(content)) as reader:
        return reader.readframes(reader.getnframes()), reader.getframerate()


@st.composite
def recordings(draw: st.DrawFn) -> WavRecording:
    channels, width = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    step = channels * width
    frames = draw(st.binary(min_size=step, max_size=40 * step))
    whole = frames[: len(frames) // step * step]
    return WavRecording(whole, channels, width, draw(st.sampled_from([10, 100])))


@given(recordings(), PLACES, st.floats(0.01, 3))
def test_a_cut_is_of_the_length_asked_for_and_of_the_recording(
    recording: WavRecording, place: float, seconds: float
) -> None:
    frames, rate = frames_of(recording.cut(place, seconds))
    step = recording.channels * recording.width
    assert rate == recording.rate
    assert len(frames) // step == max(1, round(seconds * rate))
    assert frames in recording.frames * (2 + len(frames) // len(recording.frames))


@given(recordings())
def test_a_file_that_was_cut_can_be_read_and_cut_again(recording: WavRecording) -> None:
    seconds = len(recording.frames) / (recording.channels * recording.width * recording.rate)
    assert WavRecording.read(recording.cut(0.0, seconds)) == recording


def test_behind_the_end_it_goes_on_at_the_start() -> None:
    recording = WavRecording(b"abcd", channels=1, width=1, rate=1)
    assert frames_of(recording.cut(0.5, 5.0))[0] == b"cdabc"


def test_recordings_in_other_formats_are_sent_whole(tmp_path: Path) -> None:
    (tmp_path / "a.flac").write_bytes(b"fLaC and so on")
    clips = Clips.of([tmp_path / "a.flac"])
    assert clips.of_arrival(Arrival(0.0, 0.5, 3.0)) == b"fLaC and so on"


@pytest.mark.parametrize("content", [b"", b"RIFF", b"RIFF\x24\x00\x00\x00WAVEfmt "])
def test_what_is_no_wave_is_no_recording(content: bytes) -> None:
    assert WavRecording.read(content) is None


def test_a_wave_without_frames_is_no_recording() -> None:
    empty = WavRecording(b"", 1, 2, 8000)._file(b"")
    assert WavRecording.read(empty) is None


def test_all_files_get_their_turn(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("a", "b", "c")]
    for path in paths:
        path.write_text(path.name)
    clips = Clips.of(paths)
    sent = [clips.of_arrival(Arrival(0.0, place, 1.0)) for place in (0.0, 0.4, 0.5, 0.9, 0.999)]
    assert sent == [b"a", b"b", b"b", b"c", b"c"]


@given(PLACES)
def test_garbage_is_no_audio_and_the_same_for_the_same_arrival(place: float) -> None:
    clips = Clips([b"audio"])
    garbage = clips.of_arrival(Arrival(0.0, place, 1.0, garbage=True))
    assert WavRecording.read(garbage) is None
    assert garbage == clips.of_arrival(Arrival(9.0, place, 2.0, garbage=True))


def test_noise_is_quiet_and_long_enough() -> None:
    frames, rate = frames_of(Clips.noise(1).of_arrival(Arrival(0.0, 0.3, 2.5)))
    samples = memoryview(frames).cast("h")
    assert (len(samples), rate) == (round(2.5 * NOISE_RATE), NOISE_RATE)
    assert 1000 < max(samples) < 2048
    assert Clips.noise(1).of_arrival(Arrival(0.0, 0.3, 2.5))[44:] == frames
    assert Clips.noise(2).of_arrival(Arrival(0.0, 0.3, 2.5))[44:] != frames


def test_missing_recordings_are_typed_errors(tmp_path: Path) -> None:
    with pytest.raises(AudioNotFoundError):
        Clips.of([tmp_path / "none.wav"])
    with pytest.raises(AudioError, match="folder"):
        Clips.of([tmp_path])
    with pytest.raises(AudioError, match="at least one"):
        Clips.of([])
