"""PocketSphinx' errors, kept in the result: it answers the same recordings always in the same way.

For each corpus the counts of its errors and the time it took are kept, no words. They hold for
that version and exactly those recordings in that order: it adapts from one to the next.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import astuple
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from tqdm import tqdm

from auricle.evaluation import ErrorCounts
from benchmarks.corpora import Corpus
from benchmarks.machine import machine, today
from benchmarks.scores import Counts, score_of

PEER = "pocketsphinx"
Row = dict[str, Any]  # of a corpus


def heard(corpora: Sequence[Corpus], kept: Mapping[str, Row]) -> dict[str, Any] | None:
    """Its figures on all of them; only what is not in `kept`, by its key, is measured now.

    None where it is not installed.
    """
    try:
        keys = {corpus.name: key(corpus) for corpus in corpora}
    except PackageNotFoundError as missing:
        print(f"without PocketSphinx: {missing}; pip install 'auricle[bench]'")
        return None
    rows = {keys[each.name]: kept.get(keys[each.name]) or measured(each) for each in corpora}
    seconds = sum(row["seconds"] for row in rows.values())
    return {
        "scores": {name: score_of(_counts(rows[key])).to_dict() for name, key in keys.items()},
        "audio_seconds_per_second": round(sum(sum(c.seconds) for c in corpora) / seconds, 2),
        "dates": sorted({row["date"] for row in rows.values()}),
        "cpus": sorted({row["cpu"] for row in rows.values()}),
        "kept": rows,
    }


def measured(corpus: Corpus) -> Row:
    """Its errors in each utterance, on one core."""
    from benchmarks.peers.sphinx import transcripts

    started = time.perf_counter()
    progress = tqdm(transcripts(corpus.waveforms), f"{PEER}, {corpus.name}", leave=False)
    words = list(progress)
    seconds = time.perf_counter() - started
    pairs = zip(corpus.texts, words, strict=True)
    return {
        "date": today(),
        "cpu": machine(1)["cpu"],
        "seconds": round(seconds, 1),
        "counts": " ".join(_text(Counts.of(text, answer)) for text, answer in pairs),
    }


def key(corpus: Corpus) -> str:
    """Of the recordings, what was said in them, and its version."""
    digest = sha256(version(PEER).encode())
    for samples, text in zip(corpus.waveforms, corpus.texts, strict=True):
        digest.update(samples.tobytes())
        digest.update(text.encode())
    return digest.hexdigest()[:16]


def _text(counts: Counts) -> str:
    """Hits, substitutions, deletions, insertions: of the words, then of the characters."""
    return ",".join(map(str, (*astuple(counts.words), *astuple(counts.chars))))


def _counts(row: Row) -> list[Counts]:
    figures = [[int(figure) for figure in each.split(",")] for each in row["counts"].split()]
    return [Counts(ErrorCounts(*each[:4]), ErrorCounts(*each[4:])) for each in figures]
