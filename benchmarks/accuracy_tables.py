"""The figures of `benchmarks.accuracy` as tables, for the eye and for docs/accuracy.md."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from benchmarks.results import table

Figures = Mapping[str, Any]
ABSENT = "not installed"


def tables(figures: Figures) -> Iterator[str]:
    """All of them."""
    yield _weights(figures)
    yield _corpora(figures)
    yield _grid("WER by condition", figures["conditions"])
    yield _grid("WER by length", figures["by_length"])
    yield _grid("WER by numbers and search", figures["ways"])
    yield _edits(figures["ways"])
    yield _long_audio(figures["long_audio"])
    yield table(("Nobody speaks", "Words invented an hour"), list(figures["invented"].items()))
    yield _muted(figures)
    yield _speed(figures)
    yield _peer(figures["pocketsphinx"])


def _weights(figures: Figures) -> str:
    model, limit = figures["model"], figures["first_utterances_only"]
    part = f", the first {limit} utterances of each set" if limit else ""
    size = model["bytes"] / 1e6
    return f"Weights `{model['name']}`: {size:.1f} MB, SHA-256 {model['sha256']}...{part}."


def _corpora(figures: Figures) -> str:
    peer, rows = figures["pocketsphinx"], []
    for name, found in figures["conditions"].items():
        clean = found["clean"]
        other = _interval(peer["scores"][name]["wer"]) if peer else ABSENT
        minutes = figures["corpora"][name]["minutes"]
        rates = (_interval(clean["wer"]), _interval(clean["cer"]), other)
        rows.append((name, clean["utterances"], minutes, clean["words"], *rates))
    head = ("Speech", "Utterances", "Minutes", "Words", "WER (95 %)", "CER (95 %)")
    return table((*head, "PocketSphinx, WER (95 %)"), rows)


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
        (name, each["joined"]["utterances"], _percent(each["joined"]), _interval(alone["wer"]))
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


def _speed(figures: Figures) -> str:
    peer, rtfx = figures["pocketsphinx"], figures["rtfx"]
    slow = peer["audio_seconds_per_second"] if peer else None
    rows: list[Sequence[object]] = [
        (cores, speed, round(speed / slow, 1) if slow else ABSENT) for cores, speed in rtfx.items()
    ]
    if slow:
        rows.append(("PocketSphinx, 1 core", slow, 1.0))
    return table(("Speed, greedy, 16 at a time", "Audio s/s", "Over PocketSphinx"), rows)


def _peer(peer: Figures | None) -> str:
    if peer is None:
        return "PocketSphinx was not measured."
    return f"PocketSphinx was measured on {', '.join(peer['dates'])} ({', '.join(peer['cpus'])})."


def _grid(title: str, rows: Mapping[str, Figures]) -> str:
    """One score a cell; all rows have the same columns."""
    columns = next(iter(rows.values()))
    cells = [(name, *(_percent(row[column]) for column in columns)) for name, row in rows.items()]
    return table((title, *columns), cells)


def _percent(score: Figures | None) -> str:
    if score is None:
        return ""
    return f"{score['wer']['value']:.1%}"


def _interval(rate: Mapping[str, float]) -> str:
    return f"{rate['value']:.1%} ({rate['low']:.1%} to {rate['high']:.1%})"
