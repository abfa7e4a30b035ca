"""What may come next, above all where half precision cannot tell."""

import math
from collections import Counter

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from auricle.config import TransformerConfig
from auricle.decoding.logits_processors import token_log_probs
from auricle.decoding.next_tokens import NextTokens
from auricle.model import Decoder
from auricle.tokenizer import Tokenizer
from tests.asr.decoding.scripted import shown

WIDTH, VOCAB = 64, 600

SUPPRESSED = Tokenizer.special.suppressed


def random_decoder(
    dtype: torch.dtype = torch.float32, *, scale: float = 1.0, vocab_size: int = VOCAB
) -> Decoder:
    torch.manual_seed(vocab_size)
    config = TransformerConfig(
        vocab_size=vocab_size, d_model=WIDTH, n_heads=2, decoder_layers=1, ffn_dim=8
    )
    decoder = Decoder(config).requires_grad_(False)
    decoder.embedding.weight.mul_(scale)
    return decoder.to(dtype).eval()


def outs(rows: int, dtype: torch.dtype = torch.float32, seed: int = 0) -> Tensor:
    return torch.randn(rows, WIDTH, generator=torch.manual_seed(seed)).to(dtype)


def exact_log_probs(decoder: Decoder, out: Tensor) -> Tensor:
    """`(B, V)`: every token's logit in float32, not a few."""
    every = torch.arange(decoder.config.vocab_size).expand(len(out), -1)
    return token_log_probs(decoder.logits_of(out, every), Tokenizer.special.suppressed)


@settings(max_examples=15)
@given(st.integers(1, 12), st.integers(0, 1_000))
def test_the_likeliest_of_halves_is_that_of_float32(count: int, seed: int) -> None:
    """Where logits are wide, and where all crowd together."""
    for scale in (0.5, 4.0):
        decoder, out = random_decoder(torch.bfloat16, scale=scale), outs(32, torch.bfloat16, seed)
        exact = exact_log_probs(decoder, out)
        found = NextTokens(decoder, out, suppressed=Tokenizer.special.suppressed).likeliest(count)
        assert [row[0][1] for row in found] == exact.argmax(dim=-1).tolist()


def test_halves_alone_would_have_chosen_others() -> None:
    decoder, out = random_decoder(torch.bfloat16), outs(2_000, torch.bfloat16)
    coarse = token_log_probs(decoder.logits(out), Tokenizer.special.suppressed).argmax(dim=-1)
    exact = exact_log_probs(decoder, out).argmax(dim=-1)
    assert (coarse != exact).sum() > 5
    found = NextTokens(decoder, out, suppressed=Tokenizer.special.suppressed).likeliest(1)
    assert [row[0][1] for row in found] == exact.tolist()


def test_log_probs_of_halves_stand_as_far_apart_as_in_float32() -> None:
    """The sum over all tokens stays coarse, but it is one for a row: no choice depends on it."""
    decoder, out = random_decoder(torch.bfloat16, scale=4.0), outs(50, torch.bfloat16)
    exact, coarse = (
        exact_log_probs(decoder, out),
        token_log_probs(decoder.logits(out), Tokenizer.special.suppressed),
    )
    misplaced = 0.0
    for row, candidates in enumerate(
        NextTokens(decoder, out, suppressed=Tokenizer.special.suppressed).likeliest(3)
    ):
        best, first, _ = candidates[0]
        assert best == pytest.approx(float(exact[row, first]), abs=0.1)
        for log_prob, token, _ in candidates:
            apart = float(exact[row, token] - exact[row, first])
            assert log_prob - best == pytest.approx(apart, abs=1e-4)
            misplaced = max(misplaced, abs(float(coarse[row, token] - coarse[row, first]) - apart))
    assert misplaced > 0.05


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@given(count=st.integers(1, 20), vocab_size=st.integers(5, 20))
def test_as_many_as_are_asked_for_the_likeliest_first(
    dtype: torch.dtype, count: int, vocab_size: int
) -> None:
    decoder = random_decoder(dtype, vocab_size=vocab_size)
    for row in NextTokens(
        decoder, outs(3, dtype), suppressed=Tokenizer.special.suppressed
    ).likeliest(count):
        assert min(count, vocab_size) <= len(row) <= vocab_size
        assert len({token for _, token, _ in row}) == len(row)
        log_probs = [log_prob for log_prob, *_ in row]
        assert log_probs == sorted(log_probs, reverse=True)
        assert {token for log_prob, token, _ in row if log_prob == -math.inf} <= set(SUPPRESSED)
        assert {token for log_prob, token, _ in row if token in SUPPRESSED} <= {
            token for log_prob, token, _ in row if log_prob == -math.inf
        }


