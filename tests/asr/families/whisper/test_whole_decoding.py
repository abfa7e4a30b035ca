"""Whole decodings against openai-whisper's `decode`, on random models that listen."""

import functools
from collections.abc import Sequence
from dataclasses import replace

import pytest

pytest.importorskip("whisper")

import whisper

from auricle.families.whisper.fallback import average_log_prob
from auricle.hypothesis import Hypothesis
from auricle_types.options import DecodingOptions
from tests.asr.families.whisper.small_models import CONTEXT, UTTERANCES, features, ours, theirs
from tests.asr.tokenizer.unicode_lines import vocabulary

ONCE = DecodingOptions(fallback=False, language="en")
PROMPT = "What was said before, at some length, so that some of it must go"


@functools.cache
def greedy_reference() -> list[whisper.DecodingResult]:
    return theirs(whisper.DecodingOptions(language="en"))


def assert_equal(found: Sequence[Hypothesis], expected: Sequence[whisper.DecodingResult]) -> None:
    assert [list(each.tokens) for each in found] == [each.tokens for each in expected]
    for one, other in zip(found, expected, strict=True):
        assert average_log_prob(one) == pytest.approx(other.avg_logprob, abs=1e-4)
        assert one.no_speech == pytest.approx(other.no_speech_prob, rel=1e-3)


def plain(options: DecodingOptions, count: int = UTTERANCES) -> list[Hypothesis]:
    return ours([options] * count)


def test_the_references_tell_utterances_apart() -> None:
    expected = greedy_reference()
    assert len({tuple(each.tokens) for each in expected}) >= 0.8 * UTTERANCES
    lengths = [len(each.tokens) for each in expected]
    assert min(lengths) < CONTEXT // 2 == max(lengths)
    assert any(token >= vocabulary().timestamp_begin for each in expected for token in each.tokens)
    assert any(token < vocabulary().end for each in expected for token in each.tokens)


def test_greedy() -> None:
    found = plain(ONCE)
    assert_equal(found, greedy_reference())
    assert {each.ended for each in found} == {True, False}


def test_another_order_of_the_audio_is_noticed() -> None:
    found = ours([ONCE] * 10, encoder_outs=features()[:10].flip(0))
    differing = [
        list(one.tokens) != other.tokens
        for one, other in zip(found, greedy_reference(), strict=False)
    ]
    assert sum(differing) > 7


@pytest.mark.filterwarnings("ignore:__array_wrap__:DeprecationWarning")  # openai-whisper's
def test_beams() -> None:
    expected = theirs(whisper.DecodingOptions(language="en", beam_size=5), utterances=range(6))
    found = plain(DecodingOptions(fallback=False, language="en", beam_size=5), 6)
    assert_equal(found, expected)
    assert [each.tokens for each in expected] != [each.tokens for each in greedy_reference()[:6]]


def test_without_times() -> None:
    options = DecodingOptions(fallback=False, language="de", timestamps=False)
    expected = theirs(
        whisper.DecodingOptions(language="de", without_timestamps=True), utterances=range(6)
    )
    assert_equal(plain(options, 6), expected)


def test_the_language_is_found() -> None:
    found = ours([DecodingOptions(fallback=False)] * 12)
    expected = theirs(whisper.DecodingOptions(), utterances=range(12))
    assert_equal(found, expected)
    assert [each.language for each in found] == [each.language for each in expected]
    assert len({each.language for each in found}) > 3


def test_english_alone_is_told_no_language() -> None:
    found = ours([DecodingOptions(fallback=False)] * 10, multilingual=False)
    expected = theirs(
        whisper.DecodingOptions(language="en"), multilingual=False, utterances=range(10)
    )
    assert [list(each.tokens) for each in found] == [each.tokens for each in expected]


@pytest.mark.filterwarnings("ignore:__array_wrap__:DeprecationWarning")  # openai-whisper's
@pytest.mark.parametrize("beam_size", [1, 3])
def test_all_kinds_in_one_batch(beam_size: int) -> None:
    """Of other languages, tasks and prompts, each with the words that it has alone."""
    kinds = [
        (DecodingOptions(language="fr"), whisper.DecodingOptions(language="fr")),
        (DecodingOptions(task="translate"), whisper.DecodingOptions(task="translate")),
        (DecodingOptions(prompt=PROMPT), whisper.DecodingOptions(prompt=PROMPT)),
        (
            DecodingOptions(prompt=(5, 6, 7), language="ja", timestamps=False),
            whisper.DecodingOptions(prompt=[5, 6, 7], language="ja", without_timestamps=True),
        ),
    ]
    options = [replace(kinds[i % 4][0], fallback=False, beam_size=beam_size) for i in range(8)]
    found = ours(options)
    beams = None if beam_size == 1 else beam_size
    for number, hypothesis in enumerate(found):
        expected = theirs(replace(kinds[number % 4][1], beam_size=beams), utterances=[number])
        assert_equal([hypothesis], expected)


def test_the_prompt_was_cut() -> None:
    """So the test above has met that, too."""
    assert len(vocabulary().encode(f" {PROMPT}")) > CONTEXT // 2 - 1
