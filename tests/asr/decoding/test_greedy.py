"""Greedy search against a loop that has no batch, no cache and no mask."""

import copy

import pytest
import torch
from torch import Tensor

from auricle.decoding import Hypothesis, greedy_search
from auricle.model import SpeechTransformer
from auricle.tokenizer import Tokenizer
from tests.asr.decoding.scripted import ScriptedDecoder, scripts
from tests.asr.tiny import ARCHITECTURES, SECONDS, Positions, features, padded, tiny_model

ROWS = tuple(range(12))


def naive_greedy(model: SpeechTransformer, encoder_out: Tensor, limit: int) -> tuple[int, ...]:
    """One row, `encoder_out (N, D)`: the whole decoder again for every token."""
    tokens = [Tokenizer.start_id]
    length = torch.tensor([len(encoder_out)])
    for _ in range(limit):
        logits = model.decoder(torch.tensor([tokens]), encoder_out[None], length)[0, -1]
        logits[[Tokenizer.blank_id, Tokenizer.start_id, Tokenizer.unknown_id]] = -torch.inf
        tokens.append(int(logits.argmax()))
        if tokens[-1] == Tokenizer.end_id:
            return tuple(tokens[1:-1])
    return tuple(tokens[1:])


@pytest.mark.parametrize("garbage", [1e9, float("nan")])
@pytest.mark.parametrize(("positions", "conv_kernel"), ARCHITECTURES)
def test_a_padded_batch_is_the_naive_loop_alone(
    positions: Positions, conv_kernel: int, garbage: float
) -> None:
    model = tiny_model(positions, conv_kernel)
    x, x_lens = features(model.config)
    rows = [row[:length] for row, length in zip(x, x_lens.tolist(), strict=True)]
    encoder_out, lens = model.encoder(*padded(rows, garbage))
    together = greedy_search(model.decoder, encoder_out, lens, lens)
    expected = []
    for row in rows:
        alone, length = model.encoder(row[None], torch.tensor([len(row)]))
        expected.append(naive_greedy(model, alone[0], int(length)))
    assert [hypothesis.tokens for hypothesis in together] == expected


def test_a_hypothesis_carries_its_probability() -> None:
    decoder = ScriptedDecoder(12, end_bonus=0.5)
    limits = torch.full((len(ROWS),), 6)
    found = greedy_search(decoder.decoder, *scripts(*ROWS), limits)
    assert {hypothesis.ended for hypothesis in found} == {True, False}
    for script, hypothesis in zip(ROWS, found, strict=True):
        said = [*hypothesis.tokens, Tokenizer.end_id][: hypothesis.steps]
        assert hypothesis.log_prob == pytest.approx(decoder.log_prob(script, said), abs=1e-4)


def test_each_row_has_its_own_limit() -> None:
    decoder = ScriptedDecoder(12, end_bonus=-50.0)
    limits = torch.tensor([1, 4, 2])
    found = greedy_search(decoder.decoder, *scripts(0, 0, 0), limits)
    assert [len(hypothesis.tokens) for hypothesis in found] == [1, 4, 2]
    assert not any(hypothesis.ended for hypothesis in found)
    assert found[1].tokens[:2] == found[2].tokens
    assert len(decoder.rows) == 4


def test_end_ends_a_row_and_is_no_token() -> None:
    decoder = ScriptedDecoder(12, end_bonus=50.0)
    found = greedy_search(decoder.decoder, *scripts(0, 1), torch.tensor([5, 5]))
    assert [hypothesis.tokens for hypothesis in found] == [(), ()]
    assert all(hypothesis.ended and hypothesis.steps == 1 for hypothesis in found)
    assert len(decoder.rows) == 1  # nobody runs, nothing is computed


def test_a_row_that_ended_stays_as_it_is_while_others_run() -> None:
    decoder = ScriptedDecoder(12, end_bonus=1.0)
    limits = torch.full((len(ROWS),), 8)
    together = greedy_search(decoder.decoder, *scripts(*ROWS), limits)
    alone = [greedy_search(decoder.decoder, *scripts(row), limits[:1])[0] for row in ROWS]
    assert len({hypothesis.steps for hypothesis in together}) > 2
    assert together == alone


def test_confidence_is_a_geometric_mean() -> None:
    assert Hypothesis((5,), -3.0).confidence == pytest.approx(0.2231, abs=1e-4)  # exp(-3 / 2)
    assert Hypothesis((5,), -3.0, ended=False).confidence == pytest.approx(0.0498, abs=1e-4)
    assert Hypothesis((), 0.0, ended=False).confidence == 1.0


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize(("positions", "conv_kernel"), ARCHITECTURES)
def test_cuda_says_what_the_cpu_says(positions: Positions, conv_kernel: int) -> None:
    model = tiny_model(positions, conv_kernel)
    x, x_lens = features(model.config)
    encoder_out, lens = model.encoder(x, x_lens)
    expected = greedy_search(model.decoder, encoder_out, lens, lens)
    device = copy.deepcopy(model).cuda()
    memory, cuda_lens = device.encoder(x.cuda(), x_lens.cuda())
    found = greedy_search(device.decoder, memory, cuda_lens, cuda_lens)
    assert len(found) == len(SECONDS)
    assert [hypothesis.tokens for hypothesis in found] == [h.tokens for h in expected]
