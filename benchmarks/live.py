"""Live speech at speaking pace: python -m benchmarks.live [MANIFEST]... (make bench-live).

Utterances of the manifests, by default of samples/, are joined to streams, with a second of silence
behind each, and played at the pace at which they were spoken: one stream, then many at once. The
end of an utterance's first word is that of the model's own word times.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np
from tqdm import tqdm

from auricle.config import SAMPLE_RATE
from auricle.evaluation import ErrorCounts, word_errors
from auricle.recognizer import Recognizer
from auricle_types.events import (
    EndOfUtterance,
    Event,
    FinalSegment,
    FinalTranscript,
    Interim,
)
from auricle_types.options import DecodingOptions, StreamingOptions
from auricle_types.transcript import joined
from benchmarks.command import benchmark_options, use_threads
from benchmarks.conditions import Samples
from benchmarks.corpora import Corpus
from benchmarks.recordings import SAMPLES
from benchmarks.results import Result, table
from benchmarks.scores import english

CHUNK = SAMPLE_RATE // 10
PAUSE = 1.0  # seconds of silence behind each utterance
LIVE = StreamingOptions(interim_results=True, voice_activity=True)
PACKAGES = ("torch", "jiwer")
Timed = tuple[float, Event]  # seconds since the stream began


@dataclass(frozen=True, slots=True)
class Utterance:
    """Where an utterance stands in its stream, in seconds, and what is said in it."""

    start: float
    end: float
    first_word_end: float
    text: str


@dataclass(frozen=True, slots=True)
class Tape:
    """A stream's audio and its utterances."""

    samples: Samples
    utterances: tuple[Utterance, ...]


@dataclass(frozen=True, slots=True)
class LiveFigures:
    """What so many streams at once gave. Latencies in seconds, rates as shares of words."""

    streams: int
    utterances: int
    first_interim_p50: float
    first_interim_p95: float
    final_p50: float
    final_p95: float
    without_interim: int
    taken_back: float
    stable_taken_back: float
    stable_words: float
    wer_live: float
    wer_whole: float


def tapes(recognizer: Recognizer, corpora: Sequence[Corpus], count: int, each: int) -> list[Tape]:
    """Join utterances to `count` streams of `each`, over again where there are too few."""
    spoken = [
        pair for corpus in corpora for pair in zip(corpus.waveforms, corpus.texts, strict=True)
    ]
    ends = [_first_word_end(recognizer, samples) for samples, _ in tqdm(spoken, desc="words")]
    chosen = np.resize(np.arange(len(spoken)), count * each).reshape(count, each)
    return [_tape([(*spoken[number], ends[number]) for number in row]) for row in chosen]


def _first_word_end(recognizer: Recognizer, samples: Samples) -> float:
    said = recognizer.transcribe(samples, options=DecodingOptions(word_timestamps=True))
    words = [word for segment in said.segments for word in segment.words]
    return words[0].end if words else 0.0


def _tape(spoken: Sequence[tuple[Samples, str, float]]) -> Tape:
    silence = np.zeros(round(PAUSE * SAMPLE_RATE), np.float32)
    parts, utterances, start = [silence], [], PAUSE
    for samples, text, word_end in spoken:
        end = start + len(samples) / SAMPLE_RATE
        utterances.append(Utterance(start, end, start + word_end, text))
        parts += [samples, silence]
        start = end + PAUSE
    return Tape(np.concatenate(parts), tuple(utterances))


async def played(recognizer: Recognizer, tape: Tape) -> list[Timed]:
    """Play a tape at the pace of its speech; return when each event came."""
    began = time.monotonic()

    async def chunks() -> AsyncIterator[Samples]:
        for start in range(0, len(tape.samples), CHUNK):
            chunk = tape.samples[start : start + CHUNK]
            due = began + (start + len(chunk)) / SAMPLE_RATE
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            yield chunk

    happened = recognizer.stream_async(chunks(), streaming=LIVE)
    return [(time.monotonic() - began, event) async for event in happened]


async def all_played(recognizer: Recognizer, tapes: Sequence[Tape]) -> list[list[Timed]]:
    """Play all tapes at once, a little apart, as people do not begin together."""

    async def later(number: int) -> list[Timed]:
        await asyncio.sleep(number * 0.37)
        return await played(recognizer, tapes[number])

    return list(await asyncio.gather(*map(later, range(len(tapes)))))


