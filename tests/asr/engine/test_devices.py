"""Where the model runs and in which numbers: names to devices, and models made ready."""

import copy
import weakref

import pytest
import torch
from torch import nn

from auricle.engine import devices
from auricle.engine.devices import convert, prepare, resolve_device, resolve_dtype
from auricle.model import SpeechTransformer
from auricle.model.packed import PackedLinear, has_bfloat16_products
from auricle.model.quantized import QuantizedLinear, is_quantized
from auricle.model.weight_only import WeightOnlyLinear
from auricle_types.errors import InvalidOptionError
from tests.asr.tiny import DTYPES, tiny_model

CPU = torch.device("cpu")
needs_bfloat16 = pytest.mark.skipif(
    not has_bfloat16_products(), reason="this processor has no bfloat16 products"
)


def test_auto_is_the_best_device_there_is() -> None:
    assert resolve_device("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")
    assert resolve_device("cpu") == CPU


@pytest.mark.parametrize(("fast", "dtype"), [(True, torch.bfloat16), (False, torch.float32)])
def test_auto_is_bfloat16_where_a_processor_has_it(
    monkeypatch: pytest.MonkeyPatch, fast: bool, dtype: torch.dtype
) -> None:
    monkeypatch.setattr("auricle.engine.devices.has_fast_bfloat16", lambda: fast)
    assert resolve_dtype("auto", CPU) == dtype
    assert resolve_dtype("auto", torch.device("cuda")) == torch.bfloat16


@pytest.mark.parametrize(
    ("instructions", "amx", "processor", "fast"),
    [
        (True, False, "znver4", True),
        (True, False, "znver5", True),
        (True, True, "sapphirerapids", True),
        (True, False, "sapphirerapids", False),
        (False, False, "znver3", False),
    ],
)
def test_the_instructions_alone_do_not_make_bfloat16_fast(
    monkeypatch: pytest.MonkeyPatch, instructions: bool, amx: bool, processor: str, fast: bool
) -> None:
    monkeypatch.setattr(devices, "has_bfloat16_products", lambda: instructions)
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: amx)
    monkeypatch.setattr("llvmlite.binding.get_host_cpu_name", lambda: processor)
    assert devices.has_fast_bfloat16() is fast


@pytest.mark.parametrize("device", ["cpu", "cuda"])
@pytest.mark.parametrize("name", ["float32", "bfloat16", "float16"])
def test_a_dtype_that_is_named_is_that_one(name: str, device: str) -> None:
    assert resolve_dtype(name, torch.device(device)) == getattr(torch, name)


def test_int8_has_float32_between_on_cpus_and_bfloat16_elsewhere() -> None:
    cuda = torch.device("cuda")
    assert resolve_dtype("int8", CPU) == resolve_dtype("int8", cuda) == torch.int8
    assert devices.activations(torch.int8, CPU) == torch.float32
    assert devices.activations(torch.int8, cuda) == torch.bfloat16
    assert devices.activations(torch.bfloat16, CPU) == torch.bfloat16
    assert devices.loaded(torch.int8) == torch.float32


def test_a_quantised_model_is_a_copy_that_runners_share() -> None:
    model = fresh_model()
    ready = prepare(model, CPU, torch.int8)
    assert is_quantized(ready)
    assert not is_quantized(model)
    assert prepare(ready, CPU, torch.int8) is ready


@pytest.mark.parametrize("name", ["tpu", "", "cpu:x", "meta", "mps"])
def test_other_devices_are_refused(name: str) -> None:
    with pytest.raises(InvalidOptionError, match="device must be cpu, cuda or auto"):
        resolve_device(name)


@pytest.mark.parametrize(("devices", "name"), [(0, "cuda"), (0, "cuda:0"), (2, "cuda:2")])
def test_devices_that_are_not_there_are_refused(
    monkeypatch: pytest.MonkeyPatch, devices: int, name: str
) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: devices)
    with pytest.raises(InvalidOptionError, match="use --device cpu or auto"):
        resolve_device(name)


