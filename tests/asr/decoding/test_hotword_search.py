"""Hotwords in the search: bonuses by the definition, and nothing where there are none."""

import math
from collections.abc import Sequence

import numpy as np
import pytest
import torch
from hypothesis import given, settings

from auricle.decoding import BeamSearch, new_search
from auricle.decoding.hotword_trie import HotwordScorer, HotwordTrie, Phrase
from auricle.decoding.next_tokens import HotwordScores, NextTokens
from auricle.decoding.search import Sampling
from auricle.hypothesis import Hypothesis
from auricle.tokenizer import Tokenizer
from auricle_types.options import DecodingOptions
from tests.asr.decoding.play import Part, Stage, parts
from tests.asr.decoding.scripted import ScriptedDecoder, remembered, script
from tests.asr.decoding.test_next_tokens import outs, random_decoder

VOCAB, END = 12, Tokenizer.end_id
SCRIPTS = 8
WORD_PARTS = np.arange(VOCAB) >= 10
PHRASES = [Phrase((5, 6), 2.0), Phrase((6,), 1.5), Phrase((5, 7, 8), 2.5), Phrase((9, 10), 1.0)]
TRIE = HotwordTrie(PHRASES, WORD_PARTS)


class Letters:
    """A `Vocabulary` of the words a to f; g and h only continue a word."""

    serialized = b""
    vocab_size = VOCAB
    special = Tokenizer.special

    def encode(self, text: str) -> list[int]:
        return [ord(letter) - ord("a") + 4 for letter in text.lower() if letter != " "]

    def decode(self, tokens: Sequence[int]) -> str:
        return " ".join(map(self.piece, tokens))

    def piece(self, token: int) -> str:
        letter = chr(token - 4 + ord("a")) if token >= 4 else "<>"
        return letter if WORD_PARTS[token] else f"\u2581{letter}"


def gained(tokens: Sequence[int]) -> float:
    """What a whole text gains, by the trie's own tests."""
    state, total = 0, 0.0
    for token in (*tokens, END):
        total += TRIE.bonus(state, token)
        state = TRIE.following(state, token)
    return total


def searched(decoder: ScriptedDecoder, number: int, search: BeamSearch) -> Hypothesis:
    continuous = decoder.continuous(slots=search.width)
    decoding = continuous.join(remembered(number, 4), search)
    decoding.hotwords = HotwordScorer(TRIE)
    while decoding not in continuous.step():
        pass
    assert decoding.error is None
    return search.best()


def test_a_huge_beam_finds_the_best_of_all() -> None:
    decoder, changed = ScriptedDecoder(VOCAB, end_bonus=-2.0), 0
    for number in range(SCRIPTS):
        acoustic = {
            tokens: decoder.log_prob(number, [*tokens, END]) for tokens in decoder.every_ending(4)
        }
        scores = {tokens: log_prob + gained(tokens) for tokens, log_prob in acoustic.items()}
        best = max(scores, key=lambda tokens: scores[tokens])
        found = searched(decoder, number, BeamSearch(600, 4, 0.0, end=END))
        assert found.tokens == best
        assert found.log_prob == pytest.approx(acoustic[best], abs=1e-3)
        assert found.bonus == pytest.approx(gained(best), abs=1e-3)
        changed += best != max(acoustic, key=lambda tokens: acoustic[tokens])
    assert changed > 2


@pytest.mark.parametrize("width", [1, 3])
def test_they_come_more_often(width: int) -> None:
    decoder = ScriptedDecoder(VOCAB)
    plain, boosted = 0.0, 0.0
    for number in range(20):
        plain += gained(decoder.search(number, BeamSearch(width, 9, end=END)).tokens)
        boosted += gained(searched(decoder, number, BeamSearch(width, 9, end=END)).tokens)
    assert boosted > 1.5 * plain > 0


def test_confidence_is_of_the_acoustic_model_alone() -> None:
    decoder, boosted = ScriptedDecoder(VOCAB), 0
    for number in range(SCRIPTS):
        found = searched(decoder, number, BeamSearch(3, 9, end=END))
        said = [*found.tokens, *([END] if found.ended else [])]
        log_prob = decoder.log_prob(number, said)
        boosted += found.bonus != 0
        assert found.log_prob == pytest.approx(log_prob, abs=1e-4)
        assert found.confidence == pytest.approx(math.exp(log_prob / len(said)), abs=1e-4)
    assert boosted > SCRIPTS // 2


def test_what_is_drawn_is_drawn_with_them() -> None:
    """Near zero, it is what the greedy search takes."""
    decoder = ScriptedDecoder(VOCAB)
    for number in range(SCRIPTS):
        cold = BeamSearch(1, 9, end=END, sampling=Sampling(temperature=1e-5, seed=1))
        assert searched(decoder, number, cold) == searched(
            decoder, number, BeamSearch(1, 9, end=END)
        )


@pytest.mark.parametrize("width", [1, 3])
def test_a_request_without_them_is_as_it_was(width: int) -> None:
    """To the last bit, though others beside it have some."""
    decoder = ScriptedDecoder(VOCAB, end_bonus=0.5)
    lists = ((), ("a b:3", "c"), ("d:9", "a g"))
    script_parts = [
        Part(number, options=DecodingOptions(width, guards=False, hotwords=phrases))
        for number in range(SCRIPTS)
        for phrases in lists
    ]
    speeches = [script(number, 20) for number in range(SCRIPTS)]
    stage, differ = Stage(decoder.decoder, speeches, vocabulary=Letters()), 0
    for number, found in stage.play(script_parts).items():
        part = script_parts[number]
        plain = decoder.search(part.speech, new_search(part.options, 20, end=END))
        assert part.options.hotwords or found == plain
        differ += found != plain
    assert differ > SCRIPTS // 2


@settings(max_examples=8)
@given(play=parts(SCRIPTS, hotwords=((), ("a b:3", "c"), ("d:9", "a g", "A b c d:2.5"))))
def test_no_company_changes_what_is_said(play: list[Part]) -> None:
    """Greedy, beams and drawn ones, with and without them, joining and leaving at any step."""
    decoder = ScriptedDecoder(VOCAB, end_bonus=0.5)
    speeches = [script(number, 20) for number in range(SCRIPTS)]
    stage = Stage(decoder.decoder, speeches, vocabulary=Letters())
    for number, found in stage.play(play).items():
        if found is not None:
            assert found == stage.alone(play[number])


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_tokens_that_go_on_with_a_phrase_reach_the_short_list(dtype: torch.dtype) -> None:
    decoder, out = random_decoder(dtype, vocab_size=40), outs(3, dtype)
    suppressed = Tokenizer.special.suppressed
    plain = NextTokens(decoder, out, suppressed=suppressed).likeliest(40)
    unlikely = [choice.token for choice in plain[1] if choice.log_prob > -math.inf][-2:]
    parts_of_words = np.isin(np.arange(40), [plain[1][0].token])
    scores = HotwordScores(
        1, np.array(unlikely), np.array([60.0, 50.0], np.float32), 40.0, parts_of_words
    )
    found = NextTokens(decoder, out, hotwords=[scores], suppressed=suppressed).likeliest(5)
    for row in (0, 2):
        assert found[row] == plain[row][: len(found[row])]
    assert [choice.token for choice in found[1]][:3] == [*unlikely, plain[1][1].token]
    log_probs = {choice.token: choice.log_prob for choice in plain[1]}
    for choice in found[1]:
        assert choice.log_prob == log_probs[choice.token]  # the model's own
        assert choice.bonus == 0.0
