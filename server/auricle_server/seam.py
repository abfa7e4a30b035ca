"""What the server needs of a recogniser: the seam where tests put a fake one."""

from collections.abc import Iterator
from concurrent.futures import Future
from typing import Protocol

import numpy as np
import numpy.typing as npt

from auricle.audio import Audio
from auricle.config import ModelConfig
from auricle.engine.invariance import Checks
from auricle.engine.statistics import Statistics
from auricle.segmentation.segmenter import Piece
from auricle.transcript import Recognition
from auricle_types.options import DecodingOptions


class Segmenter(Protocol):
    """Cuts a stream of samples into pieces that the model can take."""

    def feed(self, samples: npt.NDArray[np.float32]) -> list[Piece]:
        """Takes samples `(S,)`; gives the pieces that are complete now."""
        ...

    def flush(self) -> list[Piece]:
        """Gives what is left at the end of the stream."""
        ...


class Recognizer(Protocol):
    """The part of `auricle.recognizer.Recognizer` that answers requests."""

    @property
    def model_id(self) -> str:
        """Identifies the weights."""
        ...

    @property
    def config(self) -> ModelConfig:
        """The model's description of itself."""
        ...

    @property
    def device(self) -> str:
        """Where the model runs."""
        ...

    @property
    def dtype(self) -> str:
        """The numbers it computes with."""
        ...

    def segmenter(self) -> Segmenter:
        """A cutter for one stream."""
        ...

    def cut(self, audio: Audio) -> Iterator[Piece]:
        """Cuts a whole audio; `next` blocks."""
        ...

    def statistics(self) -> Statistics:
        """What the engine has done so far, and does now. Called from any thread."""
        ...

    def checks(self) -> Checks | None:
        """What comparing with decoding alone found; None where nobody asked for it."""
        ...

    def submit(
        self, piece: Piece, options: DecodingOptions, *, deadline: float | None = None
    ) -> Future[Recognition]:
        """Queues one piece; never blocks. `deadline` is a `time.monotonic()`.

        Raises QueueFullError and EngineStoppedError at once; cancelling the future drops the work.
        """
        ...
