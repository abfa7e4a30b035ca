"""Attempts in the slots of the first one, beside others, with the memory that was there."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from torch import Tensor

pytest.importorskip("whisper")

from auricle.decoding import ContinuousDecoder, UtteranceFacts
from auricle.families.whisper.policy import WhisperPolicy
from auricle.model import DecoderCache, new_cache
from auricle_types.errors import InvalidOptionError
from auricle_types.options import DecodingOptions
from tests.asr.decoding.play import WatchedCache
from tests.asr.decoding.scripted import remembered
from tests.asr.families.whisper.small_models import (
    CONTEXT,
    OpenAiDecoder,
    features,
    model,
    ours,
)
from tests.asr.tokenizer.unicode_lines import vocabulary

ENGLISH = DecodingOptions(language="en", fallback=True)


def test_doubtful_words_are_tried_again_warmer() -> None:
    """Random words are all unlikely: in the end the warmest stay."""
    cold = ours([replace(ENGLISH, fallback=False)] * 5)
    warm = ours([ENGLISH] * 5)
    assert {each.temperature for each in cold} == {0.0}
    assert {each.temperature for each in warm} >= {1.0}
    assert [one.tokens for one in cold] != [one.tokens for one in warm]


def test_the_same_words_again_and_in_any_company() -> None:
    options = [replace(ENGLISH, beam_size=1 + number % 3) for number in range(4)]
    assert ours(options) == ours(options, together=4) == ours(options, together=1)


def test_a_seed_is_another_draw() -> None:
    one, other = (ours([replace(ENGLISH, seed=seed)] * 8) for seed in (1, 2))
    assert [each.tokens for each in one] != [each.tokens for each in other]


class CountingCache(WatchedCache):
    """That knows what was ever opened."""

    def __init__(self, cache: DecoderCache) -> None:
        super().__init__(cache)
        self.ever: list[int] = []
        self.rewound = 0

    def open(self, slots: Sequence[int], memory: Tensor) -> None:
        self.ever.extend(slots)
        super().open(slots, memory)

    def rewind(self, slots: Sequence[int]) -> None:
        assert sorted(slots) == self.ever
        self.rewound += 1
        super().rewind(slots)


def test_the_encoders_memory_is_written_once() -> None:
    warm = [
        each.temperature > 0 for each in ours([DecodingOptions(beam_size=3, fallback=True)] * 8)
    ].index(True)
    decoder = OpenAiDecoder(model(), features())
    cache = CountingCache(new_cache(decoder.decoder, slots=3, max_frames=40))
    policy = WhisperPolicy(vocabulary(), CONTEXT)
    continuous = ContinuousDecoder(decoder.decoder, cache, special=vocabulary().special)
    passes = policy.passes(DecodingOptions(beam_size=3, fallback=True), UtteranceFacts())
    decoding = continuous.join_passes(remembered(warm), passes)
    while not continuous.step():
        assert cache.opened == {0, 1, 2}
    continuous.leave(decoding)
    assert cache.ever == [0, 1, 2]
    assert cache.rewound >= 2  # after the language, after the beam
    assert decoding.result.temperature > 0
    assert cache.opened == set()


@pytest.mark.parametrize(
    ("language", "offered"),
    [("englsh", "english"), ("Germany", "german"), ("xx", "such as en"), ("", "such as en")],
)
def test_unknown_languages(language: str, offered: str) -> None:
    with pytest.raises(InvalidOptionError, match=offered):
        WhisperPolicy(vocabulary()).check(DecodingOptions(language=language))


@pytest.mark.parametrize("language", ["de", "German", " GERMAN ", "Castilian", "haitian creole"])
def test_known_languages(language: str) -> None:
    WhisperPolicy(vocabulary()).check(DecodingOptions(language=language, task="translate"))


def test_the_newest_language_is_unknown_to_older_models() -> None:
    cantonese = DecodingOptions(language="yue")
    WhisperPolicy(vocabulary(languages=100)).check(cantonese)
    with pytest.raises(InvalidOptionError, match="yue"):
        WhisperPolicy(vocabulary()).check(cantonese)


def test_models_for_english_alone() -> None:
    policy = WhisperPolicy(vocabulary(multilingual=False))
    policy.check(DecodingOptions(language="English"))
    with pytest.raises(InvalidOptionError, match=r"task must be transcribe: .* English alone"):
        policy.check(DecodingOptions(task="translate"))
    with pytest.raises(InvalidOptionError, match=r"language must be one .* 'de'"):
        policy.check(DecodingOptions(language="de"))


def test_a_prompt_leaves_room() -> None:
    long = ours([replace(ENGLISH, prompt=tuple(range(100, 100 + CONTEXT)), fallback=False)])[0]
    assert len(long.tokens) <= CONTEXT - (CONTEXT // 2 + 3) + 1
