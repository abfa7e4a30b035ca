"""Decoder steps recorded once and replayed: on a GPU, launching kernels costs more than they do.

`GraphedStep` decides what is recorded and moves the inputs; how to record is somebody else's
(`cuda_recorder`, or a stand-in in the tests).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from auricle.model.slotted import SlottedView

Step = Callable[[Tensor, SlottedView], Tensor]
Recorder = Callable[[Callable[[], Tensor]], Callable[[], Tensor]]

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


def cuda_recorder(run: Callable[[], Tensor]) -> Callable[[], Tensor]:
    """Record `run` as a CUDA graph, after runs that do no harm: a step repeats itself."""
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(_WARM_UPS):
            run()
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph, capture_error_mode="thread_local"):  # others may use the device
        out = run()

    def replay() -> Tensor:
        graph.replay()
        return out

    return replay
