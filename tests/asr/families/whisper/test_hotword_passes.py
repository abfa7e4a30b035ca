"""Hotwords in Whisper's passes and beams."""

import numpy as np
import pytest

pytest.importorskip("whisper")

from auricle.decoding import ContinuousDecoder, UtteranceFacts
from auricle.decoding.hotword_trie import ROOT, HotwordScorer, HotwordTrie, Phrase
from auricle.families.whisper.policy import WhisperPolicy
from auricle.hypothesis import Hypothesis
from auricle.model import new_cache
from auricle_types.options import DecodingOptions
from tests.asr.decoding.scripted import remembered
from tests.asr.families.whisper.small_models import CONTEXT, OpenAiDecoder, features, model
from tests.asr.tokenizer.unicode_lines import vocabulary

UTTERANCES = 6


def trie(plain: list[Hypothesis]) -> HotwordTrie:
    """Favour tokens that one utterance has, in all of them."""
    one, two, three, *_ = max((each.tokens for each in plain), key=len)
    continues_word = np.arange(vocabulary().vocab_size) % 3 == 0
    phrases = [Phrase((one,), 9.0), Phrase((two, three), 7.0, ends_word=False)]
    return HotwordTrie(phrases, continues_word)


def decoded(options: DecodingOptions, made: HotwordTrie | None) -> list[Hypothesis]:
    decoder, policy = OpenAiDecoder(model(), features()), WhisperPolicy(vocabulary(), CONTEXT)
    cache = new_cache(decoder.decoder, slots=options.beam_size, max_frames=40)
    found = []
    for number in range(UTTERANCES):
        continuous = ContinuousDecoder(decoder.decoder, cache, special=vocabulary().special)
        passes = policy.passes(options, UtteranceFacts())
        decoding = continuous.join_passes(remembered(number), passes)
        decoding.hotwords = HotwordScorer(made) if made is not None else None
        while not continuous.step():
            pass
        assert decoding.error is None
        found.append(decoding.result)
        continuous.leave(decoding)
    return found


@pytest.mark.parametrize(
    "options",
    [
        DecodingOptions(fallback=True, timestamps=False),
        DecodingOptions(beam_size=3, timestamps=False),
        DecodingOptions(beam_size=2, fallback=True, timestamps=False, language="en"),
    ],
    ids=["passes", "beam", "both"],
)
def test_each_pass_begins_anew(options: DecodingOptions) -> None:
    """The bonus of the last one is that of its tokens, and the log-probability has none of it."""
    plain = decoded(options, None)
    made = trie(plain)
    found = decoded(options, made)
    for each in found:
        state, total = ROOT, 0.0
        for token in (*each.tokens, *([vocabulary().end] if each.ended else [])):
            total += made.bonus(state, token)
            state = made.following(state, token)
        assert each.bonus == pytest.approx(total, abs=1e-3)
        assert each.log_prob <= 0
    assert any(each.bonus > 10 for each in found)
    assert all(each.bonus == 0.0 for each in plain)
    assert [each.tokens for each in plain] != [each.tokens for each in found]
