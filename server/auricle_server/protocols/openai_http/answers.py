"""Writes transcripts as OpenAI's API does."""

import json
import math
import zlib
from collections.abc import Iterator
from itertools import chain
from typing import Any

from starlette.responses import JSONResponse, PlainTextResponse, Response

from auricle.tokenizer.languages import LANGUAGES
from auricle_server.protocols.openai_http.convert import FormTask
from auricle_types.subtitles import spoken, srt_cues, vtt_cues
from auricle_types.transcript import Segment, Transcript, Word, gap

LEAST_CONFIDENCE = 1e-9  # its logarithm is finite
FRAMES_PER_SECOND = 100  # of Whisper's `seek`


def answer(transcript: Transcript, task: FormTask, default_language: str) -> Response:
    """Answer in the format that the task names; `default_language` is that of the model."""
    match task.format:
        case "text":
            return PlainTextResponse(transcript.text + "\n")
        case "srt":
            return PlainTextResponse(_lines(srt_cues(transcript.segments)))
        case "vtt":
            return PlainTextResponse(_lines(vtt_cues(transcript.segments)), media_type="text/vtt")
        case "verbose_json":
            return JSONResponse(verbose(transcript, task, default_language))
    body: dict[str, Any] = {"text": transcript.text, "usage": usage(transcript)}
    if task.has_logprobs:
        body["logprobs"] = logprobs(transcript.segments)
    return JSONResponse(body)


def verbose(transcript: Transcript, task: FormTask, default_language: str) -> dict[str, Any]:
    """Write everything that is known; the fields of a segment are partly estimates."""
    options = task.recognition.options
    body: dict[str, Any] = {
        "task": options.task,
        "language": _language(transcript, task, default_language),
        "duration": round(transcript.duration, 3),
        "text": transcript.text,
    }
    if task.has_segments:
        body["segments"] = list(_segments(transcript, options.temperature))
    if task.has_words:
        words = chain.from_iterable(segment.words for segment in transcript.segments)
        body["words"] = [_timed(word.text.strip(), word) for word in words]
    return body | {"usage": usage(transcript)}


def usage(transcript: Transcript) -> dict[str, Any]:
    """Write what OpenAI would bill: whole seconds of audio."""
    return {"type": "duration", "seconds": math.ceil(transcript.duration)}


def logprobs(segments: tuple[Segment, ...], before: str = "") -> list[dict[str, Any]]:
    """Write the logarithm of each word's confidence; a word, with its space, is one token."""
    found = []
    for word in chain.from_iterable(segment.words for segment in segments):
        text = gap(before, word.text.strip()) + word.text.strip()
        before = text
        logprob = _logarithm(word.confidence)
        found.append({"token": text, "bytes": list(text.encode()), "logprob": logprob})
    return found


def delta(before: str, segment: Segment, *, has_logprobs: bool) -> bytes:
    """Write the event of a segment that follows the text `before`."""
    text = gap(before, segment.text) + segment.text
    event: dict[str, Any] = {"type": "transcript.text.delta", "delta": text}
    if has_logprobs:
        event["logprobs"] = logprobs((segment,), before)
    return server_sent(event)


def done(transcript: Transcript, *, has_logprobs: bool) -> bytes:
    """Write the last event, which has the whole text."""
    event: dict[str, Any] = {"type": "transcript.text.done", "text": transcript.text}
    if has_logprobs:
        event["logprobs"] = logprobs(transcript.segments)
    return server_sent(event)


def server_sent(event: dict[str, Any]) -> bytes:
    """Write one event of a text/event-stream."""
    return b"data: " + json.dumps(event, ensure_ascii=False).encode() + b"\n\n"


def _segments(transcript: Transcript, temperature: float) -> Iterator[dict[str, Any]]:
    before = "."  # so that the first begins with a space, as Whisper's do
    for number, segment in enumerate(spoken(transcript.segments)):
        data = segment.text.encode()
        yield {
            "id": number,
            "seek": round(FRAMES_PER_SECOND * segment.start),
            "start": round(segment.start, 3),
            "end": round(segment.end, 3),
            "text": gap(before, segment.text) + segment.text,
            "tokens": [],
            "temperature": temperature,
            "avg_logprob": _logarithm(segment.confidence),
            "compression_ratio": round(len(data) / len(zlib.compress(data)), 4),
            "no_speech_prob": 0.0,
        }
        before = segment.text


def _timed(text: str, word: Word) -> dict[str, Any]:
    return {"word": text, "start": round(word.start, 3), "end": round(word.end, 3)}


def _language(transcript: Transcript, task: FormTask, default: str) -> str:
    """Return the English name of what was spoken, or of what it was translated into."""
    options = task.recognition.options
    found = next((each.language for each in transcript.segments if each.language), "")
    code = "en" if options.task == "translate" else found or options.language or default
    return LANGUAGES.get(code, code)


def _logarithm(confidence: float) -> float:
    return round(math.log(min(1.0, max(LEAST_CONFIDENCE, confidence))), 4)


def _lines(text: str) -> str:
    return text + "\n\n" if text else ""
