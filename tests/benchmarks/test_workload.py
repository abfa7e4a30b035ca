import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from auricle.config import SAMPLE_RATE
from auricle.recognizer import Recognizer
from auricle.segmentation.segmenter import Piece
from auricle.tokenizer import Tokenizer
from benchmarks.workload import (
    FULL,
    QUICK,
    SMOKE,
    VOCAB_SIZE,
    WHISPER_TINY,
    WINDOW_SECONDS,
    Workload,
    exactly,
    padded,
    talker,
    vocabulary,
)


def test_the_work_is_what_is_said_of_it() -> None:
    waveforms = FULL.samples()
    assert len(waveforms) == 64
    assert all(2 * SAMPLE_RATE <= len(each) <= 15 * SAMPLE_RATE for each in waveforms)
    assert FULL.seconds == sum(map(len, waveforms)) / SAMPLE_RATE
    assert 64 * 7 < FULL.seconds < 64 * 10  # 8.5 s on average


def test_the_work_is_the_same_each_time_and_another_for_each_seed() -> None:
    first, again = QUICK.samples(), QUICK.samples()
    assert all((a == b).all() for a, b in zip(first, again, strict=True))
    other = Workload(4, 0.3, 0.8, 4, seed=1).samples()
    assert [len(each) for each in other] != [len(each) for each in first]


def test_padded_work_is_the_same_with_silence_behind_it() -> None:
    for short, whole in zip(QUICK.samples(), padded(QUICK.samples()), strict=True):
        assert len(whole) == WINDOW_SECONDS * SAMPLE_RATE
        assert (whole[: len(short)] == short).all()
        assert not whole[len(short) :].any()


def test_the_model_has_the_shape_of_whisper_tiny() -> None:
    dims = WHISPER_TINY
    assert (dims.d_model, dims.n_heads, dims.ffn_dim, dims.vocab_size) == (384, 6, 1536, 51865)
    assert dims.encoder_len(3000) == 1500
    parameters = sum(each.numel() for each in talker(dims).model.decoder.parameters())
    assert 26e6 < parameters < 30e6  # of 39 M with encoder and learnt positions


def test_no_utterance_ends_before_its_limit() -> None:
    options = exactly(QUICK.tokens)
    with Recognizer.from_checkpoint(talker(SMOKE), device="cpu") as recognizer:
        pieces = [Piece(0.0, samples) for samples in QUICK.samples()]
        futures = [recognizer.submit(piece, options) for piece in pieces]
        answers = [future.result() for future in futures]
    assert [each.receipt.tokens for each in answers] == [QUICK.tokens] * len(pieces)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_end_is_the_least_likely_token_whatever_is_heard(dtype: torch.dtype) -> None:
    decoder = talker(SMOKE).model.decoder.to(dtype)
    heard = 100 * torch.randn(3, 5, SMOKE.d_model, dtype=dtype)
    tokens = torch.randint(4, VOCAB_SIZE, (3, 7))
    with torch.inference_mode():
        logits = decoder(tokens, heard, torch.tensor([5, 3, 1]))
    assert logits.isfinite().all()
    assert (logits.argmin(dim=-1) == Tokenizer.end_id).all()


@settings(max_examples=20)
@given(st.integers(8, 300), st.data())
def test_every_piece_of_the_vocabulary_is_a_word(size: int, data: st.DataObject) -> None:
    tokenizer = vocabulary(size)
    assert tokenizer.vocab_size == size
    token = data.draw(st.integers(4, size - 1))
    assert tokenizer.decode([token, token]) == f"w{token} w{token}"
    assert tokenizer.decode([0, 1, 2, 3]) == ""
