"""Voice activity: how probable it is that somebody speaks, frame by frame, by Silero VAD."""

import copy
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Protocol, TypeAlias

import torch

from auricle.audio import Samples
from auricle.config import SAMPLE_RATE

FRAME_SAMPLES = 512  # 32 ms; the one frame length of Silero VAD at 16 kHz

Vad: TypeAlias = Callable[[Samples], float]
"""One frame `(FRAME_SAMPLES,)` to the probability of speech, 0 to 1. Remembers earlier frames."""

_LOADING = threading.Lock()


def silero_vad() -> Vad:
    """A detector for one stream. All share one ONNX session; each has its own recurrent state."""
    with _LOADING:
        model = copy.copy(_shared_model())
    model.reset_states()
    return lambda frame: float(model(torch.from_numpy(frame), SAMPLE_RATE).item())


class _Model(Protocol):
    def __call__(self, frame: torch.Tensor, sample_rate: int) -> torch.Tensor: ...
    def reset_states(self) -> None: ...


@cache
def _shared_model() -> _Model:
    with _torch_threads_kept():
        from silero_vad import load_silero_vad

        model: _Model = load_silero_vad(onnx=True)
    return model


@contextmanager
def _torch_threads_kept() -> Iterator[None]:
    """Importing silero_vad sets torch to one thread, for the whole process."""
    threads = torch.get_num_threads()
    try:
        yield
    finally:
        torch.set_num_threads(threads)
