"""Beam search between its two ends: greedy search and the search of everything."""

from itertools import product

import pytest
import torch
from torch import Tensor

from auricle.config import TransformerConfig
from auricle.decoding import BeamSearch, decode_all, new_search
from auricle.hypothesis import Hypothesis
from auricle.model import Decoder, SpeechTransformer
from auricle.tokenizer import Tokenizer
from auricle_types.options import DecodingOptions
from tests.asr.decoding.scripted import ScriptedDecoder, shown
from tests.asr.tiny import ARCHITECTURES, Positions, decoded, tiny_model, utterances

SCRIPTS = tuple(range(10))
HUGE = 1_000
PENALTIES = [0.0, 0.5, 1.0, 2.0]
MINUS_INFINITY = float("-inf")
SILENT = [Tokenizer.blank_id, Tokenizer.start_id, Tokenizer.unknown_id]


def score(hypothesis: Hypothesis, penalty: float) -> float:
    return hypothesis.log_prob / float(max(hypothesis.steps, 1) ** penalty)


def naive_greedy(decoder: Decoder, encoder_out: Tensor, limit: int) -> Hypothesis:
    """`encoder_out (N, D)`: the whole decoder again for every token, and no cache."""
    tokens, log_prob = [Tokenizer.start_id], 0.0
    length = torch.tensor([len(encoder_out)])
    for _ in range(limit):
        logits = decoder(torch.tensor([tokens]), encoder_out[None], length)[0, -1]
        logits[SILENT] = -torch.inf
        tokens.append(int(logits.argmax()))
        log_prob += float(logits.log_softmax(dim=-1)[tokens[-1]])
        if tokens[-1] == Tokenizer.end_id:
            return Hypothesis(tuple(tokens[1:-1]), log_prob)
    return Hypothesis(tuple(tokens[1:]), log_prob, ended=False)


@pytest.mark.parametrize("limit", [20, 3])
@pytest.mark.parametrize(("positions", "conv_kernel"), ARCHITECTURES)
def test_a_beam_of_one_is_the_naive_greedy_loop(
    positions: Positions, conv_kernel: int, limit: int
) -> None:
    model = tiny_model(positions, conv_kernel)
    encoder_outs = model.encoder.encode(utterances(model.config))
    found = decoded(model, encoder_outs, DecodingOptions(max_tokens=limit))
    for hypothesis, encoder_out in zip(found, encoder_outs, strict=True):
        expected = naive_greedy(model.decoder, encoder_out, min(limit, len(encoder_out)))
        assert (hypothesis.tokens, hypothesis.ended) == (expected.tokens, expected.ended)
        assert hypothesis.log_prob == pytest.approx(expected.log_prob, abs=1e-2)


@pytest.mark.parametrize("penalty", PENALTIES)
def test_a_beam_of_one_takes_the_likeliest_token_each_time(penalty: float) -> None:
    decoder = ScriptedDecoder(12, end_bonus=1.0)
    for script in SCRIPTS:
        found = decoder.search(script, BeamSearch(1, 6, penalty, end=Tokenizer.end_id))
        said = [*found.tokens, Tokenizer.end_id][: found.steps]
        for place, token in enumerate(said):
            logits = decoder.following(script, (Tokenizer.start_id, *said[:place])).clone()
            logits[SILENT] = -torch.inf
            assert token == int(logits.argmax())
        assert found.log_prob == pytest.approx(decoder.log_prob(script, said), abs=1e-4)


@pytest.mark.parametrize("penalty", PENALTIES)
def test_a_huge_beam_finds_the_best_of_all(penalty: float) -> None:
    limit, decoder = 4, ScriptedDecoder(8)
    winners = []
    for script in SCRIPTS:
        endings = [
            Hypothesis(tokens, decoder.log_prob(script, [*tokens, Tokenizer.end_id]))
            for tokens in decoder.every_ending(limit)
        ]
        assert len(endings) == 1 + 4 + 16 + 64
        winners.append(max(endings, key=lambda ending: score(ending, penalty)))
    found = [
        decoder.search(script, BeamSearch(HUGE, limit, penalty, end=Tokenizer.end_id))
        for script in SCRIPTS
    ]
    assert [h.tokens for h in found] == [h.tokens for h in winners]
    assert [h.log_prob for h in found] == pytest.approx([h.log_prob for h in winners], abs=1e-4)
    assert len({h.steps for h in winners}) > 1 or penalty == 0.0


