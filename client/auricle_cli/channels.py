"""Who speaks: channels that were recognised by themselves, speakers, and their labels."""

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


def label_of(segment: Segment) -> str:
    """Name who speaks: a channel, a speaker; empty where neither is known."""
    return f"Channel {segment.channel}" if segment.channel else segment.speaker or ""


def named(transcript: Transcript) -> Transcript:
    """Return the transcript with its label before each segment that has one."""
    return replace(transcript, segments=tuple(map(_named, transcript.segments)))


def _named(segment: Segment) -> Segment:
    if not (label_of(segment) and segment.text):
        return segment
    name = f"{label_of(segment)}:"
    labels = [Word(word.start, word.start, name, word.confidence) for word in segment.words[:1]]
    words = (*labels, *segment.words)
    return replace(segment, text=f"{name} {segment.text}", words=words)