def test_in_float32_the_list_is_exact() -> None:
    decoder, out = random_decoder(), outs(4)
    expected = token_log_probs(decoder.logits(out), Tokenizer.special.suppressed).sort(
        dim=-1, descending=True
    )
    for row, candidates in enumerate(
        NextTokens(decoder, out, suppressed=Tokenizer.special.suppressed).likeliest(9)
    ):
        log_probs, tokens = expected.values[row, :9].tolist(), expected.indices[row, :9].tolist()
        assert candidates == shown(zip(log_probs, tokens, strict=True))[0]


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_what_is_not_finite_shows_in_its_row_only(dtype: torch.dtype, value: float) -> None:
    decoder, out = random_decoder(dtype), outs(3, dtype)
    expected = NextTokens(decoder, out, suppressed=Tokenizer.special.suppressed).likeliest(2)
    out[1, 7] = value
    following = NextTokens(decoder, out, suppressed=Tokenizer.special.suppressed)
    found = following.likeliest(2)
    assert any(math.isnan(log_prob) for log_prob, *_ in found[1])
    assert [found[0], found[2]] == [expected[0], expected[2]]
    assert math.isnan(following.sample(1, 1.0, torch.Generator())[0])
    assert math.isfinite(following.sample(2, 1.0, torch.Generator())[0])


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@settings(max_examples=10)
@given(rows=st.integers(1, 40), row=st.floats(0, 1, exclude_max=True), count=st.integers(1, 9))
def test_the_rows_beside_it_change_no_choice(
    dtype: torch.dtype, rows: int, row: float, count: int
) -> None:
    """Given the same logits: those of a product of few rows may differ."""
    decoder, mine = random_decoder(dtype), int(row * rows)
    logits = decoder.logits(outs(40, dtype))
    out = outs(40, dtype)
    together, alone = (
        NextTokens(decoder, out[:rows], suppressed=Tokenizer.special.suppressed),
        NextTokens(decoder, out[mine : mine + 1], suppressed=Tokenizer.special.suppressed),
    )
    for each, its in ((together, logits[:rows]), (alone, logits[mine : mine + 1])):
        each._logits = its
        each.scores = each.log_probs = token_log_probs(its, Tokenizer.special.suppressed)
        each.bonuses = torch.zeros_like(its)
    assert together.likeliest(count)[mine] == alone.likeliest(count)[0]
    drawn = [
        each.sample(place, 1.0, torch.Generator().manual_seed(count))
        for each, place in ((together, mine), (alone, 0))
    ]
    assert drawn[0] == drawn[1]


# --- drawing -----------------------------------------------------------------------------------


def draws(temperature: float, count: int, dtype: torch.dtype = torch.float32) -> Counter[int]:
    following = NextTokens(
        random_decoder(dtype, vocab_size=12),
        outs(1, dtype),
        suppressed=Tokenizer.special.suppressed,
    )
    generator = torch.Generator().manual_seed(0)
    return Counter(following.sample(0, temperature, generator)[1] for _ in range(count))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_tokens_are_drawn_as_often_as_they_are_likely(
    dtype: torch.dtype, temperature: float
) -> None:
    """Pearson's chi-squared stays below its 99.9 % point for 8 degrees of freedom."""
    count = 3_000
    log_probs = NextTokens(
        random_decoder(dtype, vocab_size=12),
        outs(1, dtype),
        suppressed=Tokenizer.special.suppressed,
    ).log_probs[0]
    expected = count * (log_probs / temperature).softmax(dim=-1)
    found = draws(temperature, count, dtype)
    assert set(found).isdisjoint(SUPPRESSED)
    said = [token for token in range(12) if token not in SUPPRESSED]
    assert min(expected[said]) > 5
    chi_squared = sum((found[t] - float(expected[t])) ** 2 / float(expected[t]) for t in said)
    assert chi_squared < 26.1


def test_temperatures_differ() -> None:
    """So that the frequencies can tell them apart."""
    common = [draws(temperature, 1_000).most_common(1)[0][1] for temperature in (0.1, 1.0, 3.0)]
    assert common[0] > common[1] + 100 > common[2] + 150


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_drawn_token_has_the_models_own_log_probability(dtype: torch.dtype) -> None:
    """Not that of the temperature: confidences stay comparable."""
    following = NextTokens(
        random_decoder(dtype), outs(1, dtype), suppressed=Tokenizer.special.suppressed
    )
    generator = torch.Generator().manual_seed(3)
    for temperature in (0.2, 1.0, 5.0):
        log_prob, token, _ = following.sample(0, temperature, generator)
        assert log_prob == float(following.log_probs[0, token])


def test_near_zero_the_likeliest_is_drawn() -> None:
    following = NextTokens(random_decoder(), outs(20), suppressed=Tokenizer.special.suppressed)
    for row, candidates in enumerate(following.likeliest(1)):
        assert following.sample(row, 1e-4, torch.Generator()) == candidates[0]
