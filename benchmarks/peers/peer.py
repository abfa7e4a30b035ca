"""What all peers have in common: Whisper's 30 s of features a row, at the batch size that suits."""

import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from auricle.config import TransformerConfig
from benchmarks.rounds import Clock, MiscountError

Features = npt.NDArray[np.float32]  # (B, 80, 3000)
BATCH_SIZES = (1, 2, 4, 8, 16, 32)
PROMPT = (50258, 50259, 50359, 50363)  # start of transcript, English, transcribe, no timestamps
END = 50257
LEAST_TO_JUDGE = 8  # utterances that a batch size is judged by
GAIN = 0.97  # a batch size that takes more of the best time than this ends the search


class Generate(Protocol):
    """Decoding of a batch."""

    def __call__(self, features: Features, tokens: int) -> list[int]:
        """Decode `(B, 80, 3000)` and return how many tokens each row was given."""
        ...


class Peer:
    """A peer at its best batch size. Its features are given to it, which is its best case."""

    def __init__(
        self,
        name: str,
        generate: Generate,
        *,
        utterances: int,
        tokens: int,
        seconds_each: float,
        clock: Clock = time.perf_counter,
    ) -> None:
        """It recognises `utterances` a run, or a few more to fill its batches.

        Each stands for `seconds_each` of audio; what is in them does not matter to its time, since
        it computes 30 s for each.
        """
        self.name = name
        self._generate = generate
        self._utterances = utterances
        self._tokens = tokens
        self._seconds_each = seconds_each
        self._batch = 1
        self._clock = clock
        self._random = np.random.default_rng(0)
        self._features = self._noise(1)

    @property
    def audio_seconds(self) -> float:
        """Seconds of audio in one run."""
        return self._batches * self._batch * self._seconds_each

    def choose_batch(self, sizes: Sequence[int] = BATCH_SIZES) -> None:
        """Take the batch size with the least time an utterance; stop where more is worse."""
        self._check()  # does not count
        seconds: dict[int, float] = {}
        for size in sizes:
            seconds[size] = self._judge(size)
            if seconds[size] > min(seconds.values()) / GAIN:
                break
        self._use(min(seconds, key=seconds.__getitem__))

    def run(self) -> None:
        """Decode all, batch by batch."""
        for _ in range(self._batches):
            self._check()

    def facts(self) -> dict[str, Any]:
        """The batch size that was best."""
        count = self._batches * self._batch
        return {"batch_size": self._batch, "utterances": count, "features": "given"}

    @property
    def _batches(self) -> int:
        return -(-self._utterances // self._batch)

    def _use(self, size: int) -> None:
        self._batch, self._features = size, self._noise(size)

    def _noise(self, size: int) -> Features:
        return self._random.standard_normal((size, 80, 3000)).astype(np.float32)

    def _judge(self, size: int) -> float:
        """Seconds an utterance at this batch size."""
        self._use(size)
        batches = -(-min(LEAST_TO_JUDGE, self._utterances) // size)
        start = self._clock()
        for _ in range(batches):
            self._check()
        return (self._clock() - start) / (batches * size)

    def _check(self) -> None:
        counts = self._generate(self._features, self._tokens)
        MiscountError.check(self.name, counts, self._tokens)


Loader = Callable[[TransformerConfig, int], Generate]  # of a random model, with so many threads
