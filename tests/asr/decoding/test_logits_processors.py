import math

import pytest
import torch

from auricle.decoding.logits_processors import token_log_probs
from auricle.tokenizer import Tokenizer


def test_only_text_and_end_can_be_said() -> None:
    log_probs = token_log_probs(torch.zeros(2, 7), Tokenizer.special.suppressed)
    assert Tokenizer.special.suppressed == (0, 1, 3)
    assert log_probs[:, Tokenizer.special.suppressed].eq(-math.inf).all()
    assert log_probs[0, [2, 4, 5, 6]].exp().tolist() == pytest.approx([0.25] * 4)
    assert math.isfinite(float(log_probs[0, Tokenizer.end_id]))


def test_what_may_be_said_keeps_its_proportions() -> None:
    log_probs = token_log_probs(
        torch.tensor([[9.0, 9.0, 1.0, 9.0, 3.0, 2.0]]), Tokenizer.special.suppressed
    )
    assert log_probs[0, 4] - log_probs[0, 5] == pytest.approx(1.0)
    assert log_probs[0, 4] - log_probs[0, 2] == pytest.approx(2.0)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_always_float32_and_never_in_place(dtype: torch.dtype) -> None:
    logits = torch.zeros(1, 6, dtype=dtype)
    assert token_log_probs(logits, Tokenizer.special.suppressed).dtype == torch.float32
    assert not logits.any()
