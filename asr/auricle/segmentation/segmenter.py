"""Cuts long audio into pieces that fit the model's window, where nobody speaks.

`Segmenter` is a state machine over voice-activity frames: it is either idle, keeping a short pad
of silence, or has a piece open. A piece closes after a long silence; when it fills the window it
is cut at the best silence of its later half, or, without any, at the window's end, and the next
piece repeats the last moments.
"""

from dataclasses import dataclass, replace
from itertools import groupby, takewhile
from typing import NamedTuple

import numpy as np

from auricle.audio import Samples
from auricle.config import SAMPLE_RATE
from auricle.hypothesis import Hypothesis
from auricle.segmentation.vad import (
    FRAME_SAMPLES,
    THRESHOLD,
    SilenceGate,
    Vad,
    has_word,
)
from auricle_types.errors import InvalidOptionError

_HYSTERESIS = 0.15  # speech goes on until its probability is this far below the threshold
_MIN_SILENCE_FRAMES = 3  # about 0.1 s: shorter gaps lie inside of words


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """Part of an audio, to be recognised on its own: `samples (S,)`, the first at `start`.

    The first `overlap` seconds are also the end of the piece before. All times in seconds.
    """

    start: float
    samples: Samples
    overlap: float = 0.0
    speech: bool | None = None  # whether it holds a word, by the VAD; None: it was not asked
    room: float = 0.0  # of silence behind its end that is in no other piece
    spoken: tuple[float, float] | None = None  # from when to when somebody speaks in it, if known
    closed: bool = True  # its utterance has ended; else it was cut, and more may follow
    interim: bool = False  # more of it will come: its words are wanted now, and again later
    prefix: Hypothesis | None = None  # with whose tokens its text begins

    @property
    def duration(self) -> float:
        """Length of the piece in seconds."""
        return len(self.samples) / SAMPLE_RATE

    @property
    def end(self) -> float:
        """End of the piece in seconds from the start of the audio."""
        return self.start + self.duration


class _Frame(NamedTuple):
    samples: Samples  # (FRAME_SAMPLES,)
    speech: bool


