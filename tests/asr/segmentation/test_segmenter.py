"""The segmenter by scripted probabilities in milliseconds, then with the real detector."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auricle.audio import load_audio
from auricle.segmentation.cutting import cut
from auricle.segmentation.segmenter import Piece, Segmenter
from auricle.segmentation.vad import FRAME_SAMPLES, SileroVad
from auricle_types.errors import InvalidOptionError
from tests.asr.scripted_vad import FRAME, always, never, script, scripted, sound, spans

WINDOW_FRAMES = 100
WINDOW = WINDOW_FRAMES * FRAME
OPTIONS = {"close_silence": 19 * FRAME, "pad": 8 * FRAME, "overlap": 20 * FRAME}
SPEECH_DIRECTORY = Path(__file__).parents[4] / "shared" / "speech" / "dev"


def segment(probabilities: list[float], **options: float) -> list[Piece]:
    segmenter = Segmenter(WINDOW, vad=scripted(probabilities), **(OPTIONS | options))
    return [*segmenter.feed(sound(len(probabilities))), *segmenter.flush()]


# --- pieces ------------------------------------------------------------------------------------


def test_silence_gives_nothing() -> None:
    assert segment(script((0.0, 1000))) == []
    assert Segmenter(20.0).flush() == []


def test_speech_is_trimmed_to_a_pad() -> None:
    pieces = segment(script((0.0, 50), (0.9, 30), (0.0, 50)))
    assert spans(pieces) == [(42, 88)]
    assert pieces[0].overlap == 0.0


def test_samples_and_times_agree() -> None:
    for piece in segment(script((0.9, 30), (0, 30), (0.9, 250), (0, 30), (0.9, 30))):
        first = round(piece.start * 16_000)
        expected = np.arange(first, first + len(piece.samples)) + 1
        np.testing.assert_array_equal(piece.samples, expected)
        assert piece.duration == len(piece.samples) / 16_000
        assert piece.end == piece.start + piece.duration


def test_a_long_silence_closes_a_piece_at_once() -> None:
    segmenter = Segmenter(WINDOW, vad=scripted(script((0.9, 30))), **OPTIONS)
    assert segmenter.feed(sound(30 + 18)) == []
    assert spans(segmenter.feed(sound(1))) == [(0, 38)]


def test_a_short_silence_does_not() -> None:
    assert spans(segment(script((0.9, 30), (0.0, 18), (0.9, 30)))) == [(0, 78)]


def test_speech_at_the_very_end_is_kept() -> None:
    assert spans(segment(script((0.0, 30), (0.9, 1)))) == [(22, 31)]


def test_pads_of_neighbours_do_not_overlap() -> None:
    pieces = segment(script((0.9, 30), (0.0, 10), (0.9, 30)), close_silence=9 * FRAME)
    assert spans(pieces) == [(0, 38), (38, 70)]


def test_a_frame_just_below_the_threshold_goes_on_but_does_not_begin() -> None:
    assert segment(script((0.4, 50))) == []
    assert spans(segment(script((0.9, 1), (0.4, 50), (0.0, 50)), pad=0)) == [(0, 51)]
    assert spans(segment(script((0.9, 1), (0.3, 50), (0.0, 50)), pad=0)) == [(0, 1)]


def test_a_last_part_of_a_frame_counts() -> None:
    segmenter = Segmenter(WINDOW, vad=scripted([0.9, 0.9]), **OPTIONS)
    assert segmenter.feed(sound(2)[:-100]) == []
    (piece,) = segmenter.flush()
    np.testing.assert_array_equal(piece.samples, sound(2)[:-100])


# --- full windows ------------------------------------------------------------------------------


def test_a_full_window_is_cut_at_the_longest_silence_of_its_later_half() -> None:
    probabilities = script(
        (0.9, 20), (0.0, 15), (0.9, 25), (0.0, 4), (0.9, 10), (0.0, 6), (0.9, 10), (0.0, 3),
        (0.9, 40),
    )  # fmt: skip
    assert spans(segment(probabilities)) == [(0, 77), (77, 133)]


def test_of_equal_silences_the_last_is_taken() -> None:
    probabilities = script((0.9, 60), (0.0, 4), (0.9, 10), (0.0, 4), (0.9, 60))
    assert spans(segment(probabilities)) == [(0, 76), (76, 138)]


def test_between_two_pieces_more_silence_than_the_pads_is_left_out() -> None:
    probabilities = script((0.9, 60), (0.0, 18), (0.9, 60))
    assert spans(segment(probabilities)) == [(0, 68), (70, 138)]


def test_a_window_that_ends_in_silence_ends_in_its_pad() -> None:
    probabilities = script((0.9, 85), (0.0, 18), (0.9, 20))
    assert spans(segment(probabilities)) == [(0, 93), (95, 123)]


def test_speech_without_silence_is_cut_with_an_overlap() -> None:
    pieces = segment(script((0.9, 250)))
    assert spans(pieces) == [(0, 100), (80, 180), (160, 250)]
    assert [round(piece.overlap / FRAME) for piece in pieces] == [0, 20, 20]


def test_a_gap_inside_of_a_word_is_no_silence() -> None:
    assert spans(segment(script((0.9, 70), (0.0, 2), (0.9, 60))))[0] == (0, 100)


def test_an_overlap_alone_is_no_piece() -> None:
    assert spans(segment(script((0.9, 100), (0.0, 50)))) == [(0, 100)]


def test_after_an_overlap_alone_speech_is_found_again() -> None:
    pieces = segment(script((0.9, 100), (0.0, 50), (0.9, 10)))
    assert spans(pieces) == [(0, 100), (142, 160)]
    assert pieces[1].overlap == 0.0


# --- whatever comes ----------------------------------------------------------------------------

PROBABILITIES = st.lists(
    st.tuples(st.sampled_from([0.0, 0.4, 0.9]), st.integers(1, 60)), max_size=20
).map(lambda runs: script(*runs))


@given(probabilities=PROBABILITIES, cuts=st.lists(st.integers(1, 40_000), max_size=30))
@settings(max_examples=100)
def test_chunks_do_not_matter(probabilities: list[float], cuts: list[int]) -> None:
    segmenter = Segmenter(WINDOW, vad=scripted(probabilities), **OPTIONS)
    chunks = np.split(sound(len(probabilities)), np.cumsum(cuts))
    pieces = [piece for chunk in chunks for piece in segmenter.feed(chunk)]
    pieces += segmenter.flush()
    expected = segment(probabilities)
    assert spans(pieces) == spans(expected)
    assert [piece.overlap for piece in pieces] == [piece.overlap for piece in expected]
    for piece, other in zip(pieces, expected, strict=True):
        np.testing.assert_array_equal(piece.samples, other.samples)


@given(
    probabilities=PROBABILITIES,
    close_silence=st.integers(1, 150),
    pad=st.integers(0, 25),
    overlap=st.integers(0, 25),
)
@settings(max_examples=200)
def test_no_speech_is_lost_and_no_piece_is_too_long(
    probabilities: list[float], close_silence: int, pad: int, overlap: int
) -> None:
    pieces = segment(
        probabilities,
        close_silence=close_silence * FRAME,
        pad=pad * FRAME,
        overlap=overlap * FRAME,
    )
    covered = np.zeros(len(probabilities), bool)
    before = 0
    for piece, (begin, end) in zip(pieces, spans(pieces), strict=True):
        assert 0 < end - begin <= WINDOW_FRAMES
        assert max(0, before - begin) == round(piece.overlap / FRAME) <= overlap
        assert not covered[max(begin, before) : end].any()
        covered[begin:end] = True
        before = end
    speech = np.array(probabilities) >= 0.5
    assert covered[speech].all()


def test_memory_is_bounded_by_the_window() -> None:
    segmenter = Segmenter(WINDOW, vad=always(0.9), **OPTIONS)
    for _ in range(50):
        segmenter.feed(sound(37))
        assert len(segmenter._frames) <= WINDOW_FRAMES
    idle = Segmenter(WINDOW, vad=always(0.0), **OPTIONS)
    idle.feed(sound(1000))
    assert len(idle._frames) == 8


@pytest.mark.parametrize(
    ("window", "options"),
    [(0.0, {}), (1.0, {}), (WINDOW, {"pad": 1.0}), (WINDOW, {"overlap": 1.0})],
)
def test_options_must_fit_the_window(window: float, options: dict[str, float]) -> None:
    with pytest.raises(InvalidOptionError, match="at least four times"):
        Segmenter(window, vad=never, **(OPTIONS | options))


@pytest.mark.parametrize(("frames", "speech"), [(5, False), (6, True)])
def test_a_piece_of_long_audio_knows_whether_it_holds_a_word(frames: int, speech: bool) -> None:
    first, second = segment(script((0.9, frames), (0.0, 40), (0.9, 30)))
    assert (first.speech, second.speech) == (speech, True)


# --- the real detector -------------------------------------------------------------------------


def test_loading_the_detector_leaves_torchs_threads_alone() -> None:
    code = """
