"""Subtitles: SubRip and WebVTT, for the command and the server alike."""

from collections.abc import Iterable

from auricle_types.transcript import Segment

VTT_HEAD = "WEBVTT"


def srt_cues(segments: Iterable[Segment]) -> str:
    """Write segments in SubRip's format, without a last newline; silent ones are left out."""
    numbered = enumerate(spoken(segments), start=1)
    return "\n\n".join(srt_cue(number, segment) for number, segment in numbered)


def vtt_cues(segments: Iterable[Segment]) -> str:
    """Write segments as WebVTT (W3C), markup characters escaped, without a last newline."""
    return "\n\n".join([VTT_HEAD, *map(vtt_cue, spoken(segments))])


def srt_cue(number: int, segment: Segment) -> str:
    """Write one cue of SubRip, counted from 1, without a last newline."""
    return f"{number}\n{_times(segment, ',')}\n{segment.text}"


def vtt_cue(segment: Segment) -> str:
    """Write one cue of WebVTT without a last newline."""
    return f"{_times(segment, '.')}\n{_escaped(segment.text)}"


def spoken(segments: Iterable[Segment]) -> list[Segment]:
    """Return the segments that have words."""
    return [segment for segment in segments if segment.text]


def _times(segment: Segment, point: str) -> str:
    """Write when a subtitle is shown; `point` parts seconds and thousandths."""
    return f"{_clock(segment.start, point)} --> {_clock(segment.end, point)}"


def _escaped(words: str) -> str:
    return words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _clock(seconds: float, point: str) -> str:
    """Hours, minutes, seconds and, after `point`, thousandths."""
    total = round(seconds * 1000)
    minutes, thousandths = divmod(total, 60_000)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{thousandths // 1000:02}{point}{thousandths % 1000:03}"