class Segmenter:
    """Cuts one stream. Feed its samples in chunks of any size, then flush once.

    The pieces do not depend on the chunks, none is longer than `window_seconds`, and together
    they hold every frame in which `vad` finds speech. Memory is bounded by the window.

    `close_silence` ends a piece, `lead` and `pad` are the silence kept before and behind speech,
    and `overlap` is what is repeated after a cut through speech (seconds); `threshold` is the
    probability from which a frame is speech. Raises InvalidOptionError when these do not fit the
    window.
    """

    def __init__(
        self,
        window_seconds: float,
        *,
        close_silence: float = 0.6,
        lead: float = 0.25,
        pad: float = 0.25,
        overlap: float = 1.0,
        threshold: float = THRESHOLD,
        vad: Vad | None = None,
    ) -> None:
        self._window = int(window_seconds * SAMPLE_RATE) // FRAME_SAMPLES
        self._close_silence = _frames(close_silence)
        self._lead = _frames(lead)
        self._pad = _frames(pad)
        self._overlap = _frames(overlap)
        self._threshold = threshold
        self._vad = SilenceGate(vad)
        self._rest: Samples = np.zeros(0, np.float32)  # less than a frame
        self._total = 0  # samples that came so far
        self._frames: list[_Frame] = []  # of the open piece, or the pad before the next one
        self._start = 0  # index of the first of them in the stream
        self._covered = 0  # index of the first frame that is in no piece yet
        self._silence = 0  # how many of the last frames are silent
        self._speaking = False
        self._quiet = 0  # frames since somebody spoke
        self._kept_until = 0  # index of the frame before which the open piece is not cut
        self._check_options(window_seconds)

    def feed(self, samples: Samples) -> list[Piece]:
        """Return the pieces that end within `samples (S,)`, mono float32 at 16 kHz."""
        self._total += len(samples)
        return self._judge(samples)

    def flush(self) -> list[Piece]:
        """End the stream and return the pieces that are still open."""
        missing = -len(self._rest) % FRAME_SAMPLES
        pieces = self._judge(np.zeros(missing, np.float32))
        return [*pieces, *self.end_utterance()]

    def end_utterance(self) -> list[Piece]:
        """Close the open piece, as a long silence does; the stream goes on."""
        if self.is_idle:
            return []
        last = self._close()
        return [last] if last else []

    @property
    def reached(self) -> float:
        """Seconds of audio that came so far."""
        return self._total / SAMPLE_RATE

    @property
    def is_idle(self) -> bool:
        """Whether no piece is open."""
        return self._silence == len(self._frames)

    @property
    def is_over(self) -> bool:
        """Whether no piece is open, and nobody has spoken for as long as ends one."""
        return self.is_idle and self._quiet >= self._close_silence

    @property
    def spoken(self) -> tuple[float, float] | None:
        """From when to when somebody speaks in the open piece; None while it has no new word."""
        new = self._frames[max(0, self._covered - self._start) :]
        if not has_word(frame.speech for frame in new):
            return None
        return self._spoken(len(self._frames))

    def draft(self) -> Piece:
        """Copy the open piece as far as it came; its start stays until it is cut."""
        known = max(0, self._covered - self._start) * FRAME_SAMPLES / SAMPLE_RATE
        return replace(self._piece(len(self._frames), known), interim=True)

    def keep_together(self, start: float, until: float) -> bool:
        """Cut the open piece, which begins at `start`, behind `until` only (seconds).

        Returns False where it has been cut already.
        """
        if round(start * SAMPLE_RATE) != self._start * FRAME_SAMPLES:
            return False
        self._kept_until = max(self._kept_until, _frames(until))
        return True

    def _check_options(self, window_seconds: float) -> None:
        longest = max(self._lead, self._pad, self._overlap, _MIN_SILENCE_FRAMES)
        if self._window < 4 * longest:
            raise InvalidOptionError(
                f"window_seconds={window_seconds} must be at least four times the pad and overlap"
            )

    def _judge(self, samples: Samples) -> list[Piece]:
        samples = np.concatenate([self._rest, samples])
        whole = len(samples) - len(samples) % FRAME_SAMPLES
        self._rest = samples[whole:].copy()
        frames = samples[:whole].reshape(-1, FRAME_SAMPLES)
        judged = zip(frames, self._vad(frames).tolist(), strict=True)
        # Copies, so that a kept frame does not keep the whole chunk.
        return [piece for frame, speech in judged if (piece := self._step(frame.copy(), speech))]

    def _step(self, samples: Samples, speech: float) -> Piece | None:
        """Take the next frame and the probability that it holds speech."""
        self._speaking = speech >= self._threshold - (_HYSTERESIS if self._speaking else 0.0)
        self._frames.append(_Frame(samples, self._speaking))
        self._silence = 0 if self._speaking else self._silence + 1
        self._quiet = 0 if self._speaking else self._quiet + 1
        if self._silence == len(self._frames):
            self._drop(max(0, self._silence - self._lead))
            return None
        if self._silence >= self._close_silence:
            return self._close()
        if len(self._frames) >= self._window:
            return self._split()
        return None

    def _close(self) -> Piece | None:
        """Cut after the last speech and its pad."""
        count = len(self._frames)
        end = min(count - self._silence + self._pad, count)
        piece = self._cut(end, restart=max(end, count - self._lead))
        return piece and replace(piece, closed=True)

    def _split(self) -> Piece | None:
        """Cut a full window: in a silence, or through speech with an overlap."""
        full = len(self._frames)
        gap = self._best_silence()
        if gap is None:
            return self._cut(full, restart=full - self._overlap)
        begin, end = gap
        if end == full:
            piece = self._close()
            return piece and replace(piece, closed=False)  # whether it is over, silence will tell
        middle = (begin + end) // 2
        return self._cut(min(begin + self._pad, middle), restart=max(end - self._lead, middle))

    def _best_silence(self) -> tuple[int, int] | None:
        """Find the longest silent run `[begin, end)` in the later half; of equals the last."""
        half = max(len(self._frames) // 2, self._kept_until - self._start)
        gaps: list[tuple[int, int]] = []
        for speech, run in groupby(range(half, len(self._frames)), self._speech_at):
            indices = list(run)
            if not speech and len(indices) >= _MIN_SILENCE_FRAMES:
                gaps.append((indices[0], indices[-1] + 1))
        return max(gaps, key=lambda gap: (gap[1] - gap[0], gap[0]), default=None)

    def _speech_at(self, index: int) -> bool:
        return self._frames[index].speech

    def _cut(self, end: int, restart: int) -> Piece | None:
        """Give the frames before `end` as a piece, if they hold new speech; go on at `restart`."""
        known = max(0, self._covered - self._start)
        piece = None
        if any(frame.speech for frame in self._frames[known:end]):
            piece = self._piece(end, overlap=known * FRAME_SAMPLES / SAMPLE_RATE)
            self._covered = self._start + end
        self._drop(restart)
        return piece

    def _piece(self, end: int, overlap: float) -> Piece:
        first = self._start * FRAME_SAMPLES
        frames = self._frames[:end]
        samples = np.concatenate([frame.samples for frame in frames])
        speech = has_word(frame.speech for frame in frames)
        behind = takewhile(lambda frame: not frame.speech, self._frames[end:])
        room = max(0, len(list(behind)) - self._pad) * FRAME_SAMPLES / SAMPLE_RATE
        # The stream's last frame may have been filled up with zeros.
        kept = samples[: self._total - first]
        spoken = self._spoken(end)
        return Piece(first / SAMPLE_RATE, kept, overlap, speech, room, spoken, closed=False)

    def _spoken(self, end: int) -> tuple[float, float] | None:
        places = [place for place in range(end) if self._frames[place].speech]
        if not places:
            return None
        first, last = self._start + places[0], self._start + places[-1] + 1
        return first * FRAME_SAMPLES / SAMPLE_RATE, last * FRAME_SAMPLES / SAMPLE_RATE

    def _drop(self, count: int) -> None:
        del self._frames[:count]
        self._start += count
        self._silence = min(self._silence, len(self._frames))


def _frames(seconds: float) -> int:
    return round(seconds * SAMPLE_RATE / FRAME_SAMPLES)
