"""Both heads in one search: scores by the definition, and nothing of CTC where it has no say."""

import itertools
import math

import numpy as np
import pytest

from auricle.decoding import BeamSearch, CtcScorer, Posteriors, new_search
from auricle.decoding.ctc_prefix import Floats
from auricle.decoding.search import Sampling
from auricle.hypothesis import Hypothesis
from auricle.tokenizer import Tokenizer
from auricle_types.options import DecodingOptions
from tests.asr.decoding.play import Part, Stage
from tests.asr.decoding.scripted import ScriptedDecoder, remembered, script

FRAMES, VOCAB = 4, 6
BLANK, END, WORDS = Tokenizer.blank_id, Tokenizer.end_id, (4, 5)


def heard(seed: int, sharpness: float = 1.5) -> Floats:
    """CTC's log-probabilities `(N, V)`, of words and blanks."""
    logits = sharpness * np.random.default_rng(seed).standard_normal((FRAMES, VOCAB))
    logits[:, 1:4] = -40.0
    return np.asarray(logits - np.log(np.exp(logits).sum(axis=1, keepdims=True)), np.float32)


def ctc_log_prob(log_probs: Floats, text: tuple[int, ...]) -> float:
    """Over all alignments."""
    total = 0.0
    for alignment in itertools.product((BLANK, *WORDS), repeat=FRAMES):
        said = tuple(token for token, _ in itertools.groupby(alignment) if token != BLANK)
        if said == text:
            total += math.exp(sum(float(log_probs[t, token]) for t, token in enumerate(alignment)))
    return math.log(total) if total else -math.inf


def searched(
    decoder: ScriptedDecoder, number: int, search: BeamSearch, weight: float
) -> Hypothesis:
    continuous = decoder.continuous(slots=search.width)
    scorer = CtcScorer(Posteriors.of(heard(number), end=Tokenizer.end_id), weight)
    decoding = continuous.join(remembered(number, FRAMES), search, scorer)
    while decoding not in continuous.step():
        pass
    assert decoding.error is None
    return search.best()


@pytest.mark.parametrize("weight", [0.2, 0.5, 1.0])
def test_a_huge_beam_finds_the_best_of_all_by_both_heads(weight: float) -> None:
    decoder, winners = ScriptedDecoder(VOCAB), set()
    for number in range(10):
        endings = {}
        for tokens in decoder.every_ending(FRAMES + 1):
            attention = decoder.log_prob(number, [*tokens, END])
            ctc = ctc_log_prob(heard(number), tokens)
            endings[tokens] = (1 - weight) * attention + weight * ctc
        found = searched(decoder, number, BeamSearch(64, 9, 0.0, end=Tokenizer.end_id), weight)
        best = max(endings, key=lambda tokens: endings[tokens])
        assert found.tokens == best
        assert found.log_prob == pytest.approx(endings[best], abs=1e-3)
        winners.add(best)
    assert len(winners) > 4


def test_ctc_changes_what_is_said_and_ends_it() -> None:
    """A decoder that never wants to end, and one that ends at once."""
    talkative, taciturn = ScriptedDecoder(VOCAB, end_bonus=-9.0), ScriptedDecoder(VOCAB, 9.0)
    for number in range(10):
        assert len(talkative.search(number, BeamSearch(1, 9, end=Tokenizer.end_id)).tokens) == 9
        assert taciturn.search(number, BeamSearch(1, 9, end=Tokenizer.end_id)).tokens == ()
        heard_all = searched(talkative, number, BeamSearch(1, 9, end=Tokenizer.end_id), 0.9)
        assert heard_all.ended
        assert len(heard_all.tokens) <= FRAMES
    lengths = {
        len(searched(taciturn, n, BeamSearch(1, 9, end=Tokenizer.end_id), 0.9).tokens)
        for n in range(10)
    }
    assert max(lengths) > 0


@pytest.mark.parametrize("width", [1, 3])
def test_without_a_share_ctc_is_not_there(width: int) -> None:
    """To the last bit, though others beside it listen to CTC."""
    decoder = ScriptedDecoder(VOCAB, end_bonus=0.5)
    parts = [
        Part(number, options=DecodingOptions(beam_size=width, ctc_weight=weight, guards=False))
        for number in range(10)
        for weight in (0.0, 0.7)
    ]
    speeches = [script(number, FRAMES) for number in range(10)]
    every = [Posteriors.of(heard(number), end=Tokenizer.end_id) for number in range(10)]
    answers = Stage(decoder.decoder, speeches, posteriors=every).play(parts)
    differ = 0
    for number, part in enumerate(parts):
        plain = decoder.search(part.speech, new_search(part.options, FRAMES, end=Tokenizer.end_id))
        if part.options.ctc_weight == 0:
            assert answers[number] == plain
        differ += answers[number] != plain
    assert differ > 5


def test_what_is_drawn_is_drawn_by_both_heads() -> None:
    """Near zero, it is what the greedy search takes."""
    decoder = ScriptedDecoder(VOCAB)
    for number in range(10):
        cold = BeamSearch(1, 9, end=Tokenizer.end_id, sampling=Sampling(temperature=1e-5, seed=1))
        expected = searched(decoder, number, BeamSearch(1, 9, end=Tokenizer.end_id), 0.6)
        assert searched(decoder, number, cold, 0.6) == expected


def test_a_search_that_is_done_when_it_joins_takes_no_step() -> None:
    decoder = ScriptedDecoder(VOCAB)
    continuous = decoder.continuous(slots=4)
    search = BeamSearch(1, 9, end=Tokenizer.end_id)
    search.live, search.ended = [], [Hypothesis((), 0.0, ended=False)]
    joined = continuous.join(remembered(0, FRAMES), search)
    assert continuous.step() == [joined]
    assert decoder.rows == []
    continuous.leave(joined)
    assert continuous.free_slots == 4
