"""The output formats: a transcript and its input's name in, a string without a last newline out."""

import json
from collections.abc import Callable
from dataclasses import asdict
from itertools import groupby
from typing import Any

import click

from auricle_types.transcript import Segment, Transcript, Word, joined

Writer = Callable[[str, Transcript], str]


def text(_: str, transcript: Transcript) -> str:
    """The words alone, on one line; a line for each turn where speakers were told apart."""
    return "\n".join(_turns(transcript))


def labelled_text(name: str, transcript: Transcript) -> str:
    """The input's name, a tab, the words: for several inputs."""
    return f"{shown(name)}\t{' '.join(_turns(transcript))}"


def shown(name: str) -> str:
    """A file's name as any terminal takes it: bytes that are no text become U+FFFD."""
    return click.format_filename(name)


def json_line(name: str, transcript: Transcript) -> str:
    """One JSON object on one line; times in seconds."""
    fields = {
        "audio": name,
        "text": transcript.text,
        "duration": round(transcript.duration, 3),
        "confidence": round(transcript.confidence, 4),
        "segments": [_segment(segment) for segment in transcript.segments],
        "warnings": list(transcript.warnings),
        "receipt": asdict(transcript.receipt),
    }
    line = json.dumps(fields, ensure_ascii=False)
    # A name's bytes that are no text stay in escapes, from which JSON readers get them back.
    return line.encode("utf-8", "backslashreplace").decode("utf-8")


def srt(_: str, transcript: Transcript) -> str:
    """Write subtitles in SubRip's format."""
    return "\n\n".join(
        f"{number}\n{_cue_times(segment, ',')}\n{_after_speaker(segment)}"
        for number, segment in enumerate(_spoken(transcript), start=1)
    )


def vtt(_: str, transcript: Transcript) -> str:
    """WebVTT subtitles (W3C), markup characters escaped."""
    cues = (
        f"{_cue_times(each, '.')}\n{_voice(each)}{_escape(each.text)}"
        for each in _spoken(transcript)
    )
    return "\n\n".join(["WEBVTT", *cues])


WRITERS: dict[str, Writer] = {"text": text, "json": json_line, "srt": srt, "vtt": vtt}


def _segment(segment: Segment) -> dict[str, Any]:
    """Write a segment with its language, speaker and words, if it has them."""
    extras = {"language": segment.language, "words": [_word(word) for word in segment.words]}
    return _word(segment) | {name: value for name, value in extras.items() if value}


def _word(word: Word | Segment) -> dict[str, Any]:
    fields = {
        "start": round(word.start, 3),
        "end": round(word.end, 3),
        "text": word.text,
        "confidence": round(word.confidence, 4),
    }
    return fields | ({"speaker": word.speaker} if word.speaker else {})


def _spoken(transcript: Transcript) -> list[Segment]:
    return [segment for segment in transcript.segments if segment.text]


def _turns(transcript: Transcript) -> list[str]:
    """What each speaker says in turn; all words where speakers were not told apart."""
    turns = groupby(_spoken(transcript), key=lambda segment: segment.speaker)
    texts = ((speaker, joined(list(segments))) for speaker, segments in turns)
    return [f"{speaker}: {text}" if speaker else text for speaker, text in texts]


def _after_speaker(segment: Segment) -> str:
    return f"{segment.speaker}: {segment.text}" if segment.speaker else segment.text


def _voice(segment: Segment) -> str:
    """WebVTT's mark of who speaks."""
    return f"<v {segment.speaker}>" if segment.speaker else ""


def _cue_times(segment: Segment, point: str) -> str:
    return f"{_clock(segment.start, point)} --> {_clock(segment.end, point)}"


def _clock(seconds: float, point: str) -> str:
    """Hours, minutes, seconds and, after `point`, thousandths."""
    total = round(seconds * 1000)
    minutes, thousandths = divmod(total, 60_000)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{thousandths // 1000:02}{point}{thousandths % 1000:03}"


def _escape(words: str) -> str:
    return words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
