"""Voice activity: how probable it is that somebody speaks, frame by frame, by Silero VAD."""

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from itertools import accumulate, groupby
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt
import torch

from auricle.audio import Samples
from auricle.config import SAMPLE_RATE

if TYPE_CHECKING:
    from silero_vad import SileroVADSequence

FRAME_SAMPLES = 512  # 32 ms; the one frame length of Silero VAD at 16 kHz
SILENCE_PEAK = 10 ** (-70 / 20)  # -70 dBFS: below it is nothing that anybody could hear
THRESHOLD = 0.5  # from this probability on a frame is speech
PAUSE_FRAMES = 8  # 0.26 s: within words and sentences, pauses are no longer
WORD_FRAMES = 6  # 0.19 s: the shortest word is longer, a tone that passes for speech seldom is
_PEAK = 0.5  # to which quiet audio is raised: the detector misses quiet speech
_STRETCH_SAMPLES = 64 * FRAME_SAMPLES  # 2 s
_BLOCK_FRAMES = 16  # asked at a time: speech begins within the first or second of them
_TINY = 1e-6  # of a peak: digital silence is not raised
_CONTEXT_SAMPLES = 64  # of the frame before, which the detector gets once more

Vad: TypeAlias = Callable[[Samples], npt.NDArray[np.float32]]
"""Frames `(F, FRAME_SAMPLES)` to each one's probability of speech, 0 to 1: `(F,)`.

It remembers earlier frames; the result does not depend on how many come at a time.
"""

_LOADING = threading.Lock()
_SILENT_FRAMES = 3000  # 96 s, after which silence hardly changes the state of the detector


class SilenceGate:
    """Asks a detector only for frames that matter: hours of silence are not worth its time.

    Frames that nobody can hear are no speech once there were enough of them in a row. The result
    does not depend on how many frames come at a time.
    """

    def __init__(self, vad: Vad | None = None) -> None:
        """Ask `vad`; by default one of its own, made when the first frames come."""
        self._vad = vad
        self._silent = 0  # so many silent frames came last

    def __call__(self, frames: Samples) -> npt.NDArray[np.float32]:
        """Return the probabilities `(F,)` of the stream's next frames `(F, FRAME_SAMPLES)`."""
        places = np.arange(1, len(frames) + 1)
        loud = np.abs(frames).max(axis=1, initial=0.0) >= SILENCE_PEAK
        since = np.maximum.accumulate(np.where(loud, places, -self._silent))
        silent = places - since  # how many, up to and with each frame
        self._silent = int(silent[-1]) if len(silent) else self._silent
        asked = silent <= _SILENT_FRAMES
        probabilities = np.zeros(len(frames), np.float32)
        if asked.any():
            self._vad = self._vad or SileroVad()
            probabilities[asked] = self._vad(frames[asked])
        return probabilities


class SileroVad:
    """Detects speech in one stream. All share one ONNX session; each has its own state.

    It is the sequence model, a whole block of frames in one call: the frame by frame one holds the
    interpreter so often that a few streams are enough to keep the device waiting.
    """

    def __init__(self) -> None:
        with _LOADING:
            self._session = _model().session
        self._hidden = self._cell = np.zeros((1, 1, 128), np.float32)
        self._context = np.zeros((1, _CONTEXT_SAMPLES), np.float32)

    def __call__(self, frames: Samples) -> npt.NDArray[np.float32]:
        """Return the probabilities `(F,)` of the stream's next frames `(F, FRAME_SAMPLES)`."""
        if not len(frames):
            return np.zeros(0, np.float32)
        contexts = np.concatenate([self._context, frames[:, -_CONTEXT_SAMPLES:]])
        self._context = contexts[-1:]
        feed = {
            "input": np.concatenate([contexts[:-1], frames], axis=1),
            "h": self._hidden,
            "c": self._cell,
        }
        names = ["speech_probs", "hn", "cn"]
        probabilities, self._hidden, self._cell = self._session.run(names, feed)
        flat: npt.NDArray[np.float32] = probabilities.reshape(-1)
        return flat