def test_other_dtypes_are_refused() -> None:
    with pytest.raises(InvalidOptionError, match="float32, bfloat16, float16, int8"):
        resolve_dtype("int4", CPU)


def fresh_model() -> SpeechTransformer:
    """As it comes from a checkpoint or from training."""
    return copy.deepcopy(tiny_model()).train().requires_grad_(True)


@pytest.mark.parametrize("dtype", [*DTYPES, torch.float16])
def test_a_ready_model_is_for_inference_only(dtype: torch.dtype) -> None:
    ready = prepare(fresh_model(), CPU, dtype)
    assert ready.decoder.embedding.weight.dtype == devices.loaded(dtype)
    assert not ready.training


@pytest.mark.parametrize("dtype", DTYPES)
def test_what_is_ready_is_shared(dtype: torch.dtype) -> None:
    """So that two engines have one copy of the weights."""
    ready = prepare(fresh_model(), CPU, dtype)
    assert prepare(ready, CPU, dtype) is ready


def test_the_callers_model_stays_as_it_is() -> None:
    model = fresh_model()
    before = {name: weight.clone() for name, weight in model.state_dict().items()}
    kinds = [type(module) for module in model.modules()]
    assert prepare(model, CPU, torch.bfloat16) is not model
    assert [type(module) for module in model.modules()] == kinds
    assert model.training
    assert all(weight.requires_grad for weight in model.parameters())
    for name, weight in model.state_dict().items():
        assert torch.equal(weight, before[name])


def test_a_model_that_nobody_else_has_is_converted_itself() -> None:
    model = fresh_model()
    assert convert(model, CPU, torch.int8) is model
    assert is_quantized(model)
    assert not model.training
    assert prepare(model, CPU, torch.int8) is model


@pytest.mark.parametrize(
    ("kind", "dtype"),
    [
        (QuantizedLinear, torch.int8),
        pytest.param(PackedLinear, torch.bfloat16, marks=needs_bfloat16),
    ],
)
def test_a_layer_goes_when_the_other_has_come(
    monkeypatch: pytest.MonkeyPatch, kind: type[nn.Module], dtype: torch.dtype
) -> None:
    """So that a large model is never twice in memory."""
    model = fresh_model().to(devices.loaded(dtype))
    plain = [weakref.ref(each) for each in model.modules() if isinstance(each, nn.Linear)]
    left: list[int] = []
    create = kind.__init__

    def counted(self: nn.Module, *args: object, **options: object) -> None:
        left.append(sum(layer() is not None for layer in plain))
        create(self, *args, **options)

    monkeypatch.setattr(kind, "__init__", counted)
    convert(model, CPU, dtype)
    spare = 3  # of the block at work
    assert len(left) > len(plain) - spare
    assert all(count <= len(plain) - number + spare for number, count in enumerate(left))


@pytest.mark.parametrize("dtype", [*DTYPES, torch.float16])
def test_halves_are_packed_where_that_pays(dtype: torch.dtype) -> None:
    ready = prepare(fresh_model(), CPU, dtype)
    pays = dtype == torch.bfloat16 and has_bfloat16_products()
    assert isinstance(ready.ctc, PackedLinear if pays else nn.Linear)
    assert isinstance(ready.decoder.output, PackedLinear) is pays


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_what_is_ready_on_a_gpu_is_shared() -> None:
    """Also where the device was named without its number."""
    ready = prepare(fresh_model(), torch.device("cuda"), torch.bfloat16)
    for name in ("cuda", "cuda:0"):
        assert prepare(ready, torch.device(name), torch.bfloat16) is ready


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_on_a_gpu_the_weights_alone_are_int8() -> None:
    ready = prepare(fresh_model(), torch.device("cuda"), torch.int8)
    assert isinstance(ready.decoder.output, WeightOnlyLinear)
    assert ready.decoder.embedding.weight.dtype == torch.bfloat16
    assert prepare(ready, torch.device("cuda"), torch.int8) is ready
