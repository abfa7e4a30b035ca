"""A voice: an engine, one of its speakers, and how high and how fast it speaks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

# Wide enough to vary, narrow enough to be understood. The engines talk faster than people read
# aloud (3 words a second against 2 to 2.8 in transcribed speech), so most are slowed down.
PITCH_RANGE = (0.75, 1.3)
RATE_RANGE = (0.65, 1.15)


@dataclass(frozen=True, slots=True)
class Voice:
    """`pitch` and `rate` are factors: 1.0 is how the speaker talks when nothing is asked of it."""

    engine: str
    name: str
    pitch: float = 1.0
    rate: float = 1.0

    @property
    def speaker(self) -> str:
        """The manifest's name of the speaker, whatever the pitch and the rate."""
        return f"{self.engine}-{self.name}"


def draw_voice(rng: np.random.Generator, cast: Mapping[str, Sequence[str]]) -> Voice:
    """One voice of `cast`, which lists the speakers of each engine; engines are equally likely."""
    engine = sorted(cast)[int(rng.integers(len(cast)))]
    return Voice(
        engine=engine,
        name=cast[engine][int(rng.integers(len(cast[engine])))],
        pitch=round(rng.uniform(*PITCH_RANGE), 3),
        rate=round(rng.uniform(*RATE_RANGE), 3),
    )
