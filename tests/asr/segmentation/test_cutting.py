"""Whole audio, by scripted probabilities and by the real detector."""

import numpy as np
import numpy.typing as npt
import pytest

from auricle.segmentation.cutting import cut
from auricle.segmentation.segmenter import Piece, Segmenter
from auricle.segmentation.vad import SILENCE_PEAK
from tests.asr.scripted_vad import FRAME, always, script, scripted, sound, spans

WINDOW = 100 * FRAME
PAUSE = 24  # frames of silence: 0.77 s, of which the pads leave 0.27 s between two pieces
MARGIN, ROOM = 8, 3  # frames of silence that whole audio has more of, before and behind speech
LONG_PAUSE = 35  # 1.1 s: more than a breath between the pads


@pytest.mark.parametrize("samples", [1, 1000, round(WINDOW * 16_000)])
def test_audio_within_the_window_is_one_piece(samples: int) -> None:
    audio = np.full(samples, 0.1, np.float32)
    (piece,) = cut([audio], WINDOW, vad=always(0.0))
    assert (piece.start, piece.overlap, piece.speech) == (0.0, 0.0, False)
    np.testing.assert_array_equal(piece.samples, audio)


@pytest.mark.parametrize("peak", [0.0, SILENCE_PEAK * 0.9, -SILENCE_PEAK * 0.9])
@pytest.mark.parametrize("seconds", [0, 1, 600])
def test_what_nobody_can_hear_gives_no_pieces(peak: float, seconds: int) -> None:
    silence = np.full(seconds * 16_000, peak, np.float32)
    assert list(cut([silence], 2 * WINDOW, vad=always(0.9))) == []


def test_a_quiet_sound_is_not_silence() -> None:
    quiet = np.array([0, -2 * SILENCE_PEAK], np.float32)
    assert len(list(cut([quiet], WINDOW, vad=always(0.0)))) == 1


def test_whole_audio_is_asked_for_a_word() -> None:
    for frames, speech in ((5, False), (6, True)):
        (piece,) = cut([sound(40)], WINDOW, vad=scripted(script((0.0, 14), (0.9, frames))))
        assert piece.speech is speech


def streamed(probabilities: list[float], window: float) -> list[Piece]:
    segmenter = Segmenter(window, vad=scripted(probabilities))
    return [*segmenter.feed(sound(len(probabilities))), *segmenter.flush()]


def whole(probabilities: list[float], window: float) -> list[Piece]:
    return list(cut([sound(len(probabilities))], window, vad=scripted(probabilities)))


def widened(pieces: list[Piece]) -> list[tuple[int, int]]:
    """Their spans with margins."""
    return [(max(0, begin - MARGIN), end + ROOM) for begin, end in spans(pieces)]


def test_far_apart_whole_audio_is_cut_as_a_stream_is_with_more_of_the_silence() -> None:
    talk = script(*[(0.9, 20), (0.0, LONG_PAUSE)] * 60)
    assert len(streamed(talk, 20.0)) == 60
    assert spans(whole(talk, 20.0)) == widened(streamed(talk, 20.0))


def test_short_audio_can_be_cut_as_long_audio_is() -> None:
    talk = script(*[(0.9, 20), (0.0, LONG_PAUSE)] * 3)
    assert len(whole(talk, 20.0)) == 1
    pieces = list(cut([sound(len(talk))], 20.0, vad=scripted(talk), at_once=False))
    assert spans(pieces) == widened(streamed(talk, 20.0))


def test_what_a_slow_reader_parts_is_joined_up_to_a_sentence() -> None:
    talk = script(*[(0.9, 36), (0.0, PAUSE)] * 20)  # 1.9 s each
    parted, joined = streamed(talk, 20.0), whole(talk, 20.0)
    assert len(parted) == 20
    assert [piece.start for piece in joined[1:]] == [piece.end for piece in joined[:-1]]
    assert [end for _, end in spans(joined)] == [end for _, end in widened(parted)[3::4]]
    assert all(7.0 < piece.duration <= 8.5 for piece in joined)


def test_a_joined_piece_holds_the_samples_of_its_time() -> None:
    talk = script((0.0, 50), (0.9, 36), (0.0, PAUSE), (0.9, 36), (0.0, 600))
    (piece,) = whole(talk, 10.0)
    first = round(piece.start * 16_000)
    np.testing.assert_array_equal(
        piece.samples, sound(len(talk))[first : first + len(piece.samples)]
    )
    assert (len(piece.samples), piece.overlap) == (round(piece.duration * 16_000), 0.0)


def test_a_piece_that_cannot_grow_does_not_wait_for_the_next_one() -> None:
    heard = 0
    listens = scripted(script((0.9, 90), (0.0, 60_000), (0.9, 90)))

    def counting(frames: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        nonlocal heard
        heard += len(frames)
        return listens(frames)

    pieces = cut([sound(60_500)], 20.0, vad=counting)
    assert spans([next(pieces)]) == [(0, 98 + ROOM)]
    assert heard * FRAME < 30
    assert len(list(pieces)) == 1


def test_a_joined_piece_is_no_longer_than_the_window() -> None:
    talk = script(*[(0.9, 36), (0.0, PAUSE)] * 20)
    pieces = whole(talk, 5.0)
    assert len(pieces) == 10
    assert all(piece.duration <= 5.0 for piece in pieces)


def test_speech_that_was_cut_through_is_not_joined() -> None:
    pieces = whole(script((0.9, 400)), 4.0)
    assert spans(pieces) == spans(streamed(script((0.9, 400)), 4.0))
    assert all(piece.overlap for piece in pieces[1:])


@pytest.mark.parametrize("window", [4.0, 5.0, 10.00003, 20.0])
def test_margins_are_in_no_other_piece_and_fit_the_window(window: float) -> None:
    random = np.random.default_rng(round(window))
    lengths = zip(random.integers(10, 500, 40), random.integers(1, 60, 40), strict=True)
    talk = script(*[run for spoken, silent in lengths for run in ((0.9, spoken), (0.0, silent))])
    speech = {frame for frame, probability in enumerate(talk) if probability > 0.5}
    pieces = whole(talk, window)
    assert all(len(piece.samples) <= window * 16_000 for piece in pieces)
    done, heard = 0.0, set[int]()
    for (begin, end), piece in zip(spans(pieces), pieces, strict=True):
        assert piece.start > done - 1e-6 or piece.overlap
        new = speech & set(range(begin, end)) - heard
        assert new == speech & set(range(min(new), max(new) + 1)), "in order, and without holes"
        heard, done = heard | new, piece.end
    assert heard == speech


@pytest.mark.parametrize("first", [4, 36])
@pytest.mark.parametrize("second", [4, 36])
def test_a_joined_piece_has_a_word_where_either_part_has(first: int, second: int) -> None:
    talk = script((0.9, first), (0.0, PAUSE), (0.9, second), (0.0, 600))
    (piece,) = whole(talk, 10.0)
    assert piece.speech is (first == 36 or second == 36)


@pytest.mark.slow
def test_ten_minutes_of_faint_noise_give_no_pieces() -> None:
    noise = np.random.default_rng(0).normal(0, 0.002, 600 * 16_000).astype(np.float32)
    assert list(cut([noise], 20.0)) == []
