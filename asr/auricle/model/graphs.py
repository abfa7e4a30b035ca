"""Decoder steps recorded once and replayed: on a GPU, launching kernels costs more than they do.

`GraphedStep` decides what is recorded and moves the inputs; how to record is somebody else's
(`CudaRecorder`, or a stand-in in the tests).
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from auricle.model.slotted import SlottedView

Step = Callable[[Tensor, SlottedView], Tensor]
Recorder = Callable[[Callable[[], Tensor]], Callable[[], Tensor]]

logger = logging.getLogger(__name__)

_WARM_UPS = 3  # runs before recording, in which libraries choose their kernels


@dataclass(frozen=True, slots=True)
class _Recording:
    """A step and the tensors from which it reads its inputs."""

    tokens: Tensor
    view: SlottedView
    replay: Callable[[], Tensor]

    def __call__(self, tokens: Tensor, view: SlottedView) -> Tensor:
        self.tokens.copy_(tokens)
        self.view.positions.copy_(view.positions)
        self.view.cross_lens.copy_(view.cross_lens)
        return self.replay()


class GraphedStep:
    """A decoder step that is recorded at the first sight of each shape, and replayed from then on.

    The result lives until the next call.
    """

    def __init__(self, step: Step, record: Recorder) -> None:
        self._step = step
        self._record = record
        self._recordings: dict[tuple[int, int, int], _Recording] = {}

    def __call__(self, tokens: Tensor, view: SlottedView) -> Tensor:
        """`tokens (B,)` -> what the step returns."""
        if view.shape not in self._recordings:
            self._recordings[view.shape] = self._recorded(tokens, view)
        return self._recordings[view.shape](tokens, view)

    def _recorded(self, tokens: Tensor, view: SlottedView) -> _Recording:
        tokens = tokens.clone()
        view = replace(view, positions=view.positions.clone(), cross_lens=view.cross_lens.clone())
        return _Recording(tokens, view, self._record(lambda: self._step(tokens, view)))


class CudaRecorder:
    """Records CUDA graphs on one device. They share their memory: only the last result is alive.

    A process may record one graph at a time, whatever the thread.
    """

    _one_at_a_time = threading.Lock()

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._pool = torch.cuda.graph_pool_handle()

    def __call__(self, run: Callable[[], Tensor]) -> Callable[[], Tensor]:
        """Record `run`, after runs that do no harm: a step repeats itself.

        Where it cannot be recorded, it runs as it is from then on, and the log says why.
        """
        try:
            with self._one_at_a_time, torch.cuda.device(self._device):
                return self._recorded(run)
        except RuntimeError as error:
            logger.warning("a decoder step could not be recorded and runs as it is: %s", error)
            return run

    def _recorded(self, run: Callable[[], Tensor]) -> Callable[[], Tensor]:
        stream, graph = torch.cuda.Stream(self._device), torch.cuda.CUDAGraph()
        stream.wait_stream(torch.cuda.current_stream(self._device))
        with torch.cuda.stream(stream):
            for _ in range(_WARM_UPS):
                run()
        torch.cuda.current_stream(self._device).wait_stream(stream)
        with torch.cuda.graph(
            graph,
            pool=self._pool,
            stream=stream,
            capture_error_mode="thread_local",  # others may use the device
        ):
            out = run()

        def replay() -> Tensor:
            with torch.cuda.device(self._device):
                graph.replay()
            return out

        return replay
