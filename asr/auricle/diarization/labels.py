"""Puts the speakers of turns on the segments and words of a transcript."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby

from auricle.diarization.turns import Turn
from auricle_types.transcript import Segment, Transcript, Word, joined


def with_speakers(transcript: Transcript, turns: Sequence[Turn]) -> Transcript:
    """Say on each segment and word who spoke it; a segment ends where the speaker changes.

    A word belongs to the turn that its middle is in, or to the nearest one. A segment without words
    belongs to whoever speaks longest in it. Without turns the transcript stays as it is.
    """
    if not turns:
        return transcript
    segments = (part for segment in transcript.segments for part in _parts(segment, turns))
    return replace(transcript, segments=tuple(segments))


def _parts(segment: Segment, turns: Sequence[Turn]) -> Iterator[Segment]:
    words = [replace(word, speaker=_nearest(word, turns)) for word in segment.words]
    groups = [tuple(group) for _, group in groupby(words, key=lambda word: word.speaker)]
    if not groups:
        yield replace(segment, speaker=_longest(segment, turns))
    elif len(groups) == 1:
        yield replace(segment, words=groups[0], speaker=groups[0][0].speaker)
    else:
        yield from (_part(segment, group) for group in groups)


def _part(segment: Segment, words: tuple[Word, ...]) -> Segment:
    return replace(
        segment,
        start=words[0].start,
        end=words[-1].end,
        text=joined(words),
        words=words,
        speaker=words[0].speaker,
    )


def _nearest(word: Word, turns: Sequence[Turn]) -> str:
    middle = (word.start + word.end) / 2
    return min(turns, key=lambda turn: max(turn.start - middle, middle - turn.end, 0.0)).speaker


def _longest(segment: Segment, turns: Sequence[Turn]) -> str:
    """Find who speaks longest in the segment; without anybody, the speaker of the nearest turn."""
    seconds: dict[str, float] = {}
    for turn in turns:
        shared = min(turn.end, segment.end) - max(turn.start, segment.start)
        if shared > 0:
            seconds[turn.speaker] = seconds.get(turn.speaker, 0.0) + shared
    if seconds:
        return max(seconds, key=lambda speaker: seconds[speaker])
    return min(turns, key=lambda t: max(t.start - segment.end, segment.start - t.end)).speaker
