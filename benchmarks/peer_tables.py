"""Everybody's errors and speed on each corpus, as tables."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from benchmarks.peers.real import FASTER_WHISPER
from benchmarks.results import table

Figures = Mapping[str, Any]  # by corpus and reader: a score and audio seconds a second
ABSENT = "not installed"


def tables(result: Mapping[str, Any]) -> Iterator[str]:
    """All of a result."""
    yield errors(result["readers"])
    yield speeds(result["readers"])
    yield fastest(result["readers"])


def errors(corpora: Figures) -> str:
    """Word error rates with their intervals."""
    rows = [
        (name, *(interval(found[name]["wer"]) for found in corpora.values()))
        for name in _names(corpora)
    ]
    return table(("WER (95 %), Whisper's normaliser", *corpora), rows)


def speeds(corpora: Figures) -> str:
    """Audio seconds a second; our fastest over their fastest."""
    rows: list[Sequence[object]] = [
        (name, *(found[name]["audio_seconds_per_second"] for found in corpora.values()))
        for name in _names(corpora)
    ]
    rows.append(("over the fastest faster-whisper", *map(_over, corpora.values())))
    return table(("Audio s/s", *corpora), rows)


def fastest(corpora: Figures) -> str:
    """Which way of faster-whisper that is."""
    found = {corpus: _best(readers, theirs=True) for corpus, readers in corpora.items()}
    if not all(found.values()):
        return "faster-whisper was not measured."
    return f"The fastest faster-whisper: {', '.join(f'{w} ({c})' for c, w in found.items())}."


def interval(rate: Mapping[str, float]) -> str:
    """Write an interval with its ends."""
    return f"{rate['value']:.1%} ({rate['low']:.1%} to {rate['high']:.1%})"


def _names(corpora: Figures) -> list[str]:
    return list(next(iter(corpora.values())))


def _over(readers: Figures) -> float | str:
    theirs, ours = _best(readers, theirs=True), _best(readers, theirs=False)
    if not theirs or not ours:
        return ABSENT
    return float(f"{_speed(readers, ours) / _speed(readers, theirs):.3g}")


def _best(readers: Figures, *, theirs: bool) -> str | None:
    """The fastest of faster-whisper's ways, or of ours."""
    names = [n for n in readers if (n in FASTER_WHISPER if theirs else n.startswith("auricle"))]
    return max(names, key=lambda name: _speed(readers, name), default=None)


def _speed(readers: Figures, name: str) -> float:
    return float(readers[name]["audio_seconds_per_second"])