@pytest.mark.parametrize("positions", ["rotary", "sinusoidal"])
def test_the_decoders_huge_beam_finds_the_best_of_all(positions: Positions) -> None:
    """The same with a Transformer, its cache and its reordered beams."""
    torch.manual_seed(1)
    config = TransformerConfig(
        vocab_size=7, d_model=16, n_heads=2, decoder_layers=2, ffn_dim=32, positions=positions
    )
    decoder = Decoder(config).eval().requires_grad_(False)
    limit, words = 4, range(Tokenizer.unknown_id + 1, 7)
    for name, weight in decoder.named_parameters():
        weight.mul_(1.0 if "norm" in name else 3.0)
    encoder_outs = [3 * torch.randn(frames, 16) for frames in (9, 5, 40)]
    searches = [BeamSearch(64, limit, end=Tokenizer.end_id) for _ in encoder_outs]
    found = [
        search.best() for search in decode_all(decoder, encoder_outs, searches, Tokenizer.special)
    ]
    for hypothesis, encoder_out in zip(found, encoder_outs, strict=True):
        endings = [
            Hypothesis(tokens, log_prob_of(decoder, encoder_out, (*tokens, Tokenizer.end_id)))
            for length in range(limit)
            for tokens in product(words, repeat=length)
        ]
        winner = max(endings, key=lambda ending: score(ending, 1.0))
        assert hypothesis.tokens == winner.tokens
        assert hypothesis.log_prob == pytest.approx(winner.log_prob, abs=1e-3)
    assert len({h.tokens for h in found}) > 1


def log_prob_of(decoder: Decoder, encoder_out: Tensor, tokens: tuple[int, ...]) -> float:
    fed = torch.tensor([[Tokenizer.start_id, *tokens[:-1]]])
    logits = decoder(fed, encoder_out[None], torch.tensor([len(encoder_out)]))[0]
    logits[:, SILENT] = -torch.inf
    said = logits.log_softmax(dim=-1)[torch.arange(len(tokens)), torch.tensor(tokens)]
    return float(said.sum())


def test_a_wider_beam_can_find_better() -> None:
    """And does, somewhere: else all of these tests would pass without any beam."""
    decoder = ScriptedDecoder(8)
    narrow, wide = (
        [
            decoder.search(script, BeamSearch(width, 4, 0.0, end=Tokenizer.end_id))
            for script in range(30)
        ]
        for width in (1, HUGE)
    )
    ended = [(n, w) for n, w in zip(narrow, wide, strict=True) if n.ended]
    assert all(w.log_prob >= n.log_prob - 1e-5 for n, w in ended)
    assert any(w.log_prob > n.log_prob + 0.1 for n, w in ended)


def test_the_models_beams_say_other_things_than_greedy() -> None:
    model = tiny_model()
    encoder_outs = model.encoder.encode(utterances(model.config))
    greedy, beam = (decoded(model, encoder_outs, DecodingOptions(beam_size=n)) for n in (1, 5))
    assert [h.tokens for h in greedy] != [h.tokens for h in beam]


def test_a_search_says_whom_it_extends() -> None:
    search = BeamSearch(2, 9, end=Tokenizer.end_id)
    assert search.extend(shown([(-1.0, 5), (-2.0, 6), (-3.0, 7)])) == [0, 0]
    assert [h.tokens for h in search.live] == [(5,), (6,)]
    assert search.extend(shown([(-5.0, 5), (-6.0, 6)], [(-0.5, 7), (-0.75, 8)])) == [1, 1]
    assert search.live == [
        Hypothesis((6, 7), -2.5, ended=False),
        Hypothesis((6, 8), -2.75, ended=False),
    ]
    assert search.extend(shown([(-0.25, Tokenizer.end_id), (-9.0, 5)], [(-1.0, 4)])) == [1]
    assert search.ended == [Hypothesis((6, 7), -2.75)]
    assert not search.done