def figures(recognizer: Recognizer, tapes: Sequence[Tape]) -> LiveFigures:
    """Play the tapes and look at what came when."""
    happened = asyncio.run(all_played(recognizer, tapes))
    first = [
        latency
        for tape, events in zip(tapes, happened, strict=True)
        for latency in first_interims(tape, events)
    ]
    came = [latency for latency in first if latency is not None]
    finals = [latency for events in happened for latency in final_latencies(events)]
    words = [counted for events in happened for counted in shown_words(events)]
    shown, back, stable, stable_back = (sum(column) for column in zip(*words, strict=True))
    live = _wer(tapes, [_transcript(events) for events in happened])
    whole = _wer(tapes, [recognizer.transcribe(tape.samples).text for tape in tapes])
    return LiveFigures(
        streams=len(tapes),
        utterances=len(first),
        first_interim_p50=_rank(came, 50),
        first_interim_p95=_rank(came, 95),
        final_p50=_rank(finals, 50),
        final_p95=_rank(finals, 95),
        without_interim=len(first) - len(came),
        taken_back=round(back / max(shown, 1), 4),
        stable_taken_back=round(stable_back / max(stable, 1), 4),
        stable_words=round(stable / max(shown, 1), 4),
        wer_live=live,
        wer_whole=whole,
    )


def first_interims(tape: Tape, events: Sequence[Timed]) -> Iterator[float | None]:
    """For each utterance, from its first word's end to its first interim result."""
    for utterance in tape.utterances:
        times = [
            at
            for at, event in events
            if isinstance(event, Interim) and utterance.start - 0.5 <= event.start < utterance.end
        ]
        yield min(times) - utterance.first_word_end if times else None


def final_latencies(events: Sequence[Timed]) -> Iterator[float]:
    """For each utterance, from the end of its speech until all its words were final."""
    return (at - event.at for at, event in events if isinstance(event, EndOfUtterance))


def shown_words(events: Sequence[Timed]) -> Iterator[tuple[int, int, int, int]]:
    """For each interim result: its words, how many of them were taken back; both of stable ones."""
    open_interims: list[Interim] = []
    segments: list[str] = []
    for _, event in events:
        if isinstance(event, Interim):
            open_interims.append(event)
        elif isinstance(event, FinalSegment):
            segments.append(event.segment.text)
        elif isinstance(event, EndOfUtterance):
            final = " ".join(segments)
            for interim in open_interims:
                words, stable = english()(interim.text).split(), interim.stable_text.split()
                yield (
                    len(words),
                    _unlike(words, english()(final).split()),
                    len(stable),
                    _unlike(stable, final.split()),
                )
            open_interims, segments = [], []


def _unlike(words: Sequence[str], final: Sequence[str]) -> int:
    """Words that are not in the final text where they stood."""
    kept = sum(one == other for one, other in zip(words, final, strict=False))
    return len(words) - kept


def _transcript(events: Sequence[Timed]) -> str:
    last = events[-1][1]
    return joined(last.transcript.segments) if isinstance(last, FinalTranscript) else ""


def _wer(tapes: Sequence[Tape], texts: Sequence[str]) -> float:
    counts = (
        word_errors(english()(" ".join(u.text for u in tape.utterances)), english()(text))
        for tape, text in zip(tapes, texts, strict=True)
    )
    return round(sum(counts, start=ErrorCounts()).rate, 4)


def _rank(values: Sequence[float], rank: int) -> float:
    return round(float(np.percentile(values, rank)), 3) if values else float("nan")


@click.command(help=__doc__)
@click.argument("manifests", nargs=-1, type=click.Path(exists=True, path_type=Path))
@click.option("--utterances", type=click.IntRange(1), default=8, help="Of each stream.")
@click.option("--streams", multiple=True, type=click.IntRange(1), help="At once; 1, 4 and 16.")
@benchmark_options
def main(
    manifests: Sequence[Path],
    utterances: int,
    streams: Sequence[int],
    quick: bool,
    threads: int,
    output: Path | None,
) -> None:
    """Play, print the table, write the result."""
    use_threads(threads)
    result = Result("live", quick, threads, PACKAGES)
    each = 1 if quick else utterances
    counts = [1] if quick else list(streams or (1, 4, 16))
    limit = max(counts) * each // max(len(manifests), 1) + 1
    corpora = [Corpus.load(m, limit) for m in manifests or [SAMPLES / "manifest.jsonl"]]
    with Recognizer.from_pretrained(device="cpu") as recognizer:
        all_tapes = tapes(recognizer, corpora, max(counts), each)
        found: list[dict[str, Any]] = [
            asdict(figures(recognizer, all_tapes[:count])) for count in tqdm(counts, desc="streams")
        ]
        dtype = recognizer.dtype
    print(table(list(found[0]), [list(row.values()) for row in found]))
    result.write({"dtype": dtype, "figures": found}, output)


if __name__ == "__main__":
    main()
