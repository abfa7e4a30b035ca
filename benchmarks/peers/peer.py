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
    """Greedy decoding of a batch."""

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
        audio_seconds: float,
        clock: Clock = time.perf_counter,
    ) -> None:
        """It recognises `utterances` a run, which stand for `audio_seconds` of audio.

        What it does in them does not matter to its time: it computes 30 s for each.
        """
        self.name = name
        self.audio_seconds = audio_seconds
        self._generate = generate
        self._tokens = tokens
        random = np.random.default_rng(0)
        self._features = random.standard_normal((utterances, 80, 3000)).astype(np.float32)
        self._batch = 1
        self._clock = clock

    def choose_batch(self, sizes: Sequence[int] = BATCH_SIZES) -> None:
        """Take the batch size with the least time an utterance; stop where more is worse."""
        seconds: dict[int, float] = {}
        for size in sizes:
            seconds[size] = self._judge(size)
            if seconds[size] > min(seconds.values()) / GAIN:
                break
        self._batch = min(seconds, key=seconds.__getitem__)

    def run(self) -> None:
        """Decode all, batch by batch."""
        for start in range(0, len(self._features), self._batch):
            self._check(self._features[start : start + self._batch])

    def facts(self) -> dict[str, Any]:
        """The batch size that was best."""
        return {
            "batch_size": self._batch,
            "utterances": len(self._features),
            "features": "given",
        }

    def _judge(self, size: int) -> float:
        """Seconds an utterance at this batch size."""
        self._check(self._features[:size])  # does not count
        count = min(max(size, LEAST_TO_JUDGE), len(self._features))
        start = self._clock()
        for first in range(0, count, size):
            self._check(self._features[first : min(first + size, count)])
        return (self._clock() - start) / count

    def _check(self, features: Features) -> None:
        counts = self._generate(features, self._tokens)
        MiscountError.check(self.name, counts, self._tokens)


Loader = Callable[[TransformerConfig, int], Generate]  # of a random model, with so many threads
