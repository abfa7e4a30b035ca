"""The turns of a conversation: speech is cut into windows, whose voices are compared."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from auricle.audio import Samples
from auricle.config import SAMPLE_RATE
from auricle.diarization.clustering import cluster
from auricle.diarization.embedding import CamPlusPlus, Embedder
from auricle.segmentation.vad import Vad, spoken_stretches
from auricle_types.errors import InvalidOptionError

WINDOW_SAMPLES = 3 * SAMPLE_RATE // 2  # 1.5 s: shorter ones tell less about a voice
HOP_SAMPLES = WINDOW_SAMPLES // 2
PAUSE_SECONDS = 0.5  # no longer pauses belong to a turn

Window = tuple[int, int]  # first sample, and the one behind the last


@dataclass(frozen=True, slots=True)
class Turn:
    """A turn is what one `speaker` says, `start` and `end` in seconds from the audio's start."""

    start: float
    end: float
    speaker: str  # S1, S2 and so on, in order of appearance


def diarize(
    samples: Samples,
    *,
    speakers: int | None = None,
    embedder: Embedder | None = None,
    vad: Vad | None = None,
) -> list[Turn]:
    """Find who speaks when, one speaker at a time.

    Args:
        samples: `(S,)`, mono at 16 kHz.
        speakers: how many there are; found by their voices where it is None.
        embedder: tells voices apart; CAM++ by default.
        vad: tells speech from silence; Silero VAD by default.

    Returns:
        Turns in order, without overlap; none where nobody speaks.

    Raises:
        ExtraMissingError: the package with the default embedder is not installed.
        InvalidOptionError: `speakers` is below 1.
    """
    if speakers is not None and speakers < 1:
        raise InvalidOptionError(f"speakers must be at least 1, not {speakers}")
    embedder = embedder or CamPlusPlus()
    stretches = [_windows(*each) for each in spoken_stretches(samples, vad)]
    windows = [window for stretch in stretches for window in stretch]
    if not windows:
        return []
    embeddings = np.stack([embedder(samples[begin:end]) for begin, end in windows])
    names = iter([f"S{label + 1}" for label in cluster(embeddings, speakers)])
    shares = (share for stretch in stretches for share in _shares(stretch))
    return _joined(Turn(begin, end, next(names)) for begin, end in shares)


def _windows(begin: int, end: int) -> list[Window]:
    """Spread windows evenly over a stretch of speech; a short one is one window."""
    more = max(0, end - begin - WINDOW_SAMPLES)
    steps = -(-more // HOP_SAMPLES)
    starts = [begin + more * step // max(1, steps) for step in range(steps + 1)]
    return [(start, min(start + WINDOW_SAMPLES, end)) for start in starts]


def _shares(windows: list[Window]) -> Iterator[tuple[float, float]]:
    """Give each window of a stretch the time, in seconds, to whose middle it is the nearest."""
    middles = [(begin + end) / 2 for begin, end in windows]
    between = [(left + right) / 2 for left, right in pairwise(middles)]
    for begin, end in pairwise([windows[0][0], *between, windows[-1][1]]):
        yield begin / SAMPLE_RATE, end / SAMPLE_RATE


def _joined(turns: Iterable[Turn]) -> list[Turn]:
    """Join neighbours of one speaker, over short pauses."""
    joined: list[Turn] = []
    for turn in turns:
        last = joined[-1] if joined else None
        if last and last.speaker == turn.speaker and turn.start - last.end <= PAUSE_SECONDS:
            joined[-1] = replace(last, end=turn.end)
        else:
            joined.append(turn)
    return joined
