"""An answer does not end before its audio."""

import math

import pytest
import torch

pytest.importorskip("whisper")

from auricle.decoding import Utterance
from auricle.decoding.prelude import Attempt
from auricle.decoding.whisper import WhisperDialect
from auricle.decoding.whisper.course import WhisperCourse
from auricle.decoding.whisper.tails import SpeechGoesOn
from auricle.hypothesis import Hypothesis
from auricle_types.options import DecodingOptions
from tests.asr.decoding.scripted import shown
from tests.asr.tokenizer.unicode_lines import vocabulary

BEGIN, END = vocabulary().timestamp_begin, vocabulary().end
SPEECH = Utterance(28.0, speech=True, speech_end=27.5)
ENGLISH = DecodingOptions(language="en")
TEXT = tuple(vocabulary().encode(" some words that somebody said"))


def course(options: DecodingOptions = ENGLISH, utterance: Utterance = SPEECH) -> WhisperCourse:
    return WhisperDialect(vocabulary()).course(options, utterance)


def time(seconds: float) -> int:
    return BEGIN + round(seconds / 0.02)


@pytest.mark.parametrize(
    ("said", "bound"),
    [
        ((), False),
        ((time(0),), False),  # where the VAD is wrong, nothing need be said
        ((time(0), *TEXT), True),
        ((time(0), *TEXT, time(24.5)), True),
        ((time(0), *TEXT, time(24.5), time(24.5)), True),
        ((time(0), *TEXT, time(26.4)), True),
        ((time(0), *TEXT, time(26.5)), False),  # near enough
        ((time(0), *TEXT, time(28.0)), False),
    ],
)
def test_no_end_while_somebody_speaks(said: tuple[int, ...], bound: bool) -> None:
    assert SpeechGoesOn.of(vocabulary(), 27.5).binds(said) is bound


def test_short_audio_may_end_anywhere() -> None:
    assert not SpeechGoesOn.of(vocabulary(), 0.8).binds((time(0), *TEXT))


def following(said: tuple[int, ...], utterance: Utterance) -> int:
    """What is said next by a model that wants to end, and next to that begin a new stretch."""
    logits = torch.full((1, vocabulary().vocab_size), -9.0)
    logits[0, END], logits[0, time(24.5)], logits[0, TEXT[0]] = 9.0, 1.0, 0.0
    attempt = course(utterance=utterance).begin()
    for each in attempt.prelude.filters:
        if each.binds(said):
            each.apply(logits, [said])
    assert math.isfinite(float(logits.max()))
    return int(logits.argmax())


def test_where_its_words_end_early_the_model_goes_on() -> None:
    pause = (time(0), *TEXT, time(24.5))
    assert following(pause, Utterance(28.0)) == END
    assert following(pause, Utterance(28.0, speech_end=25.0)) == END
    assert following(pause, SPEECH) == time(24.5)
    assert following((*pause, time(24.5)), SPEECH) == TEXT[0]


def test_all_the_room_is_for_speech() -> None:
    dialect_limit = [course(utterance=each).begin().search for each in (Utterance(28.0), SPEECH)]
    for search, expected in zip(dialect_limit, (224, 446), strict=True):
        steps = 0
        while not search.done:
            search.extend(shown([(-0.1, 300 + steps % 97)]))
            steps += 1
        assert steps == expected


def test_words_that_are_too_few_are_searched_again_with_times() -> None:
    searching = course(DecodingOptions(language="en", timestamps=False))
    assert vocabulary().no_timestamps in searching.begin().prelude.prompt
    again = searching.go_on(Hypothesis(TEXT[:3], -0.3))
    assert again is not None
    assert vocabulary().no_timestamps not in again.prelude.prompt
    assert searching.go_on(Hypothesis((time(0), *TEXT, time(28.0)), -0.3)) is None
    assert searching.answer().tokens == TEXT  # nobody asked for times


@pytest.mark.parametrize("utterance", [Utterance(28.0), Utterance(5.0, speech_end=4.5)])
def test_few_words_in_little_speech_are_enough(utterance: Utterance) -> None:
    searching = course(DecodingOptions(language="en", timestamps=False), utterance)
    searching.begin()
    assert searching.go_on(Hypothesis(TEXT[:3], -0.3)) is None


# --- loops -------------------------------------------------------------------------------------


def looped(attempt: Attempt | None) -> Hypothesis:
    """The search falls into a loop."""
    assert attempt is not None
    search = attempt.search
    search.extend(shown([(-0.1, time(0))]))
    while not search.done:
        rows = [[(-0.1, TEXT[0])] for _ in search.live]
        search.extend(shown(*rows))
    return search.best()


@pytest.mark.parametrize("beam", [1, 4])
def test_a_loop_ends_at_once_and_is_searched_again(beam: int) -> None:
    searching = course(DecodingOptions(beam, language="en", fallback=True), Utterance(2.0))
    attempt: Attempt | None = searching.begin()
    tried = 0
    while attempt is not None:
        found = looped(attempt)
        assert found.guards == ("repetition",)
        assert found.tokens == (time(0), TEXT[0])
        attempt, tried = searching.go_on(found), tried + 1
    assert tried == 6  # temperatures
    assert searching.answer().guards == ("repetition",)
    assert not searching.wants_full_context


@pytest.mark.parametrize("fallback", [True, False])
def test_with_a_short_context_it_wants_the_full_one(fallback: bool | None) -> None:
    options = DecodingOptions(language="en", fallback=fallback)
    searching = course(options, Utterance(2.0, short_context=True))
    assert searching.go_on(looped(searching.begin())) is None
    assert searching.wants_full_context


def test_a_good_answer_is_left_alone() -> None:
    searching = course(utterance=Utterance(2.0, speech_end=1.9, short_context=True))
    searching.begin()
    assert searching.go_on(Hypothesis((time(0), *TEXT, time(1.8)), -0.9)) is None
    assert not searching.wants_full_context
    assert searching.answer().guards == ()


def test_without_guards_nothing_is_cut() -> None:
    searching = course(DecodingOptions(language="en", guards=False), Utterance(2.0))
    assert len(looped(searching.begin()).tokens) == 224


def test_who_reaches_the_limit_says_so() -> None:
    searching = course()
    searching.begin()
    assert searching.go_on(Hypothesis((time(0), *TEXT), -0.3, ended=False)) is None
    assert searching.answer().guards == ("limit",)
