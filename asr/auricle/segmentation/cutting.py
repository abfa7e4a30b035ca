"""Cuts whole audio into pieces that fit the model's window, as a stream, and joins short ones."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np

from auricle.audio import Samples
from auricle.config import SAMPLE_RATE
from auricle.segmentation.segmenter import Piece, Segmenter
from auricle.segmentation.vad import Vad, speaks

SILENCE_PEAK = 10 ** (-70 / 20)  # -70 dBFS: below it is nothing that anybody could hear
_FEED_SAMPLES = 10 * SAMPLE_RATE
_SENTENCE_SECONDS = 8.0  # what is joined: longer, and the decoder begins to lose words between
_STILL_OPEN_SECONDS = 1.0  # behind its end, a segmenter has closed a piece
_BREATH_SECONDS = 0.3  # between pieces, which keep some silence of their own
_MARGIN_SECONDS = 0.25  # of more silence: as much as there is around a recorded sentence


def cut(samples: Samples, window_seconds: float, *, vad: Vad | None = None) -> Iterator[Piece]:
    """Cut whole audio `(S,)`: one piece when it fits the window, none when it is silent.

    Of audio that fits, `vad` gets no more than it takes to find a word. Longer audio goes
    through a `Segmenter`, as a stream does; but nobody waits for the end of a sentence here, so
    what a slow reader's pauses have parted is joined again, as long as it is no more than a
    sentence, and has more of the silence around it. Each piece comes as soon as nothing can be
    joined to it, so that it can be recognised while the next one is sought.
    """
    if np.abs(samples).max(initial=0.0) < SILENCE_PEAK:
        return
    if len(samples) <= window_seconds * SAMPLE_RATE:
        yield Piece(0.0, samples, speech=speaks(samples, vad))
        return
    stretches = _stretches(samples, Segmenter(window_seconds, vad=vad))
    window = int(window_seconds * SAMPLE_RATE) / SAMPLE_RATE  # in whole samples
    before = 0.0  # where the sentence before ends
    for sentence in _sentences(stretches, samples, min(window, _SENTENCE_SECONDS)):
        piece = _with_margins(sentence, before, samples, window)
        yield piece
        before = piece.end


def _stretches(samples: Samples, segmenter: Segmenter) -> Iterator[tuple[float, list[Piece]]]:
    """Yield how far the segmenter has come, in seconds, and the pieces that it found there."""
    for begin in range(0, len(samples), _FEED_SAMPLES):
        part = samples[begin : begin + _FEED_SAMPLES]
        yield (begin + len(part)) / SAMPLE_RATE, segmenter.feed(part)
    yield len(samples) / SAMPLE_RATE, segmenter.flush()


def _sentences(
    stretches: Iterable[tuple[float, list[Piece]]], samples: Samples, longest: float
) -> Iterator[Piece]:
    """Join neighbours in `samples (S,)` to pieces of at most `longest` seconds."""
    sentence: Piece | None = None
    for reached, pieces in stretches:
        for piece in pieces:
            if sentence is not None and _belong_together(sentence, piece, longest):
                sentence = _between(sentence, piece, samples)
                continue
            if sentence is not None:
                yield sentence
            sentence = piece
        if sentence is not None and reached > sentence.start + longest + _STILL_OPEN_SECONDS:
            yield sentence  # whatever comes now ends too late for it
            sentence = None
    if sentence is not None:
        yield sentence


def _belong_together(sentence: Piece, piece: Piece, longest: float) -> bool:
    near = not piece.overlap and piece.start - sentence.end <= _BREATH_SECONDS
    return near and piece.end - sentence.start <= longest


def _between(first: Piece, last: Piece, samples: Samples) -> Piece:
    """Make a piece from the start of one to the end of the other."""
    spoken = first.speech or last.speech
    part = _part(samples, first.start, last.end)
    return Piece(first.start, part, first.overlap, spoken, last.room)


def _with_margins(piece: Piece, before: float, samples: Samples, longest: float) -> Piece:
    """Add silence since `before` and silence behind the piece, up to `longest` seconds."""
    start = max(piece.start - _MARGIN_SECONDS, min(before, piece.start), piece.end - longest)
    end = max(piece.end, min(piece.end + min(_MARGIN_SECONDS, piece.room), start + longest))
    room = piece.room - (end - piece.end)
    return replace(piece, start=start, samples=_part(samples, start, end), room=room)


def _part(samples: Samples, start: float, end: float) -> Samples:
    """Copy a part, so that a piece does not keep the whole."""
    return samples[round(start * SAMPLE_RATE) : round(end * SAMPLE_RATE)].copy()
