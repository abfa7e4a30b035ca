"""A step is computed in the numbers that its device is fast at."""

import pytest
import torch

from auricle.training import arithmetic
from tests.asr.tiny import features, tiny_model

TOKENS = torch.ones(6, 2, dtype=torch.long)


@pytest.mark.parametrize(("fast", "dtype"), [(True, torch.bfloat16), (False, torch.float32)])
def test_a_processor_that_is_slow_at_bfloat16_keeps_float32(
    monkeypatch: pytest.MonkeyPatch, fast: bool, dtype: torch.dtype
) -> None:
    monkeypatch.setattr(arithmetic, "has_fast_bfloat16", lambda: fast)
    model = tiny_model()
    with arithmetic.arithmetic(torch.device("cpu")):
        assert model(*features(model.config), TOKENS)[0].dtype == dtype
    assert model(*features(model.config), TOKENS)[0].dtype == torch.float32


def test_numbers_too_small_to_be_normal_are_zero_for_a_while() -> None:
    small = torch.tensor([1e-30])
    with arithmetic.no_denormals():
        assert float(small * 1e-9) == 0
    assert float(small * 1e-9) > 0
    with pytest.raises(ValueError, match="a step fails"), arithmetic.no_denormals():
        raise ValueError("a step fails")
    assert float(small * 1e-9) > 0
