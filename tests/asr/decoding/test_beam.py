"""Beam search between its two ends: greedy search and the search of everything."""

import pytest
import torch

from auricle.decoding import Hypothesis, beam_search, greedy_search
from auricle.decoding.beam import Beams
from auricle.tokenizer import Tokenizer
from tests.asr.decoding.scripted import ScriptedDecoder, scripts
from tests.asr.tiny import ARCHITECTURES, Positions, features, tiny_model

ROWS = tuple(range(10))
HUGE = 1_000
PENALTIES = [0.0, 0.5, 1.0, 2.0]


def beams(
    decoder: ScriptedDecoder, rows: tuple[int, ...], limits: list[int], size: int, penalty: float
) -> list[Hypothesis]:
    return beam_search(
        decoder.decoder,
        *scripts(*rows),
        torch.tensor(limits),
        beam_size=size,
        length_penalty=penalty,
    )


def score(hypothesis: Hypothesis, penalty: float) -> float:
    return hypothesis.log_prob / float(max(hypothesis.steps, 1) ** penalty)


@pytest.mark.parametrize("penalty", PENALTIES)
def test_a_beam_of_one_is_greedy(penalty: float) -> None:
    decoder = ScriptedDecoder(12, end_bonus=1.0)
    limits = [6, 1, 8, 3, 6, 6, 2, 7, 5, 6]
    greedy = greedy_search(decoder.decoder, *scripts(*ROWS), torch.tensor(limits))
    found = beams(decoder, ROWS, limits, 1, penalty)
    assert [h.tokens for h in found] == [h.tokens for h in greedy]
    assert [h.ended for h in found] == [h.ended for h in greedy]
    assert [h.log_prob for h in found] == pytest.approx([h.log_prob for h in greedy], abs=1e-4)


@pytest.mark.parametrize("penalty", PENALTIES)
def test_a_huge_beam_finds_the_best_of_all(penalty: float) -> None:
    limit, decoder = 4, ScriptedDecoder(8)
    winners = []
    for script in ROWS:
        endings = [
            Hypothesis(tokens, decoder.log_prob(script, [*tokens, Tokenizer.end_id]))
            for tokens in decoder.every_ending(limit)
        ]
        assert len(endings) == 1 + 4 + 16 + 64
        winners.append(max(endings, key=lambda ending: score(ending, penalty)))
    found = beams(decoder, ROWS, [limit] * len(ROWS), HUGE, penalty)
    assert [h.tokens for h in found] == [h.tokens for h in winners]
    assert [h.log_prob for h in found] == pytest.approx([h.log_prob for h in winners], abs=1e-4)
    assert len({h.steps for h in winners}) > 1 or penalty == 0.0


def test_a_wider_beam_can_find_better() -> None:
    """And does, somewhere: else all of these tests would pass without any beam."""
    decoder, rows = ScriptedDecoder(8), tuple(range(30))
    narrow, wide = (beams(decoder, rows, [4] * 30, size, 0.0) for size in (1, HUGE))
    ended = [(n, w) for n, w in zip(narrow, wide, strict=True) if n.ended]
    assert all(w.log_prob >= n.log_prob - 1e-5 for n, w in ended)
    assert any(w.log_prob > n.log_prob + 0.1 for n, w in ended)


@pytest.mark.parametrize("size", [1, 2, 5])
def test_a_batch_is_its_rows_alone(size: int) -> None:
    decoder = ScriptedDecoder(12, end_bonus=0.5)
    limits = [6, 1, 8, 3, 6, 6, 2, 7, 5, 6]
    together = beams(decoder, ROWS, limits, size, 1.0)
    alone = [
        beams(decoder, (row,), [limit], size, 1.0)[0]
        for row, limit in zip(ROWS, limits, strict=True)
    ]
    assert together == alone
    assert all(h.steps <= limit for h, limit in zip(together, limits, strict=True))


@pytest.mark.parametrize(("positions", "conv_kernel"), ARCHITECTURES)
def test_the_models_beams_are_its_rows_alone(positions: Positions, conv_kernel: int) -> None:
    model = tiny_model(positions, conv_kernel)
    encoder_out, lens = model.encoder(*features(model.config))
    together = beam_search(model.decoder, encoder_out, lens, lens, beam_size=4)
    for row, length in enumerate(lens.tolist()):
        rows = slice(row, row + 1)
        memory, limit = encoder_out[rows, :length], lens[rows]
        alone = beam_search(model.decoder, memory, limit, limit, beam_size=4)[0]
        assert together[row].tokens == alone.tokens
        assert together[row].log_prob == pytest.approx(alone.log_prob, abs=1e-3)


def test_a_live_hypothesis_wins_only_where_none_ended() -> None:
    decoder = ScriptedDecoder(12, end_bonus=-50.0)
    (found,) = beams(decoder, (0,), [3], 2, 1.0)
    assert len(found.tokens) == 3
    assert not found.ended
    assert found.log_prob == pytest.approx(decoder.log_prob(0, found.tokens), abs=1e-4)


def test_an_utterance_leaves_when_as_many_ended_as_its_beam_is_wide() -> None:
    decoder = ScriptedDecoder(12, end_bonus=50.0)
    found = beams(decoder, (0, 1), [9, 9], 3, 1.0)
    assert [h.tokens for h in found] == [(), ()]
    assert decoder.rows[0] == 2  # one row each at first
    assert len(decoder.rows) < 9


def test_what_cannot_be_said_is_no_candidate() -> None:
    beam = Beams(size=9, limit=5, length_penalty=1.0)
    minus_infinity = float("-inf")
    parents = beam.extend([[-1.0, -2.0, minus_infinity]], [[5, Tokenizer.end_id, 1]])
    assert parents == [0]
    assert [h.tokens for h in beam.live] == [(5,)]
    assert [h.tokens for h in beam.ended] == [()]


def test_length_pays_with_the_penalty() -> None:
    short, long = Hypothesis((5,), -2.0), Hypothesis((5, 6, 7), -3.0)
    winners = {}
    for penalty in (0.0, 1.0):
        beam = Beams(size=2, limit=9, length_penalty=penalty)
        beam.ended = [short, long]
        winners[penalty] = beam.best()
    assert winners == {0.0: short, 1.0: long}
