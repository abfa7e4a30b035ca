"""Channels that were recognised by themselves: one transcript of them all, and their names."""

from collections.abc import Sequence
from dataclasses import replace

from auricle_types.transcript import Segment, Transcript, Word


def interleaved(transcripts: Sequence[Transcript]) -> Transcript:
    """Join the transcripts of an audio's channels, at least one, by the segments' start."""
    from auricle.segmentation.joining import merge_receipts  # late: for work in this process

    segments = [
        replace(segment, channel=number)
        for number, transcript in enumerate(transcripts, start=1)
        for segment in transcript.segments
    ]
    receipts = [transcript.receipt for transcript in transcripts]
    return Transcript(
        tuple(sorted(segments, key=lambda segment: segment.start)),
        max(transcript.duration for transcript in transcripts),
        merge_receipts(receipts, receipts[0].model_id),
        tuple(dict.fromkeys(each for some in transcripts for each in some.warnings)),
    )


def named(transcript: Transcript) -> Transcript:
    """Return the transcript with the channel's name before each segment that has one."""
    return replace(transcript, segments=tuple(map(_named, transcript.segments)))


def _named(segment: Segment) -> Segment:
    if not segment.channel or not segment.text:
        return segment
    name = f"Channel {segment.channel}:"
    label = Word(segment.start, segment.start, name, segment.confidence)
    words = (label, *segment.words) if segment.words else ()
    return replace(segment, text=f"{name} {segment.text}", words=words)
