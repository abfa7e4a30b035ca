"""Long recordings made of short ones, with the pauses that people leave between sentences."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from auricle.config import SAMPLE_RATE
from benchmarks.conditions import Samples
from benchmarks.corpora import Corpus

SHORTEST_PAUSE, LONGEST_PAUSE = 0.3, 1.2  # seconds
ROOM = 0.0005  # the noise of a quiet room: -66 dB


@dataclass(frozen=True, slots=True, eq=False)
class Tape:
    """Some of a corpus' utterances, one after the other."""

    rows: list[int]  # which
    samples: Samples
    text: str


def tapes(corpus: Corpus, seconds: float) -> Iterator[Tape]:
    """All utterances of a corpus in order, on tapes of about so many seconds each."""
    rows: list[int] = []
    for row in range(len(corpus.texts)):
        rows.append(row)
        if sum(corpus.seconds[each] for each in rows) >= seconds:
            yield _tape(corpus, rows)
            rows = []
    if rows:
        yield _tape(corpus, rows)


def _tape(corpus: Corpus, rows: list[int]) -> Tape:
    random = np.random.default_rng(rows[0])
    parts: list[Samples] = []
    for row in rows:
        pause = round(SAMPLE_RATE * random.uniform(SHORTEST_PAUSE, LONGEST_PAUSE))
        room = ROOM * random.standard_normal(pause)
        parts += [corpus.waveforms[row], room.astype(np.float32)]
    text = " ".join(corpus.texts[row] for row in rows)
    return Tape(rows, np.concatenate(parts), text)