import sys, torch
from auricle.segmentation.vad import SileroVad
torch.set_num_threads(3)
assert "silero_vad" not in sys.modules  # it loads late
SileroVad()
assert "silero_vad" in sys.modules
assert torch.get_num_threads() == 3, torch.get_num_threads()
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_detectors_share_a_session_but_no_state() -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, (1, FRAME_SAMPLES)).astype(np.float32)
    used, fresh = SileroVad(), SileroVad()
    (first,) = used(noise)
    assert 0.0 <= first <= 1.0
    assert used(noise) != first  # it remembers
    assert fresh(noise) == first


def test_probabilities_do_not_depend_on_how_many_frames_come_at_a_time() -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, (20, FRAME_SAMPLES)).astype(np.float32)
    whole, piecemeal = SileroVad(), SileroVad()
    parts = [piecemeal(noise[begin:end]) for begin, end in ((0, 1), (1, 1), (1, 4), (4, 20))]
    assert np.concatenate(parts).tolist() == whole(noise).tolist()


def test_faint_noise_gives_no_pieces() -> None:
    noise = np.random.default_rng(0).normal(0, 0.002, 30 * 16_000).astype(np.float32)
    segmenter = Segmenter(20.0)
    assert [*segmenter.feed(noise), *segmenter.flush()] == []


