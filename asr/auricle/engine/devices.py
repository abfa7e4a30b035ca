"""Where the model runs and in which numbers."""

import copy

import torch

from auricle.model import SpeechTransformer
from auricle.model.gemv import can_use_gemv, use_gemv
from auricle.model.packed import can_pack, has_bfloat16_products, pack
from auricle.model.quantized import QuantizedLinear, is_quantized, quantize
from auricle.model.weight_only import WeightOnlyLinear
from auricle_types.errors import InvalidOptionError

DTYPES = {
    "float32": torch.float32,
    "bfloat16": torch.bfloat16,
    "float16": torch.float16,
    "int8": torch.int8,  # of the matrix products on a CPU, of the weights alone elsewhere
}


def resolve_device(name: str) -> torch.device:
    """`cpu`, `cuda`, `cuda:N`, or `auto`: CUDA where there is one. Raises InvalidOptionError."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise InvalidOptionError(f"device must be cpu, cuda or auto, not {name!r}") from error
    if device.type not in ("cpu", "cuda"):
        raise InvalidOptionError(f"device must be cpu, cuda or auto, not {name!r}")
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise InvalidOptionError(f"no device {name!r} here: use --device cpu or auto")
    if device.type == "cuda" and device.index is None:
        return torch.device("cuda", torch.cuda.current_device())  # which differs among threads
    return device


def resolve_dtype(name: str, device: torch.device) -> torch.dtype:
    """A name in `DTYPES`, or `auto`: bfloat16 where the device is faster with it, else float32."""
    if name == "auto":
        return torch.bfloat16 if device.type != "cpu" or has_fast_bfloat16() else torch.float32
    if name not in DTYPES:
        raise InvalidOptionError(f"dtype must be auto, {', '.join(DTYPES)}, not {name!r}")
    return DTYPES[name]


def loaded(dtype: torch.dtype) -> torch.dtype:
    """In what a model that is to run in `dtype` is loaded: integers are made from float32."""
    return torch.float32 if dtype == torch.int8 else dtype


def activations(dtype: torch.dtype, device: torch.device) -> torch.dtype:
    """What is between the matrix products of a model in `dtype`."""
    if dtype == torch.int8 and device.type != "cpu":
        return torch.bfloat16
    return loaded(dtype)


def has_fast_bfloat16() -> bool:
    """Whether this processor multiplies bfloat16 matrices faster than float32.

    To have AVX512-BF16 is not enough: AMD's Zen 4 then takes half the time (EPYC 9004), an Intel
    processor without AMX twice the time (both measured with torch 2.11).
    """
    if not has_bfloat16_products():
        return False
    from llvmlite.binding import get_host_cpu_name  # late: it imports for long

    has_amx: bool = torch.cpu._is_amx_tile_supported()  # noqa: SLF001  # nothing public says
    return has_amx or get_host_cpu_name().startswith("znver")


def prepare(
    model: SpeechTransformer, device: torch.device, dtype: torch.dtype
) -> SpeechTransformer:
    """A model that is ready to run, for inference only.

    `model` itself in eval mode where that will do, so that several runners share its weights;
    otherwise a copy, and the caller's stays as it is.
    """
    if _is_ready(model, device, dtype):
        return model.eval()
    return convert(copy.deepcopy(model), device, dtype)


def convert(
    model: SpeechTransformer, device: torch.device, dtype: torch.dtype
) -> SpeechTransformer:
    """`model` itself, made ready to run; no more than a layer is in memory twice on the way."""
    model.eval().requires_grad_(False)
    if dtype == torch.int8 and not is_quantized(model):
        model.to(device=device, dtype=loaded(dtype))
        if can_use_gemv(model):
            use_gemv(model, integers=True)
        quantize(model, QuantizedLinear if device.type == "cpu" else WeightOnlyLinear)
    model.to(device=device, dtype=activations(dtype, device))
    if can_pack(model):
        pack(model)
    if can_use_gemv(model):
        use_gemv(model, integers=False)
    return model


def _is_ready(model: SpeechTransformer, device: torch.device, dtype: torch.dtype) -> bool:
    weight = model.decoder.embedding.weight
    is_there = weight.device.type == device.type and device.index in (None, weight.device.index)
    to_quantize = dtype == torch.int8 and not is_quantized(model)
    numbers = activations(dtype, device)
    to_replace = can_pack(model) or can_use_gemv(model) or to_quantize
    return is_there and weight.dtype == numbers and not to_replace
