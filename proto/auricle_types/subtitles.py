"""Subtitles: SubRip and WebVTT, for the command and the server alike."""

from collections.abc import Iterable

from auricle_types.transcript import Segment


def srt_cues(segments: Iterable[Segment]) -> str:
    """Write segments in SubRip's format, without a last newline; silent ones are left out."""
    return "\n\n".join(
        f"{number}\n{cue_times(segment, ',')}\n{segment.text}"
        for number, segment in enumerate(spoken(segments), start=1)
    )


def vtt_cues(segments: Iterable[Segment]) -> str:
    """Write segments as WebVTT (W3C), markup characters escaped, without a last newline."""
    cues = (f"{cue_times(each, '.')}\n{escaped(each.text)}" for each in spoken(segments))
    return "\n\n".join(["WEBVTT", *cues])


def spoken(segments: Iterable[Segment]) -> list[Segment]:
    """Return the segments that have words."""
    return [segment for segment in segments if segment.text]


def cue_times(segment: Segment, point: str) -> str:
    """Write when a subtitle is shown; `point` parts seconds and thousandths."""
    return f"{_clock(segment.start, point)} --> {_clock(segment.end, point)}"


def escaped(words: str) -> str:
    """Escape the markup characters of WebVTT."""
    return words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _clock(seconds: float, point: str) -> str:
    """Hours, minutes, seconds and, after `point`, thousandths."""
    total = round(seconds * 1000)
    minutes, thousandths = divmod(total, 60_000)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{thousandths // 1000:02}{point}{thousandths % 1000:03}"