@pytest.fixture(scope="module")
def long_speech() -> np.ndarray:
    """More than a minute of real speech, utterances in a row without silence added."""
    manifest = SPEECH_DIRECTORY / "librispeech.jsonl"
    if not manifest.exists():
        pytest.skip("no shared speech here")
    clips: list[np.ndarray] = []
    for line in manifest.read_text().splitlines():
        clips.append(load_audio(SPEECH_DIRECTORY / json.loads(line)["audio_filepath"]).samples)
        if sum(map(len, clips)) > 70 * 16_000:
            break
    return np.concatenate(clips)


def speech_frames(samples: np.ndarray) -> np.ndarray:
    vad = SileroVad()
    frames = samples[: len(samples) // FRAME_SAMPLES * FRAME_SAMPLES].reshape(-1, FRAME_SAMPLES)
    return vad(frames) >= 0.5


@pytest.mark.parametrize("window", [8.0, 20.0])
@pytest.mark.parametrize("how", ["stream", "whole"])
def test_real_speech_is_cut_in_silences_and_not_lost(
    long_speech: np.ndarray, window: float, how: str
) -> None:
    pieces = list(cut([long_speech], window)) if how == "whole" else stream(long_speech, window)
    speech = speech_frames(long_speech)
    covered = np.zeros(len(speech) + 1, bool)
    for piece, (begin, end) in zip(pieces, spans(pieces), strict=True):
        assert piece.duration <= window
        covered[begin:end] = True
        if begin and not piece.overlap:
            assert not speech[begin - 1 : begin + 1].all()
    assert covered[:-1][speech].all()
    hard_cuts = sum(piece.overlap > 0 for piece in pieces)
    assert hard_cuts <= len(pieces) // 4
    assert len(pieces) >= len(long_speech) / 16_000 / window


def stream(samples: np.ndarray, window: float) -> list[Piece]:
    segmenter = Segmenter(window)
    chunks = np.array_split(samples, 500)
    return [*(p for chunk in chunks for p in segmenter.feed(chunk)), *segmenter.flush()]
