"""Live cutting by scripted probabilities: events, drafts and the options of endpointing."""

from dataclasses import replace

import numpy as np
import pytest

from auricle.segmentation.live import Item, LiveSegmenter
from auricle.segmentation.segmenter import Piece
from auricle_types.errors import InvalidOptionError
from auricle_types.events import EndOfUtterance, SpeechStarted, SpeechStopped
from auricle_types.options import StreamingOptions
from tests.asr.scripted_vad import FRAME, script, scripted, sound, spans

WINDOW = 100 * FRAME
PAUSE = 19  # frames that end an utterance by default


def live(probabilities: list[float], **options: float | bool) -> LiveSegmenter:
    chosen = replace(StreamingOptions(voice_activity=True), **options)  # type: ignore[arg-type]
    return LiveSegmenter(WINDOW + 1, chosen, vad=scripted(probabilities))


def feed(segmenter: LiveSegmenter, frames: int, step: int = 1) -> list[Item]:
    samples = sound(frames)
    chunks = np.split(samples, range(step * 512, len(samples), step * 512))
    return [*(item for chunk in chunks for item in segmenter.feed(chunk)), *segmenter.flush()]


def told(probabilities: list[float], **options: float | bool) -> list[Item]:
    return feed(live(probabilities, **options), len(probabilities))


def names(items: list[Item]) -> list[str]:
    return ["Draft" if isinstance(i, Piece) and i.interim else type(i).__name__ for i in items]


ONE = ["SpeechStarted", "SpeechStopped", "Piece", "EndOfUtterance"]


def test_an_utterance_has_its_events_in_order() -> None:
    items = told(script((0.0, 20), (0.9, 30), (0.0, 30)))
    assert names(items) == ONE
    started, stopped, _, ended = items
    assert (started, stopped) == (SpeechStarted(20 * FRAME), SpeechStopped(50 * FRAME))
    assert ended == EndOfUtterance(50 * FRAME)


@pytest.mark.parametrize("step", [1, 7, 500])
def test_two_utterances_have_them_twice_whatever_the_chunks(step: int) -> None:
    probabilities = script((0.0, 20), (0.9, 30), (0.0, 30), (0.9, 10), (0.0, 30))
    assert names(feed(live(probabilities), len(probabilities), step)) == ONE + ONE


def test_a_click_is_a_piece_without_events() -> None:
    assert names(told(script((0.0, 20), (0.9, 2), (0.0, 30)))) == ["Piece"]


def test_only_pieces_come_where_nothing_else_is_asked_for() -> None:
    items = told(script((0.9, 30), (0.0, 30)), voice_activity=False)
    assert names(items) == ["Piece"]


def test_an_utterance_that_is_cut_begins_and_ends_once() -> None:
    items = told(script((0.9, 250), (0.0, 30)))
    assert names(items) == [
        "SpeechStarted", "Piece", "Piece", "SpeechStopped", "Piece", "EndOfUtterance",
    ]  # fmt: skip


def test_an_utterance_that_was_cut_at_its_end_ends_all_the_same() -> None:
    probabilities = script((0.9, 85), (0.0, 18), (0.0, 40))
    assert names(told(probabilities))[-1] == "EndOfUtterance"


def test_a_window_that_ends_in_a_short_silence_does_not_end_the_utterance() -> None:
    probabilities = script((0.9, 127), (0.0, 4), (0.9, 40), (0.0, 30))
    items = told(probabilities)
    assert names(items) == [
        "SpeechStarted", "Piece", "SpeechStopped", "Piece", "EndOfUtterance",
    ]  # fmt: skip


def test_whoever_has_just_begun_is_not_cut_off() -> None:
    probabilities = script((0.0, 48), (0.9, 30), (0.0, 30))
    segmenter = live(probabilities, single_utterance=True, start_silence=50 * FRAME)
    assert names(feed(segmenter, 108)) == ONE


