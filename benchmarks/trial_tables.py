"""The figures of `benchmarks.trials` as a table, for the eye and for docs/history.md."""

from collections.abc import Iterator, Mapping
from typing import Any

from benchmarks.results import table

Figures = Mapping[str, Any]
HEAD = (
    "Trial",
    "Million parameters",
    "Steps a second",
    "Reads, audio s/s",
    "CTC loss",
    "Attention loss",
    "CER (95 %)",
    "WER (95 %)",
)


def tables(figures: Figures) -> Iterator[str]:
    """All trials, then each corpus' character error rates."""
    trials = figures["trials"]
    yield table(HEAD, [_row(name, found) for name, found in trials.items()])
    corpora = list(next(iter(trials.values()))["scores"]) if trials else []
    rows = [
        (name, *(f"{found['scores'][corpus]['cer']['value']:.1%}" for corpus in corpora))
        for name, found in trials.items()
    ]
    yield table(("CER by speech", *corpora), rows)


def _row(name: str, found: Figures) -> tuple[object, ...]:
    step, losses = found["seconds_a_step"], found["losses"]
    return (
        name,
        f"{found['parameters'] / 1e6:.2f}",
        f"{1 / step:.1f}" if step else "",
        found["audio_seconds_per_core_second"],
        f"{losses['ctc']:.2f}",
        f"{losses['attention']:.2f}",
        _interval(found["all"]["cer"]),
        _interval(found["all"]["wer"]),
    )


def _interval(rate: Mapping[str, float]) -> str:
    return f"{rate['value']:.1%} ({rate['low']:.1%} to {rate['high']:.1%})"
