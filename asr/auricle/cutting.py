"""Whole audio to pieces that fit the model's window: a stream's, short neighbours joined."""

from collections.abc import Iterable, Iterator

import numpy as np

from auricle.audio import Samples
from auricle.config import SAMPLE_RATE
from auricle.segmenter import Piece, Segmenter
from auricle.vad import Vad, speaks

SILENCE_PEAK = 10 ** (-70 / 20)  # -70 dBFS: below it is nothing that anybody could hear
_FEED_SAMPLES = 10 * SAMPLE_RATE
_SENTENCE_SECONDS = 8.0  # what is joined: longer, and the decoder begins to lose words between
_STILL_OPEN_SECONDS = 1.0  # behind its end, a segmenter has closed a piece
_BREATH_SECONDS = 0.5  # between pieces, which keep some silence of their own


def cut(samples: Samples, window_seconds: float, *, vad: Vad | None = None) -> Iterator[Piece]:
    """Whole audio `(S,)` as pieces: itself when it fits the window, nothing when it is silent.

    Of audio that fits, `vad` hears no more than it takes to find a word. Longer audio goes
    through a `Segmenter`, as a stream does; but nobody waits for the end of a sentence here, so
    what a slow reader's pauses have parted is joined again, as long as it is no more than a
    sentence. Each piece comes as soon as nothing can be joined to it, so that it can be
    recognised while the next one is sought.
    """
    if np.abs(samples).max(initial=0.0) < SILENCE_PEAK:
        return
    if len(samples) <= window_seconds * SAMPLE_RATE:
        yield Piece(0.0, samples, speech=speaks(samples, vad))
        return
    stretches = _stretches(samples, Segmenter(window_seconds, vad=vad))
    yield from _sentences(stretches, samples, min(window_seconds, _SENTENCE_SECONDS))


def _stretches(samples: Samples, segmenter: Segmenter) -> Iterator[tuple[float, list[Piece]]]:
    """How far the segmenter has heard, in seconds, and the pieces that it found there."""
    for begin in range(0, len(samples), _FEED_SAMPLES):
        part = samples[begin : begin + _FEED_SAMPLES]
        yield (begin + len(part)) / SAMPLE_RATE, segmenter.feed(part)
    yield len(samples) / SAMPLE_RATE, segmenter.flush()


def _sentences(
    stretches: Iterable[tuple[float, list[Piece]]], samples: Samples, longest: float
) -> Iterator[Piece]:
    """Neighbours of `samples (S,)` as one piece of at most `longest` seconds."""
    sentence: Piece | None = None
    for heard, pieces in stretches:
        for piece in pieces:
            if sentence is not None and _belong_together(sentence, piece, longest):
                sentence = _between(sentence, piece, samples)
                continue
            if sentence is not None:
                yield sentence
            sentence = piece
        if sentence is not None and heard > sentence.start + longest + _STILL_OPEN_SECONDS:
            yield sentence  # whatever comes now ends too late for it
            sentence = None
    if sentence is not None:
        yield sentence


def _belong_together(sentence: Piece, piece: Piece, longest: float) -> bool:
    near = not piece.overlap and piece.start - sentence.end <= _BREATH_SECONDS
    return near and piece.end - sentence.start <= longest


def _between(first: Piece, last: Piece, samples: Samples) -> Piece:
    """From the start of one to the end of the other."""
    begin, end = (round(seconds * SAMPLE_RATE) for seconds in (first.start, last.end))
    spoken = first.speech or last.speech
    part = samples[begin:end].copy()  # so that a piece does not keep the whole
    return Piece(first.start, part, first.overlap, spoken)
