"""In which numbers, and by which kernels, a step is computed."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel

from auricle.engine.devices import has_fast_bfloat16

_FUSED = [SDPBackend.FLASH_ATTENTION, SDPBackend.EFFICIENT_ATTENTION, SDPBackend.MATH]


@contextmanager
def arithmetic(device: torch.device) -> Iterator[None]:
    """bfloat16 autocast where the device is faster with it, else float32.

    On a CPU, attention in bfloat16 trains faster by plain products than fused; in float32 it is the
    other way round.
    """
    on_cpu = device.type == "cpu"
    half = not on_cpu or has_fast_bfloat16()
    kernels = [SDPBackend.MATH] if on_cpu and half else _FUSED
    with torch.autocast(device.type, torch.bfloat16, enabled=half), sdpa_kernel(kernels):
        yield


@contextmanager
def no_denormals() -> Iterator[None]:
    """Numbers too small to be normal count as zero.

    The gradients of sharp attention are full of them, and a processor takes up to twenty times as
    long for each.
    """
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(False)
