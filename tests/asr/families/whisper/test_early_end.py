"""An answer does not end before its audio."""

import math

import pytest
import torch

pytest.importorskip("whisper")

from auricle.decoding import UtteranceFacts
from auricle.decoding.passes import DecodingPass
from auricle.families.whisper.early_end import NoEarlyEnd
from auricle.families.whisper.passes import WhisperPasses
from auricle.families.whisper.policy import WhisperPolicy
from auricle.hypothesis import Hypothesis
from auricle_types.options import DecodingOptions
from tests.asr.decoding.scripted import shown
from tests.asr.tokenizer.unicode_lines import vocabulary

BEGIN, END = vocabulary().timestamp_begin, vocabulary().end
SPEECH = UtteranceFacts(28.0, speech=True, speech_end=27.5)
ENGLISH = DecodingOptions(language="en")
TEXT = tuple(vocabulary().encode(" some words that somebody said"))


def passes(options: DecodingOptions = ENGLISH, facts: UtteranceFacts = SPEECH) -> WhisperPasses:
    return WhisperPolicy(vocabulary()).passes(options, facts)


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
    assert NoEarlyEnd.of(vocabulary(), 27.5).applies_to(said) is bound


def test_short_audio_may_end_anywhere() -> None:
    assert not NoEarlyEnd.of(vocabulary(), 0.8).applies_to((time(0), *TEXT))


def following(said: tuple[int, ...], facts: UtteranceFacts) -> int:
    """What is said next by a model that wants to end, and next to that begin a new part."""
    logits = torch.full((1, vocabulary().vocab_size), -9.0)
    logits[0, END], logits[0, time(24.5)], logits[0, TEXT[0]] = 9.0, 1.0, 0.0
    decoding_pass = passes(facts=facts).first()
    for each in decoding_pass.setup.processors:
        if each.applies_to(said):
            each.apply(logits, [said])
    assert math.isfinite(float(logits.max()))
    return int(logits.argmax())


def test_where_its_words_end_early_the_model_goes_on() -> None:
    pause = (time(0), *TEXT, time(24.5))
    assert following(pause, UtteranceFacts(28.0)) == END
    assert following(pause, UtteranceFacts(28.0, speech_end=25.0)) == END
    assert following(pause, SPEECH) == time(24.5)
    assert following((*pause, time(24.5)), SPEECH) == TEXT[0]


def test_all_the_room_is_for_speech() -> None:
    searches = [passes(facts=each).first().search for each in (UtteranceFacts(28.0), SPEECH)]
    for search, expected in zip(searches, (224, 446), strict=True):
        steps = 0
        while not search.done:
            search.extend(shown([(-0.1, 300 + steps % 97)]))
            steps += 1
        assert steps == expected


def test_words_that_are_too_few_are_searched_again_with_times() -> None:
    running = passes(DecodingOptions(language="en", timestamps=False))
    assert vocabulary().no_timestamps in running.first().setup.prompt
    again = running.next_after(Hypothesis(TEXT[:3], -0.3))
    assert again is not None
    assert vocabulary().no_timestamps not in again.setup.prompt
    assert running.next_after(Hypothesis((time(0), *TEXT, time(28.0)), -0.3)) is None
    assert running.result().tokens == TEXT  # nobody asked for times


@pytest.mark.parametrize("facts", [UtteranceFacts(28.0), UtteranceFacts(5.0, speech_end=4.5)])
def test_few_words_in_little_speech_are_enough(facts: UtteranceFacts) -> None:
    running = passes(DecodingOptions(language="en", timestamps=False), facts)
    running.first()
    assert running.next_after(Hypothesis(TEXT[:3], -0.3)) is None


# --- loops -------------------------------------------------------------------------------------


def looped(decoding_pass: DecodingPass | None) -> Hypothesis:
    """The search falls into a loop."""
    assert decoding_pass is not None
    search = decoding_pass.search
    search.extend(shown([(-0.1, time(0))]))
    while not search.done:
        rows = [[(-0.1, TEXT[0])] for _ in search.live]
        search.extend(shown(*rows))
    return search.best()


@pytest.mark.parametrize("beam", [1, 4])
def test_a_loop_ends_at_once_and_is_searched_again(beam: int) -> None:
    running = passes(DecodingOptions(beam, language="en", fallback=True), UtteranceFacts(2.0))
    decoding_pass: DecodingPass | None = running.first()
    tried = 0
    while decoding_pass is not None:
        found = looped(decoding_pass)
        assert found.guards == ("repetition",)
        assert found.tokens == (time(0), TEXT[0])
        decoding_pass, tried = running.next_after(found), tried + 1
    assert tried == 6  # temperatures
    assert running.result().guards == ("repetition",)
    assert not running.wants_full_context


@pytest.mark.parametrize("fallback", [True, False])
def test_with_a_short_context_it_wants_the_full_one(fallback: bool | None) -> None:
    options = DecodingOptions(language="en", fallback=fallback)
    running = passes(options, UtteranceFacts(2.0, short_context=True))
    assert running.next_after(looped(running.first())) is None
    assert running.wants_full_context


def test_a_good_answer_is_left_alone() -> None:
    running = passes(facts=UtteranceFacts(2.0, speech_end=1.9, short_context=True))
    running.first()
    assert running.next_after(Hypothesis((time(0), *TEXT, time(1.8)), -0.9)) is None
    assert not running.wants_full_context
    assert running.result().guards == ()


def test_without_guards_nothing_is_cut() -> None:
    running = passes(DecodingOptions(language="en", guards=False), UtteranceFacts(2.0))
    assert len(looped(running.first()).tokens) == 224


def test_who_reaches_the_limit_says_so() -> None:
    running = passes()
    running.first()
    assert running.next_after(Hypothesis((time(0), *TEXT), -0.3, ended=False)) is None
    assert running.result().guards == ("limit",)
