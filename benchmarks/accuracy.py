"""How well a model hears: python -m benchmarks.accuracy MANIFEST...

WER and CER of each manifest with 95 % intervals (percentile bootstrap over utterances); the same by
length of utterance, in noise and over a telephone; greedy beside beams, bfloat16 beside float32;
words invented where nobody speaks; and PocketSphinx on the same files, where it is installed. The
text is normalised as `auricle evaluate` does it.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np
import torch
from scipy.stats import bootstrap
from tqdm import tqdm

from auricle.audio import load_audio
from auricle.config import SAMPLE_RATE, DecodingOptions
from auricle.evaluation import ErrorCounts, char_errors, normalize, read_manifest, word_errors
from auricle.recognizer import BUNDLED, Recognizer
from benchmarks.command import benchmark_options, use_threads
from benchmarks.conditions import CONDITIONS, WORDLESS, Samples
from benchmarks.results import Result, table

LENGTHS = ((0.0, 2.0), (2.0, 5.0), (5.0, 10.0), (10.0, 60.0))  # seconds
RESAMPLES = 2_000
WORDLESS_SECONDS = 600.0
QUICK_UTTERANCES = 2
DTYPES = ("float32", "bfloat16")
BEAMS = (1, 4)
PACKAGES = ("torch", "numpy", "jiwer", "pocketsphinx")

Words = Callable[[Sequence[Samples]], list[str]]  # of each waveform


@dataclass(frozen=True, slots=True)
class Corpus:
    """A manifest's utterances in memory."""

    name: str
    waveforms: list[Samples]
    texts: list[str]

    @classmethod
    def load(cls, manifest: Path, limit: int | None = None) -> "Corpus":
        """The first `limit` utterances; all by default."""
        utterances = read_manifest(manifest)[:limit]
        waveforms = [load_audio(utterance.audio).samples for utterance in utterances]
        return cls(manifest.stem, waveforms, [normalize(each.text) for each in utterances])

    @property
    def seconds(self) -> list[float]:
        """Of each utterance."""
        return [len(waveform) / SAMPLE_RATE for waveform in self.waveforms]


@dataclass(frozen=True, slots=True)
class Score:
    """What one way of hearing a set of utterances made of it."""

    utterances: int
    words: int
    wer: float
    low: float  # of the 95 % interval of the WER
    high: float
    cer: float


def score(references: Sequence[str], hypotheses: Sequence[str]) -> Score:
    """Of normalised references and of what was recognised."""
    pairs = [(one, normalize(other)) for one, other in zip(references, hypotheses, strict=True)]
    counts = [word_errors(*pair) for pair in pairs]
    words = sum(counts, ErrorCounts())
    chars = sum((char_errors(*pair) for pair in pairs), ErrorCounts())
    low, high = interval([c.errors for c in counts], [c.reference_length for c in counts])
    return Score(
        len(pairs),
        words.reference_length,
        *(round(rate, 4) for rate in (words.rate, low, high, chars.rate)),
    )


def interval(errors: Sequence[int], lengths: Sequence[int]) -> tuple[float, float]:
    """The 95 % interval of the errors' sum over the lengths' sum, over utterances as drawn."""
    if len(errors) < 2:
        return 0.0, 1.0
    found = bootstrap(
        (errors, lengths),
        lambda e, n, axis: e.sum(axis=axis) / np.maximum(n.sum(axis=axis), 1),
        paired=True,
        vectorized=True,
        method="percentile",
        n_resamples=RESAMPLES,
        rng=np.random.default_rng(0),
    )
    return float(found.confidence_interval.low), float(found.confidence_interval.high)