def test_the_end_of_an_utterance_in_silence_changes_nothing() -> None:
    segmenter = live(script((0.0, 20), (0.9, 30), (0.0, 30)))
    samples = sound(80)
    items = segmenter.feed(samples[: 18 * 512])
    items += segmenter.end_utterance()
    items += [*segmenter.feed(samples[18 * 512 :]), *segmenter.flush()]
    (kept,) = [item for item in items if isinstance(item, Piece)]
    assert spans([kept])[0][0] == 12


def drafts(items: list[Item]) -> list[Piece]:
    return [item for item in items if isinstance(item, Piece) and item.interim]


def test_drafts_come_by_the_interval_while_somebody_speaks() -> None:
    probabilities = script((0.0, 30), (0.9, 60), (0.0, 30))
    items = told(probabilities, interim_results=True, interim_interval=15 * FRAME)
    assert [end for _, end in spans(drafts(items))] == [45, 60, 75, 90]
    (final,) = [i for i in items if isinstance(i, Piece) and not i.interim]
    assert {draft.start for draft in drafts(items)} == {final.start}
    for draft in drafts(items):
        np.testing.assert_array_equal(draft.samples, final.samples[: len(draft.samples)])


def test_no_draft_comes_where_nothing_was_said_since_the_last_one() -> None:
    probabilities = script((0.9, 20), (0.0, 15))
    items = told(probabilities, interim_results=True, interim_interval=0.1)
    assert sum(end > 20 for _, end in spans(drafts(items))) <= 1


@pytest.mark.parametrize(("until", "end"), [(0, 82), (80, 82), (90, 131)])
def test_a_piece_is_not_cut_within_what_it_keeps_together(until: int, end: int) -> None:
    segmenter = live(script((0.9, 80), (0.0, 5), (0.9, 80)))
    assert names(segmenter.feed(sound(100))) == ["SpeechStarted"]
    assert segmenter.keep_together(0.0, until * FRAME)
    pieces = [i for i in segmenter.feed(sound(155)[100 * 512 :]) if isinstance(i, Piece)]
    assert spans(pieces) == [(0, end)]
    assert not segmenter.keep_together(0.0, 1.0)  # it has been cut


def test_an_utterance_can_be_ended() -> None:
    segmenter = live(script((0.9, 30)))
    assert names(segmenter.feed(sound(30))) == ["SpeechStarted"]
    assert names(segmenter.end_utterance()) == ["SpeechStopped", "Piece", "EndOfUtterance"]
    assert segmenter.end_utterance() == segmenter.flush() == []


def test_a_single_utterance_is_the_last_one() -> None:
    probabilities = script((0.9, 30), (0.0, 30), (0.9, 30), (0.0, 30))
    segmenter = live(probabilities, single_utterance=True)
    assert names(segmenter.feed(sound(120))) == ONE
    assert segmenter.done
    assert segmenter.flush() == []


def test_a_single_utterance_that_does_not_begin_ends_without_words() -> None:
    segmenter = live([0.0] * 100, single_utterance=True, start_silence=50 * FRAME)
    assert segmenter.feed(sound(49)) == []
    assert not segmenter.done
    assert segmenter.feed(sound(51)[49 * 512 :]) == []
    assert segmenter.done


def test_the_options_have_their_effect() -> None:
    def span(**options: float) -> tuple[int, int]:
        items = told(script((0.0, 40), (0.6, 30), (0.0, 40)), **options)
        return spans([item for item in items if isinstance(item, Piece)])[0]

    assert span() == (32, 78)
    assert span(prefix_padding=20 * FRAME)[0] == 20
    assert told(script((0.6, 30), (0.0, 40)), speech_threshold=0.7) == []
    short = told(script((0.9, 30), (0.0, 9), (0.9, 30), (0.0, 30)), end_silence=8 * FRAME)
    assert names(short) == ONE + ONE
    cut = told(script((0.9, 200)), max_utterance=4.0)
    assert max(i.duration for i in cut if isinstance(i, Piece)) <= 4.0


def test_an_utterance_must_fit_its_padding() -> None:
    with pytest.raises(InvalidOptionError, match="max_utterance"):
        StreamingOptions(max_utterance=1.0)
