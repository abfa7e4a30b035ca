"""The figures of `benchmarks.accuracy` as tables, for the eye and for docs/accuracy.md."""

from collections.abc import Iterator, Mapping
from typing import Any

from benchmarks import peer_tables
from benchmarks.peer_tables import ABSENT, interval
from benchmarks.results import table

Figures = Mapping[str, Any]
CLIP = "a clip of {audio_seconds:g} s, model ready, {rounds} rounds"
COLD = "a file of {audio_seconds:g} s, a whole process, {rounds} rounds"


def tables(figures: Figures) -> Iterator[str]:
    """Write all of the tables."""
    yield _weights(figures)
    yield _corpora(figures)
    yield from peer_tables.tables(figures)
    yield _single(figures)
    yield _grid("WER by condition", figures["conditions"])
    yield _grid("WER by length", figures["by_length"])
    yield _grid("WER by numbers and search", figures["ways"])
    yield _edits(figures["ways"])
    yield _long_audio(figures["long_audio"])
    yield table(("Nobody speaks", "Words invented an hour"), list(figures["invented"].items()))
    yield _muted(figures)


def _weights(figures: Figures) -> str:
    model, limit = figures["model"], figures["first_utterances_only"]
    part = f", the first {limit} utterances of each set" if limit else ""
    size = model["bytes"] / 1e6
    return f"Weights `{model['name']}`: {size:.1f} MB, SHA-256 {model['sha256']}...{part}."


def _corpora(figures: Figures) -> str:
    rows = []
    for name, found in figures["conditions"].items():
        clean, minutes = found["clean"], figures["corpora"][name]["minutes"]
        rates = interval(clean["wer"]), interval(clean["cer"])
        rows.append((name, clean["utterances"], minutes, clean["words"], *rates))
    head = ("Speech", "Utterances", "Minutes", "Words", "WER (95 %)", "CER (95 %)")
    return table(head, rows)


def _single(figures: Figures) -> str:
    """One recording at a time."""
    rows = [
        (what.format(**found), name, f"{seconds:.3f}", "" if number else _faster(found))
        for what, found in ((CLIP, figures["clip"]), (COLD, figures["cold"]))
        for number, (name, seconds) in enumerate(found["seconds"].items())
    ]
    return table(("One recording", "", "Seconds, median", "Times as fast"), rows)


def _faster(found: Figures) -> object:
    return ABSENT if found["faster_than_peer"] is None else found["faster_than_peer"]


def _edits(ways: Figures) -> str:
    """What is left out and what is put in, of all words."""
    rows = []
    for name, found in ways.items():
        said = sum(each["words"] for each in found.values())
        shares = [
            sum(each[edit] * each["words"] for each in found.values()) / max(said, 1)
            for edit in ("deleted", "inserted")
        ]
        rows.append((name, *(f"{share:.1%}" for share in shares)))
    return table(("All words", "Left out", "Put in"), rows)


def _long_audio(found: Figures) -> str:
    rows = [
        (name, each["joined"]["utterances"], _percent(each["joined"]), interval(alone["wer"]))
        for name, each in found.items()
        for alone in (each["alone"],)
    ]
    return table(("Long audio", "Recordings", "Joined, WER", "Each alone, WER (95 %)"), rows)


def _muted(figures: Figures) -> str:
    """Of utterances in which somebody speaks."""
    muted = figures["muted"]
    rows = [
        (name, *(f"{found['wordless']} ({found.get('silence', 0)})" for found in each.values()))
        for name, each in muted.items()
    ]
    conditions = next(iter(muted.values()))
    return table(("No word heard (called silence)", *conditions), rows)


def _grid(title: str, rows: Mapping[str, Figures]) -> str:
    """One score a cell; all rows have the same columns."""
    columns = next(iter(rows.values()))
    cells = [(name, *(_percent(row[column]) for column in columns)) for name, row in rows.items()]
    return table((title, *columns), cells)


def _percent(score: Figures | None) -> str:
    if score is None:
        return ""
    return f"{score['wer']['value']:.1%}"