@click.command(help=__doc__)
@click.argument("manifests", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--model", default=BUNDLED, help="A name, or a checkpoint's path.")
@benchmark_options
def main(
    manifests: Sequence[Path], model: str, quick: bool, threads: int, output: Path | None
) -> None:
    """Measure, print the tables, write the result."""
    use_threads(threads)
    result = Result("accuracy", quick, threads, PACKAGES)
    corpora = [Corpus.load(path, QUICK_UTTERANCES if quick else None) for path in manifests]
    figures = {
        "model": model,
        "corpora": {each.name: len(each.texts) for each in corpora},
        **of_conditions(model, corpora),
        "ways": dict(of_ways(model, corpora)),
        "invented": invented(model, 6.0 if quick else WORDLESS_SECONDS),
        "rtfx": speeds(model, corpora, threads),
        "pocketsphinx": pocketsphinx(corpora),
    }
    print("\n\n".join(tables(figures)))
    result.write(figures, output)


def of_conditions(model: str, corpora: Sequence[Corpus]) -> dict[str, Any]:
    """As `auricle transcribe` decodes by default: every condition, and the clean ones by length."""
    found: dict[str, dict[str, Score]] = {}
    by_length: dict[str, dict[str, Score]] = {}
    with Recognizer.from_pretrained(model) as recognizer:
        for corpus in tqdm(corpora, "conditions", leave=False, disable=None):
            heard = {
                name: _words(recognizer, [condition(each) for each in corpus.waveforms])
                for name, condition in CONDITIONS.items()
            }
            found[corpus.name] = {name: score(corpus.texts, words) for name, words in heard.items()}
            by_length[corpus.name] = dict(_by_length(corpus, heard["clean"]))
    return {"conditions": _plain(found), "by_length": _plain(by_length)}


def of_ways(model: str, corpora: Sequence[Corpus]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each dtype, greedy and with a beam."""
    for dtype in DTYPES:
        with Recognizer.from_pretrained(model, dtype=dtype) as recognizer:
            for beam in BEAMS:
                options = DecodingOptions(beam_size=beam)
                scores = {
                    corpus.name: score(corpus.texts, _words(recognizer, corpus.waveforms, options))
                    for corpus in corpora
                }
                yield f"{dtype}, {'greedy' if beam == 1 else f'beam {beam}'}", _plain(scores)


def invented(model: str, seconds: float) -> dict[str, float]:
    """Words an hour where nobody speaks."""
    with Recognizer.from_pretrained(model) as recognizer:
        words = {name: _words(recognizer, [of(seconds)]) for name, of in WORDLESS.items()}
    return {name: round(len(w[0].split()) * 3600 / seconds, 1) for name, w in words.items()}


def speeds(model: str, corpora: Sequence[Corpus], threads: int) -> dict[str, float]:
    """Seconds of audio a second, all utterances at once, greedy, with one thread and with all."""
    waveforms = [waveform for corpus in corpora for waveform in corpus.waveforms]
    audio = sum(map(len, waveforms)) / SAMPLE_RATE
    found = {}
    for count in sorted({1, threads}):
        torch.set_num_threads(count)
        with Recognizer.from_pretrained(model) as recognizer:
            _words(recognizer, waveforms[:4])  # the first ones are slower
            found[f"{count} threads"] = round(audio / _seconds(_words, recognizer, waveforms), 1)
    return found


def pocketsphinx(corpora: Sequence[Corpus]) -> dict[str, Any] | None:
    """Its scores on the clean utterances, and its speed; None where it is not installed."""
    try:
        from benchmarks.peers.sphinx import transcripts
    except ModuleNotFoundError as missing:
        print(f"without PocketSphinx: {missing}; pip install 'auricle[bench]'")
        return None
    started, scores = time.perf_counter(), {}
    for corpus in corpora:
        heard = tqdm(transcripts(corpus.waveforms), corpus.name, leave=False, disable=None)
        scores[corpus.name] = score(corpus.texts, list(heard))
    audio = sum(sum(corpus.seconds) for corpus in corpora)
    speed = round(audio / (time.perf_counter() - started), 1)
    return {"scores": _plain(scores), "audio_seconds_per_second": speed}


def tables(figures: Mapping[str, Any]) -> Iterator[str]:
    """The figures for reading."""
    conditions, peer = figures["conditions"], figures["pocketsphinx"]
    rows = []
    for name, found in conditions.items():
        clean = found["clean"]
        other = _said(peer["scores"][name]) if peer else "not installed"
        rows.append((name, clean["words"], _said(clean), f"{clean['cer']:.1%}", other))
    yield table(("Speech", "Words", "WER (95 %)", "CER", "PocketSphinx, WER"), rows)
    yield _grid("WER", conditions)
    yield _grid("WER by length", figures["by_length"])
    yield _grid("WER", figures["ways"])
    hours = figures["invented"].items()
    yield table(("Nobody speaks", "Words invented an hour"), list(hours))
    speed = list(figures["rtfx"].items())
    if peer:
        speed.append(("PocketSphinx, 1 thread", peer["audio_seconds_per_second"]))
    yield table(("Speed", "Audio s/s"), speed)


def _words(
    recognizer: Recognizer, waveforms: Sequence[Samples], options: DecodingOptions | None = None
) -> list[str]:
    return [each.text for each in recognizer.transcribe(list(waveforms), options=options)]


def _by_length(corpus: Corpus, heard: Sequence[str]) -> Iterator[tuple[str, Score]]:
    for shortest, longest in LENGTHS:
        rows = [row for row, length in enumerate(corpus.seconds) if shortest <= length < longest]
        if rows:
            texts, words = [corpus.texts[row] for row in rows], [heard[row] for row in rows]
            yield f"{shortest:g} to {longest:g} s", score(texts, words)


def _seconds(work: Callable[..., object], *arguments: object) -> float:
    started = time.perf_counter()
    work(*arguments)
    return time.perf_counter() - started


def _plain(scores: Mapping[str, Any]) -> dict[str, Any]:
    """Scores, however deep, as JSON wants them."""
    return {
        name: _plain(found)
        if isinstance(found, Mapping)
        else {field: getattr(found, field) for field in Score.__slots__}
        for name, found in scores.items()
    }


def _said(score: Mapping[str, float]) -> str:
    return f"{score['wer']:.1%} ({score['low']:.1%} to {score['high']:.1%})"


def _grid(title: str, rows: Mapping[str, Mapping[str, Mapping[str, float]]]) -> str:
    """One score a cell; not every row need have every column."""
    columns = list(dict.fromkeys(name for row in rows.values() for name in row))
    cells = [
        (name, *(f"{row[column]['wer']:.1%}" if column in row else "" for column in columns))
        for name, row in rows.items()
    ]
    return table((title, *columns), cells)


if __name__ == "__main__":
    main()
