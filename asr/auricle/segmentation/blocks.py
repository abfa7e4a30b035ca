"""Samples in blocks of one size, and the last of them, so that no step needs a whole audio."""

from collections import deque
from collections.abc import Iterable, Iterator
from itertools import islice

import numpy as np

from auricle.audio import Samples
from auricle.config import SAMPLE_RATE
from auricle.segmentation.vad import FRAME_SAMPLES

BLOCK_SAMPLES = 64 * FRAME_SAMPLES  # 2 s, in which the VAD computes for some milliseconds


def parts(chunks: Iterable[Samples]) -> Iterator[Samples]:
    """Divide chunks `(S,)` that are longer than a block; the others stay as they are."""
    for chunk in chunks:
        for begin in range(0, len(chunk), BLOCK_SAMPLES):
            yield chunk[begin : begin + BLOCK_SAMPLES]


def blocks(chunks: Iterable[Samples]) -> Iterator[Samples]:
    """Yield the same samples in blocks of `BLOCK_SAMPLES`, of which only the last is shorter."""
    waiting: list[Samples] = []
    missing = BLOCK_SAMPLES
    for part in parts(chunks):
        waiting.append(part[:missing])
        missing -= len(waiting[-1])
        if not missing:
            yield np.concatenate(waiting)
            waiting = [part[len(waiting[-1]) :]]
            missing = BLOCK_SAMPLES - len(waiting[0])
    rest = np.concatenate([np.zeros(0, np.float32), *waiting])
    if len(rest):
        yield rest


class RecentBlocks:
    """Keeps the last seconds of an audio, by their place in it."""

    def __init__(self, seconds: float) -> None:
        """Keep at least so many seconds."""
        self._blocks: deque[Samples] = deque(maxlen=2 + int(seconds * SAMPLE_RATE / BLOCK_SAMPLES))
        self._count = 0

    def add(self, block: Samples) -> None:
        """Take the next block of `blocks`."""
        self._blocks.append(block)
        self._count += 1

    def part(self, start: float, end: float) -> Samples:
        """Copy what lies between two times, in seconds, as far as it came."""
        first = (self._count - len(self._blocks)) * BLOCK_SAMPLES
        begin, stop = round(start * SAMPLE_RATE) - first, round(end * SAMPLE_RATE) - first
        skipped = begin // BLOCK_SAMPLES
        found = np.concatenate(list(islice(self._blocks, skipped, 1 + stop // BLOCK_SAMPLES)))
        return found[begin - skipped * BLOCK_SAMPLES : stop - skipped * BLOCK_SAMPLES].copy()
