"""The output formats: a transcript and its input's name in, a string without a last newline out."""

import json
from collections.abc import Callable
from dataclasses import asdict
from itertools import groupby
from typing import Any

import click

from auricle_cli.channels import label_of, named
from auricle_cli.cues import CueLimits
from auricle_types.subtitles import spoken, srt_cues, vtt_cues
from auricle_types.transcript import Alternative, Segment, Transcript, Word, joined

Writer = Callable[[str, Transcript], str]


def text(_: str, transcript: Transcript) -> str:
    """The words alone, on one line; a line for each turn where it is known who speaks."""
    return "\n".join(_turns(transcript))


def labelled_text(name: str, transcript: Transcript) -> str:
    """The input's name, a tab, the words: for several inputs."""
    return "\n".join(f"{shown(name)}\t{line}" for line in text(name, transcript).split("\n"))


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
        "segments": [segment_fields(segment) for segment in transcript.segments],
        "warnings": list(transcript.warnings),
        "receipt": asdict(transcript.receipt),
    }
    line = json.dumps(fields, ensure_ascii=False)
    # A name's bytes that are no text stay in escapes, from which JSON readers get them back.
    return line.encode("utf-8", "backslashreplace").decode("utf-8")


def srt(_: str, transcript: Transcript) -> str:
    """Write subtitles in SubRip's format."""
    return srt_cues(transcript.segments)


def vtt(_: str, transcript: Transcript) -> str:
    """Write WebVTT subtitles (W3C), markup characters escaped."""
    return vtt_cues(transcript.segments)


def tsv(_: str, transcript: Transcript) -> str:
    """Write a table as openai-whisper does: start and end in milliseconds, the text."""
    rows = (
        f"{round(1000 * each.start)}\t{round(1000 * each.end)}\t{_cell(each.text)}"
        for each in spoken(transcript.segments)
    )
    return "\n".join(["start\tend\ttext", *rows])


# By the format's name, which is the suffix of its files, too.
WRITERS: dict[str, Writer] = {
    "txt": text,
    "json": json_line,
    "srt": srt,
    "vtt": vtt,
    "tsv": tsv,
}
ALONE = ("srt", "vtt", "tsv")  # what holds one recording
SUBTITLES = ("srt", "vtt")


def writer_of(format: str, limits: CueLimits = CueLimits()) -> Writer:
    """Return a format's writer, for subtitles with cues within `limits`."""
    writer = WRITERS[format]
    if format not in ALONE:
        return writer
    if format in SUBTITLES and limits:
        return lambda name, transcript: writer(name, limits.applied(named(transcript)))
    return lambda name, transcript: writer(name, named(transcript))


def segment_fields(segment: Segment) -> dict[str, Any]:
    """Write a segment with its channel, its language and its words, if it has them."""
    extras = {
        "channel": segment.channel,
        "language": segment.language,
        "words": [_word(word) for word in segment.words],
        "alternatives": [_alternative(other) for other in segment.alternatives],
    }
    return _word(segment) | {name: value for name, value in extras.items() if value}


def _word(word: Word | Segment) -> dict[str, Any]:
    fields = {
        "start": round(word.start, 3),
        "end": round(word.end, 3),
        "text": word.text,
        "confidence": round(word.confidence, 4),
    }
    return fields | ({"speaker": word.speaker} if word.speaker else {})


def _alternative(other: Alternative) -> dict[str, Any]:
    return {"text": other.text, "confidence": round(other.confidence, 4)}


def _turns(transcript: Transcript) -> list[str]:
    """What each one says in turn; all words where it is not known who speaks."""
    turns = groupby(spoken(transcript.segments), key=label_of)
    texts = ((label, joined(list(segments))) for label, segments in turns)
    return [f"{label}: {text}" if label else text for label, text in texts]


def _cell(words: str) -> str:
    return words.strip().replace("\t", " ")
