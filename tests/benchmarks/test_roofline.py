import copy

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from auricle.config import SAMPLE_RATE, TransformerConfig
from benchmarks.roofline import Roofline, encoder_flops, product_flops
from benchmarks.workload import QUICK, SMOKE, WHISPER_TINY, talker


def test_the_formula_for_whisper_tiny_by_hand() -> None:
    stem = 3000 * 3 * 80 * 384 + 1500 * 3 * 384 * 384
    layer = 1500 * (4 * 384**2 + 2 * 384 * 1536) + 2 * 1500**2 * 384
    assert encoder_flops(3000, 80, WHISPER_TINY) == 2 * (stem + 4 * layer)


@pytest.mark.parametrize("frames", [64, 100, 201])
def test_the_formula_is_what_one_utterance_computes(frames: int) -> None:
    """As in training: what fills up blocks of rows in inference is not counted by the formula."""
    encoder = copy.deepcopy(talker(SMOKE).model.encoder).requires_grad_()
    plain = sdpa_kernel(SDPBackend.MATH)  # the counter does not see into the fused kernel
    with plain, FlopCounterMode(display=False) as counter:
        encoder(torch.randn(1, frames, 80), torch.tensor([frames]))
    assert counter.get_total_flops() == encoder_flops(frames, 80, SMOKE)


@given(st.integers(1, 3000), st.integers(1, 3000))
def test_operations_grow_with_length(short: int, more: int) -> None:
    dims = TransformerConfig()
    assert encoder_flops(short, 80, dims) < encoder_flops(short + 4 * more, 80, dims)


def test_a_product_takes_time() -> None:
    assert 0 < product_flops(torch.float32, 32, repeats=2) < 1e16


def test_the_fraction_is_one_over_the_other() -> None:
    roofline = Roofline.over(talker(SMOKE).model, QUICK.samples(), torch.float32, size=32)
    found = roofline.measure(rounds=1)
    ratio = found["encoder_gflops"] / found["bf16_product_gflops"]
    assert found["encoder_roofline_fraction"] == pytest.approx(ratio, rel=0.2, abs=0.01)
    assert found["product_size"] == 32


def test_strips_keep_to_the_budget_and_lose_nothing() -> None:
    seconds = (14.0, 14.0, 14.0, 29.0, 1.0, 1.0)
    waveforms = [np.zeros(round(s * SAMPLE_RATE), np.float32) for s in seconds]
    roofline = Roofline.over(talker(SMOKE).model, waveforms, torch.float32, size=32)
    lengths = [[round(len(x) / 100) for x in strip] for strip in roofline.strips]
    assert [each for strip in lengths for each in strip] == [14, 14, 14, 29, 1, 1]
    assert len(lengths) > 1
