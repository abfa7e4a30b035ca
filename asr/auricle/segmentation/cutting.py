"""Cuts recordings into pieces that fit the model's window, as they are read; joins short ones."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import chain

import numpy as np

from auricle.audio import Samples
from auricle.config import SAMPLE_RATE
from auricle.segmentation.blocks import BLOCK_SAMPLES, RecentBlocks, blocks
from auricle.segmentation.segmenter import Piece, Segmenter
from auricle.segmentation.vad import SILENCE_PEAK, Vad, speaks

_SENTENCE_SECONDS = 8.0  # what is joined: longer, and the decoder begins to lose words between
_STILL_OPEN_SECONDS = 1.0  # behind its end, a segmenter has closed a piece
_BREATH_SECONDS = 0.3  # between pieces, which keep some silence of their own
_MARGIN_SECONDS = 0.25  # of more silence: as much as there is around a recorded sentence
_KEPT_SECONDS = 5.0  # besides a window and a sentence: a block, margins, what closes a piece


def cut(
    chunks: Iterable[Samples],
    window_seconds: float,
    *,
    vad: Vad | None = None,
    at_once: bool = True,
) -> Iterator[Piece]:
    """Cut a recording `(S,)`: one piece when it fits the window, none when it is silent.

    It comes in chunks of any size, of which no more is kept than a window and a sentence. Of
    audio that fits, `vad` gets no more than it takes to find a word. Longer audio goes through a
    `Segmenter`, as a stream does; but nobody waits for the end of a sentence here, so what a slow
    reader's pauses have parted is joined again, as long as it is no more than a sentence, and has
    more of the silence around it. Each piece comes as soon as nothing can be joined to it, so
    that it can be recognised while the next one is sought. Without `at_once`, audio that fits the
    window is cut like longer audio.
    """
    coming = blocks(chunks)
    first = _first(coming, window_seconds)
    if at_once and sum(map(len, first)) <= window_seconds * SAMPLE_RATE:
        yield from _at_once(first, vad)
        return
    recent = RecentBlocks(window_seconds + _SENTENCE_SECONDS + _KEPT_SECONDS)
    stretches = _stretches(chain(first, coming), recent, Segmenter(window_seconds, vad=vad))
    del first
    window = int(window_seconds * SAMPLE_RATE) / SAMPLE_RATE  # in whole samples
    before = 0.0  # where the sentence before ends
    for sentence in _sentences(stretches, recent, min(window, _SENTENCE_SECONDS)):
        piece = _with_margins(sentence, before, recent, window)
        if _audible(piece.samples):
            yield piece
        before = piece.end


def _first(coming: Iterator[Samples], seconds: float) -> list[Samples]:
    """Take blocks until there is more than `seconds` of audio, or no more of it."""
    first: list[Samples] = []
    while len(first) * BLOCK_SAMPLES <= seconds * SAMPLE_RATE:
        block = next(coming, None)
        if block is None:
            break
        first.append(block)
    return first


def _at_once(first: list[Samples], vad: Vad | None) -> Iterator[Piece]:
    samples = np.concatenate([np.zeros(0, np.float32), *first])
    if _audible(samples):
        yield Piece(0.0, samples, speech=speaks(samples, vad))


def _audible(samples: Samples) -> bool:
    return bool(np.abs(samples).max(initial=0.0) >= SILENCE_PEAK)


def _stretches(
    coming: Iterable[Samples], recent: RecentBlocks, segmenter: Segmenter
) -> Iterator[tuple[float, list[Piece]]]:
    """Yield how far the segmenter has come, in seconds, and the pieces that it found there."""
    reached = 0
    for block in coming:
        recent.add(block)
        reached += len(block)
        yield reached / SAMPLE_RATE, segmenter.feed(block)
    yield reached / SAMPLE_RATE, segmenter.flush()


def _sentences(
    stretches: Iterable[tuple[float, list[Piece]]], recent: RecentBlocks, longest: float
) -> Iterator[Piece]:
    """Join neighbours to pieces of at most `longest` seconds."""
    sentence: Piece | None = None
    for reached, pieces in stretches:
        for piece in pieces:
            if sentence is not None and _belong_together(sentence, piece, longest):
                sentence = _between(sentence, piece, recent)
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


def _between(first: Piece, last: Piece, recent: RecentBlocks) -> Piece:
    """Make a piece from the start of one to the end of the other."""
    spoken = first.speech or last.speech
    part = recent.part(first.start, last.end)
    return Piece(first.start, part, first.overlap, spoken, last.room)


def _with_margins(piece: Piece, before: float, recent: RecentBlocks, longest: float) -> Piece:
    """Add silence since `before` and silence behind the piece, up to `longest` seconds."""
    start = max(piece.start - _MARGIN_SECONDS, min(before, piece.start), piece.end - longest)
    end = max(piece.end, min(piece.end + min(_MARGIN_SECONDS, piece.room), start + longest))
    room = piece.room - (end - piece.end)
    return replace(piece, start=start, samples=recent.part(start, end), room=room)