def test_a_live_hypothesis_wins_only_where_none_ended() -> None:
    decoder = ScriptedDecoder(12, end_bonus=-50.0)
    found = decoder.search(0, BeamSearch(2, 3, end=Tokenizer.end_id))
    assert len(found.tokens) == 3
    assert not found.ended
    assert found.log_prob == pytest.approx(decoder.log_prob(0, found.tokens), abs=1e-4)
    search = BeamSearch(2, 1, end=Tokenizer.end_id)
    search.extend(shown([(-0.1, 5), (-9.0, Tokenizer.end_id)]))
    assert search.done
    assert search.best() == Hypothesis((), -9.0)


def test_a_search_is_done_when_as_many_ended_as_it_is_wide() -> None:
    decoder, search = ScriptedDecoder(12, end_bonus=50.0), BeamSearch(3, 9, end=Tokenizer.end_id)
    assert decoder.search(0, search).tokens == ()
    assert len(search.ended) == 3
    assert max(len(h.tokens) for h in search.ended) < 8


def test_a_greedy_search_is_done_at_its_end_or_limit() -> None:
    search = BeamSearch(1, 2, end=Tokenizer.end_id)
    search.extend(shown([(-1.0, 5)]))
    assert not search.done
    assert search.extend(shown([(-1.0, Tokenizer.end_id), (-2.0, 5)])) == []
    assert search.done
    assert search.best() == Hypothesis((5,), -2.0)
    search = BeamSearch(1, 1, end=Tokenizer.end_id)
    search.extend(shown([(-1.0, 5)]))
    assert search.done
    assert search.best() == Hypothesis((5,), -1.0, ended=False)


def test_what_cannot_be_said_is_no_candidate() -> None:
    search = BeamSearch(9, 5, end=Tokenizer.end_id)
    parents = search.extend(shown([(-1.0, 5), (-2.0, Tokenizer.end_id), (MINUS_INFINITY, 1)]))
    assert parents == [0]
    assert [h.tokens for h in search.live] == [(5,)]
    assert [h.tokens for h in search.ended] == [()]


def test_length_pays_with_the_penalty() -> None:
    short, long = Hypothesis((5,), -2.0), Hypothesis((5, 6, 7), -3.0)
    winners = {}
    for penalty in (0.0, 1.0):
        search = BeamSearch(2, 9, penalty, end=Tokenizer.end_id)
        search.ended = [short, long]
        winners[penalty] = search.best()
    assert winners == {0.0: short, 1.0: long}


@pytest.mark.parametrize(
    ("max_tokens", "frames", "limit"), [(None, 7, 7), (3, 7, 3), (9, 7, 7), (1, 1, 1)]
)
def test_nobody_says_more_tokens_than_encoder_frames(
    max_tokens: int | None, frames: int, limit: int
) -> None:
    options = DecodingOptions(beam_size=3, max_tokens=max_tokens, length_penalty=0.5)
    search = new_search(options, frames, end=Tokenizer.end_id)
    assert (search.width, search.limit, search.length_penalty) == (3, limit, 0.5)


def test_confidence_is_a_geometric_mean() -> None:
    assert Hypothesis((5,), -3.0).confidence == pytest.approx(0.2231, abs=1e-4)  # exp(-3 / 2)
    assert Hypothesis((5,), -3.0, ended=False).confidence == pytest.approx(0.0498, abs=1e-4)
    assert Hypothesis((), 0.0, ended=False).confidence == 1.0


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("beam_size", [1, 4])
@pytest.mark.parametrize(("positions", "conv_kernel"), ARCHITECTURES)
def test_cuda_says_what_the_cpu_says(
    positions: Positions, conv_kernel: int, beam_size: int
) -> None:
    model, options = tiny_model(positions, conv_kernel), DecodingOptions(beam_size=beam_size)
    xs = utterances(model.config)
    expected = decoded(model, model.encoder.encode(xs), options)
    device = SpeechTransformer(model.config).cuda().eval().requires_grad_(False)
    device.load_state_dict(model.state_dict())
    found = decoded(device, device.encoder.encode([x.cuda() for x in xs]), options)
    assert [h.tokens for h in found] == [h.tokens for h in expected]