def load_now() -> None:
    """Load the detector, so that the first audio need not wait for it."""
    with _LOADING:
        _model()


def speaks(samples: Samples, vad: Vad | None = None) -> bool:
    """Tell whether `samples (S,)` hold a word; reads no further than to the first."""
    vad = vad or SileroVad()
    gain = _gain(samples)
    frames = np.pad(samples, (0, -len(samples) % FRAME_SAMPLES)).reshape(-1, FRAME_SAMPLES)
    speech: list[bool] = []
    for begin in range(0, len(frames), _BLOCK_FRAMES):
        speech = speech[-WORD_FRAMES:]
        speech += (vad(gain * frames[begin : begin + _BLOCK_FRAMES]) >= THRESHOLD).tolist()
        if has_word(speech):
            return True
    return False


def speech_end(samples: Samples, vad: Vad | None = None) -> float:
    """Find the end of the last word in `samples (S,)`, in seconds; 0 where nobody speaks.

    It reads from the end, a stretch at a time, no further than to that word.
    """
    gain = _gain(samples)
    end = len(samples)
    while end > 0:
        begin = max(0, end - _STRETCH_SAMPLES)
        last = _last_word(_is_speech(gain * samples[begin:end], vad or SileroVad()))
        if last:
            return min(begin + last * FRAME_SAMPLES, len(samples)) / SAMPLE_RATE
        end = begin and begin + 2 * WORD_FRAMES * FRAME_SAMPLES  # a word may lie on the cut
    return 0.0


def spoken_stretches(samples: Samples, vad: Vad | None = None) -> list[tuple[int, int]]:
    """Find where `samples (S,)` hold speech, over short pauses.

    Returns:
        For each stretch its first sample and the one behind its last, in order, without overlap.
    """
    flags = np.array([False, *_is_speech(_gain(samples) * samples, vad or SileroVad()), False])
    edges = np.flatnonzero(np.diff(flags.astype(np.int8)))  # begin, end, begin, end
    is_pause = np.diff(edges)[1::2] > PAUSE_FRAMES
    kept = edges[np.r_[True, np.repeat(is_pause, 2), True]] if len(edges) else edges
    return [
        (max(0, begin - 1) * FRAME_SAMPLES, min((end + 1) * FRAME_SAMPLES, len(samples)))
        for begin, end in kept.reshape(-1, 2).tolist()
        if end - begin >= WORD_FRAMES
    ]


def _last_word(speech: Sequence[bool]) -> int:
    """Find the frame behind the last word; 0 where there is none."""
    runs = [(spoken, len(list(run))) for spoken, run in groupby(speech)]
    ends = accumulate(length for _, length in runs)
    words = [
        end
        for end, (spoken, length) in zip(ends, runs, strict=True)
        if spoken and length >= WORD_FRAMES
    ]
    return max(words, default=0)


def _is_speech(samples: Samples, vad: Vad) -> list[bool]:
    frames = np.pad(samples, (0, -len(samples) % FRAME_SAMPLES)).reshape(-1, FRAME_SAMPLES)
    return [bool(each) for each in vad(frames) >= THRESHOLD]


def _gain(samples: Samples) -> np.float32:
    return np.float32(max(1.0, _PEAK / max(np.abs(samples).max(initial=0.0), _TINY)))


def has_word(speech: Iterable[bool]) -> bool:
    """Tell whether as many frames of speech follow each other as the shortest word has."""
    return any(spoken and len(list(run)) >= WORD_FRAMES for spoken, run in groupby(speech))


@cache
def _model() -> "SileroVADSequence":
    with _torch_threads_kept():
        from silero_vad import load_silero_vad

        return load_silero_vad(sequence=True)


@contextmanager
def _torch_threads_kept() -> Iterator[None]:
    """Keep torch's threads: importing silero_vad sets one, for the whole process."""
    threads = torch.get_num_threads()
    try:
        yield
    finally:
        torch.set_num_threads(threads)
