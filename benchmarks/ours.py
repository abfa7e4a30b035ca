"""Auricle as a contestant: the recogniser as any program uses it, all utterances at once."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from auricle.audio import Audio
from auricle.checkpoint import Checkpoint
from auricle.recognizer import Recognizer
from auricle.segmentation.segmenter import Piece
from auricle_types.options import DecodingOptions, EngineConfig
from benchmarks.rounds import MiscountError

# Twice the defaults: throughput over latency.
THROUGHPUT = EngineConfig(max_encode_seconds=60.0, slots=128)
FULL_CONTEXT = ", full context"  # in a contestant's name
PROCESSES = ", a process a thread"  # behind it


class Auricle:
    """Waveforms in: unlike the peers it computes its own features within the time.

    `cutting`: as a server does, each is first asked for words and silences by the VAD.
    """

    def __init__(
        self,
        name: str,
        recognizer: Recognizer,
        waveforms: Sequence[npt.NDArray[np.float32]],
        options: DecodingOptions | None = None,
        *,
        audio_seconds: float,
        at_once: int | None = None,
        cutting: bool = False,
    ) -> None:
        """Where `options` bound the tokens, each utterance must get exactly as many.

        `at_once`: as many utterances are under way at a time; by default all.
        """
        self.name = name
        self._audio_seconds = audio_seconds
        self._recognizer = recognizer
        self._audio = [Audio(samples) for samples in waveforms]
        self._cutting = cutting
        self._options = options or DecodingOptions()
        self._at_once = at_once or len(waveforms)

    @property
    def audio_seconds(self) -> float:
        """Seconds of audio in one run."""
        return self._audio_seconds

    def run(self) -> None:
        """Submit all, wait for all."""
        with ThreadPoolExecutor(self._at_once) as callers:
            counts = list(callers.map(self._tokens_of, self._audio))
        if self._options.max_tokens is not None:
            MiscountError.check(self.name, counts, self._options.max_tokens)

    def facts(self) -> dict[str, Any]:
        """With which numbers it computes."""
        return {"dtype": self._recognizer.dtype, "features": "computed within the time"}

    def _tokens_of(self, audio: Audio) -> int:
        if self._cutting:
            return self._recognizer.transcribe(audio, options=self._options).receipt.tokens
        piece = Piece(0.0, audio.samples)
        return self._recognizer.submit(piece, self._options, block=True).result().receipt.tokens


def throughput(processes: int) -> EngineConfig:
    """The budgets, in each of so many processes."""
    return replace(THROUGHPUT, processes=processes)


def recognizer(checkpoint: Checkpoint, dtype: str) -> Recognizer:
    """The recogniser on the CPU, set for throughput."""
    return Recognizer.from_checkpoint(checkpoint, device="cpu", dtype=dtype, engine=THROUGHPUT)
