"""The table of docs/accuracy.md about hotwords."""

from collections.abc import Iterator
from typing import Any

from benchmarks.results import table

Figures = dict[str, Any]


def tables(result: Figures) -> Iterator[str]:
    """Each search with hotwords and without, on the utterances that did not choose the weight."""
    yield f"{result['listed']} hotwords, each with a weight of {result['weight']:g}."
    head = (
        "Search",
        "Weight",
        "Hotwords said",
        "Found",
        "Invented",
        "WER without hotwords",
        "WER with hotwords",
    )
    yield table(head, [_row(each) for each in result["scores"]])
    chosen = [_row(each)[1:] for each in result["tuned"]]
    yield "The utterances by which the weight was chosen, in greedy search:"
    yield table(head[1:], chosen)


def _row(score: Figures) -> tuple[object, ...]:
    beam, weight = score["beam_size"], score["weight"]
    return (
        "greedy" if beam == 1 else f"beam {beam}",
        "none" if weight is None else f"{weight:g}",
        score["hotwords"],
        f"{score['found'] / max(score['hotwords'], 1):.1%}",
        score["invented"],
        f"{score['wer_without']:.2%}",
        f"{score['wer_with']:.2%}",
    )
