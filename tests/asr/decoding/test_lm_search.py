"""A language model in the search: bonuses by the definition, and nothing where it has no say."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings

from auricle.config import ModelConfig
from auricle.decoding import BeamSearch, LmScorer, ScorerFactory, new_search
from auricle.decoding.next_tokens import LmScores, NextTokens
from auricle.decoding.search import Sampling
from auricle.hypothesis import Hypothesis
from auricle.tokenizer import Tokenizer
from auricle_types.options import DecodingOptions
from tests.asr.decoding.play import Part, Stage, parts
from tests.asr.decoding.scripted import ScriptedDecoder, remembered, script
from tests.asr.decoding.test_next_tokens import outs, random_decoder
from tests.asr.language_models import Table, random_model

VOCAB, END = 12, Tokenizer.end_id
SCRIPTS = 8


def bonus(table: Table, tokens: tuple[int, ...], weight: float, reward: float) -> float:
    """Of a text and its END, by the definition."""
    said = [Tokenizer.start_id, *tokens, END]
    logs = [table.log_prob(tuple(said[:end]), said[end]) for end in range(1, len(said))]
    return weight * (sum(logs) + reward * len(tokens))


def searched(
    decoder: ScriptedDecoder, number: int, search: BeamSearch, weight: float, reward: float = 0.0
) -> Hypothesis:
    continuous = decoder.continuous(slots=search.width)
    scorer = LmScorer(random_model()[0], weight, reward, end=Tokenizer.end_id)
    decoding = continuous.join(remembered(number, 4), search, lm=scorer)
    while decoding not in continuous.step():
        pass
    assert decoding.error is None
    return search.best()


def test_bonuses_by_the_definition() -> None:
    model, table = random_model()
    scorer = LmScorer(model, 0.5, 3.0, end=Tokenizer.end_id)
    scorer.advance([0, 0], [5, 6])
    scorer.advance([1, 0, 1], [7, 7, 8])
    found = scorer.bonuses
    for row, said in zip(found, [(6, 7), (5, 7), (6, 8)], strict=True):
        logs = np.array(table.row(said, VOCAB))
        rewards = np.where(np.arange(VOCAB) == END, 0.0, 3.0)
        assert row == pytest.approx(0.5 * (logs + rewards), abs=1e-4)
    scorer.advance([], [])
    assert (scorer.bonuses == found).all()


@pytest.mark.parametrize(("weight", "reward"), [(0.3, 4.0), (2.0, 1.0)])
def test_a_huge_beam_finds_the_best_of_all(weight: float, reward: float) -> None:
    decoder, (_, table) = ScriptedDecoder(VOCAB, end_bonus=-2.0), random_model()
    winners, changed = set(), 0
    for number in range(SCRIPTS):
        acoustic = {
            tokens: decoder.log_prob(number, [*tokens, END]) for tokens in decoder.every_ending(4)
        }
        scores = {
            tokens: log_prob + bonus(table, tokens, weight, reward)
            for tokens, log_prob in acoustic.items()
        }
        best = max(scores, key=lambda tokens: scores[tokens])
        found = searched(
            decoder, number, BeamSearch(600, 4, 0.0, end=Tokenizer.end_id), weight, reward
        )
        assert found.tokens == best
        assert found.log_prob == pytest.approx(acoustic[best], abs=1e-3)
        assert found.score == pytest.approx(scores[best], abs=1e-3)
        winners.add(best)
        changed += best != max(acoustic, key=lambda tokens: acoustic[tokens])
    assert len(winners) > 2
    assert changed > 2


def test_a_reward_makes_answers_longer() -> None:
    decoder = ScriptedDecoder(VOCAB, end_bonus=1.0)

    def words(reward: float) -> int:
        found = [
            searched(decoder, n, BeamSearch(1, 9, end=Tokenizer.end_id), 0.5, reward)
            for n in range(20)
        ]
        return sum(len(each.tokens) for each in found)

    assert words(0.0) < words(4.0) < words(20.0)


def test_confidence_is_of_the_acoustic_model_alone() -> None:
    decoder = ScriptedDecoder(VOCAB)
    for number in range(SCRIPTS):
        found = searched(decoder, number, BeamSearch(3, 9, end=Tokenizer.end_id), 0.7, 2.0)
        said = [*found.tokens, *([END] if found.ended else [])]
        log_prob = decoder.log_prob(number, said)
        assert found.bonus != 0
        assert found.log_prob == pytest.approx(log_prob, abs=1e-4)
        assert found.confidence == pytest.approx(math.exp(log_prob / len(said)), abs=1e-4)


def test_what_is_drawn_is_drawn_by_both() -> None:
    """Near zero, it is what the greedy search takes."""
    decoder = ScriptedDecoder(VOCAB)
    for number in range(SCRIPTS):
        cold = BeamSearch(1, 9, end=Tokenizer.end_id, sampling=Sampling(temperature=1e-5, seed=1))
        expected = searched(decoder, number, BeamSearch(1, 9, end=Tokenizer.end_id), 0.6, 2.0)
        assert searched(decoder, number, cold, 0.6, 2.0) == expected
    drawn = {
        searched(
            decoder,
            0,
            BeamSearch(1, 9, end=Tokenizer.end_id, sampling=Sampling(temperature=1.0, seed=seed)),
            0.6,
        ).tokens
        for seed in range(9)
    }
    assert len(drawn) > 4


@pytest.mark.parametrize("width", [1, 3])
def test_without_a_weight_it_is_not_there(width: int) -> None:
    """To the last bit, though others beside it ask one."""
    decoder = ScriptedDecoder(VOCAB, end_bonus=0.5)
    script_parts = [
        Part(number, options=DecodingOptions(width, lm_weight=weight, guards=False))
        for number in range(SCRIPTS)
        for weight in (0.0, 0.7)
    ]
    speeches = [script(number, 20) for number in range(SCRIPTS)]
    stage = Stage(decoder.decoder, speeches, language_model=random_model()[0])
    differ = 0
    for number, found in stage.play(script_parts).items():
        part = script_parts[number]
        plain = decoder.search(part.speech, new_search(part.options, 20, end=Tokenizer.end_id))
        if not part.options.lm_weight:
            assert found == plain
        differ += found != plain
    assert differ > SCRIPTS // 2


@settings(max_examples=8)
@given(play=parts(SCRIPTS, lm_weights=(None, 0.2, 0.8)))
def test_no_company_changes_what_is_said(play: list[Part]) -> None:
    """Greedy, beams and drawn ones, with and without it, joining and leaving at any step."""
    decoder = ScriptedDecoder(VOCAB, end_bonus=0.5)
    speeches = [script(number, 20) for number in range(SCRIPTS)]
    stage = Stage(decoder.decoder, speeches, language_model=random_model()[0])
    for number, found in stage.play(play).items():
        if found is not None:
            assert found == stage.alone(play[number])


# --- the next token ----------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_tokens_are_chosen_by_log_probability_and_bonus(dtype: torch.dtype) -> None:
    decoder, out = random_decoder(dtype, vocab_size=40), outs(6, dtype)
    bonuses = np.random.default_rng(0).normal(0, 3, (2, 40)).astype(np.float32)
    plain, fused = (
        NextTokens(decoder, out, suppressed=Tokenizer.special.suppressed),
        NextTokens(
            decoder, out, lm=[LmScores([4, 1], bonuses)], suppressed=Tokenizer.special.suppressed
        ),
    )
    rows, expected = fused.likeliest(5), plain.likeliest(40)
    for row, choices in enumerate(rows):
        if row not in (1, 4):
            assert choices == expected[row][: len(choices)]
            continue
        mine = bonuses[0 if row == 4 else 1]
        scores = {token: log_prob + float(mine[token]) for log_prob, token, _ in expected[row]}
        best = sorted(scores, key=lambda token: -scores[token])
        assert [choice.token for choice in choices][:5] == best[:5]
        for log_prob, token, extra in choices[:5]:
            assert extra == mine[token]
            assert log_prob + extra == pytest.approx(scores[token], abs=1e-5)


def test_what_is_impossible_stays_so() -> None:
    bonuses = np.full((1, 40), 5.0, np.float32)
    bonuses[0, [0, 1, 3]] = -np.inf
    fused = NextTokens(
        random_decoder(vocab_size=40),
        outs(1),
        lm=[LmScores([0], bonuses)],
        suppressed=Tokenizer.special.suppressed,
    )
    (row,) = fused.likeliest(40)
    impossible = {choice.token for choice in row if choice.log_prob == -math.inf}
    assert impossible == {0, 1, 3}
    assert all(choice.bonus == 0.0 for choice in row if choice.token in impossible)


# --- who has a say -----------------------------------------------------------------------------


def test_the_default_is_for_those_that_have_a_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("auricle.decoding.scorers.LM_WEIGHT", 0.4)
    model, _ = random_model()
    with_one, without = (
        ScorerFactory.of(ModelConfig(), language_model=model),
        ScorerFactory.of(ModelConfig()),
    )
    scorers = with_one.scorers(DecodingOptions(2, token_reward=0.5), 9, 1.0, None)
    assert scorers.lm is not None
    assert np.isneginf(scorers.lm.bonuses).sum() == 3
    expected = LmScorer(model, 0.4, 0.5, end=Tokenizer.end_id).bonuses
    assert (scorers.lm.bonuses == expected).all()
    assert with_one.scorers(DecodingOptions(2, lm_weight=0.0), 9, 1.0, None).lm is None
    assert without.scorers(DecodingOptions(2), 9, 1.0, None).lm is None


def test_a_greedy_search_has_it_where_it_is_asked_for() -> None:
    model, _ = random_model()
    assert (
        ScorerFactory.of(ModelConfig(), language_model=model)
        .scorers(DecodingOptions(), 9, 1.0, None)
        .lm
        is None
    )
    assert (
        ScorerFactory.of(ModelConfig(), language_model=model)
        .scorers(DecodingOptions(lm_weight=0.2), 9, 1.0, None)
        .lm
        is not None
    )
