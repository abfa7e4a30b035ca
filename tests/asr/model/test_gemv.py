"""Products of few rows: the plain product, each row alike in any company, and where they serve."""

import copy
import os
import threading

import pytest
import torch
from torch import nn

from auricle.model import SpeechTransformer
from auricle.model.gemv import GemvLinear, can_use_gemv, use_gemv
from auricle.model.integers import GROUP, Integers
from tests.asr.tiny import tiny_model

SHAPES = [(4, 64), (7, 96), (33, 128), (1001, 320)]  # outputs that fours do and do not divide


def weight(outputs: int, inputs: int) -> torch.Tensor:
    return torch.randn(outputs, inputs, generator=torch.Generator().manual_seed(inputs))


def rows(count: int, width: int) -> torch.Tensor:
    return torch.randn(count, width, generator=torch.Generator().manual_seed(count))


@pytest.fixture(params=[1, 2, 3])
def threads(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    count: int = request.param
    monkeypatch.setattr("auricle.model.gemv._ALONE", 0)
    monkeypatch.setattr(torch, "get_num_threads", lambda: count)
    return count


@pytest.mark.usefixtures("threads")
@pytest.mark.parametrize(("outputs", "inputs"), SHAPES)
@pytest.mark.parametrize("biased", [True, False])
def test_a_product_is_the_plain_one(outputs: int, inputs: int, *, biased: bool) -> None:
    plain, x = weight(outputs, inputs), rows(5, inputs)
    bias = rows(1, outputs)[0] if biased else None
    expected = x.double() @ plain.double().T + (0 if bias is None else bias)
    torch.testing.assert_close(GemvLinear(plain, bias)(x).double(), expected, atol=1e-4, rtol=1e-4)


@pytest.mark.usefixtures("threads")
@pytest.mark.parametrize(("outputs", "inputs"), SHAPES)
def test_a_product_with_integers_is_the_one_with_what_they_stand_for(
    outputs: int, inputs: int
) -> None:
    integers, x = Integers.of(weight(outputs, inputs)), rows(5, inputs)
    expected = x.double() @ integers.restored().double().T
    torch.testing.assert_close(GemvLinear(integers)(x).double(), expected, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("integers", [True, False])
def test_a_row_has_the_same_bits_in_any_company_on_any_threads(
    monkeypatch: pytest.MonkeyPatch, *, integers: bool
) -> None:
    plain = weight(1001, 320)
    layer = GemvLinear(Integers.of(plain) if integers else plain)
    x = rows(40, 320)
    expected = layer(x)
    for count in (1, 2, 3, 5):
        monkeypatch.setattr(torch, "get_num_threads", lambda count=count: count)
        for first, last in ((0, 1), (3, 4), (7, 24), (0, 40)):
            assert torch.equal(layer(x[first:last]), expected[first:last])


def test_what_is_not_a_number_stays_in_its_row() -> None:
    layer, x = GemvLinear(weight(33, 128)), rows(3, 128)
    clean = layer(x)
    x[1, 5] = torch.nan
    found = layer(x)
    assert found[1].isnan().all()
    assert torch.equal(found[[0, 2]], clean[[0, 2]])


def test_leading_dimensions_stay() -> None:
    layer, x = GemvLinear(weight(33, 128)), rows(6, 128)
    assert torch.equal(layer(x.view(2, 3, 128)), layer(x).view(2, 3, 33))
    assert layer(x[:0]).shape == (0, 33)


def test_integers_lose_half_a_step_at_most_and_nothing_the_second_time() -> None:
    plain = weight(33, 2 * GROUP)
    integers = Integers.of(plain)
    steps = integers.scales.repeat_interleave(GROUP, dim=1)
    assert ((integers.restored() - plain).abs() <= 0.5001 * steps).all()
    again = Integers.of(integers.restored())
    assert torch.equal(again.integers, integers.integers)
    torch.testing.assert_close(again.restored(), integers.restored(), rtol=1e-6, atol=0)


def large_model(*, made_of_integers: bool) -> SpeechTransformer:
    """A tiny model with a vocabulary for which it pays."""
    model = copy.deepcopy(tiny_model()).eval().requires_grad_(False)
    width = model.config.transformer.d_model
    vectors = model.decoder.vectors
    vectors.weight = nn.Parameter(weight(1_000_000 // width + 1, width), requires_grad=False)
    if made_of_integers:  # which the encoder's need not be
        for parameter in model.decoder.parameters():
            if parameter.dim() == 2:
                parameter.data = Integers.of(parameter.data).restored()
    return model


def linear_layers(model: SpeechTransformer) -> set[str]:
    return {
        name.rsplit(".", 1)[-1]
        for name, layer in model.decoder.named_modules()
        if isinstance(layer, nn.Linear)
    }


def test_a_model_of_floats_computes_its_vocabulary_so() -> None:
    model = large_model(made_of_integers=False)
    assert can_use_gemv(model)
    assert not can_use_gemv(tiny_model())
    before = linear_layers(model)
    use_gemv(model, integers=False)
    assert not can_use_gemv(model)
    assert not model.decoder.is_coarse
    assert linear_layers(model) == before


def test_a_model_of_integers_computes_all_but_the_encoders_keys_and_values_so() -> None:
    model = large_model(made_of_integers=True)
    x = rows(3, model.config.transformer.d_model)
    expected = model.decoder.logits(x)
    use_gemv(model, integers=False)
    assert linear_layers(model) == {"key_value"}
    assert not model.decoder.is_coarse
    torch.testing.assert_close(model.decoder.logits(x), expected, atol=1e-4, rtol=1e-4)


def test_a_model_of_floats_becomes_one_of_integers_where_that_is_asked_for() -> None:
    model = large_model(made_of_integers=False)
    use_gemv(model, integers=True)
    assert linear_layers(model) == {"key_value"}
    assert model.decoder.is_coarse


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
@pytest.mark.usefixtures("threads")
def test_a_fork_starts_threads_of_its_own() -> None:
    layer, x = GemvLinear(weight(33, 128)), rows(3, 128)
    layer(x)
    child = os.fork()
    if child == 0:
        worker = threading.Thread(target=layer, args=(x,), daemon=True)
        worker.start()
        worker.join(60)
        os._exit(worker.is_alive())
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
