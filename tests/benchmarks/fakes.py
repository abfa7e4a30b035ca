"""Contestants and peers that stand in for the real ones."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from benchmarks.peers.faster import Transcribe
from benchmarks.peers.peer import Features
from benchmarks.peers.real import Load
from benchmarks.rounds import Contestant


class Counter:
    """A contestant that notes its turns in a book it shares with others."""

    def __init__(self, name: str, book: list[str], *, audio_seconds: float = 1.0) -> None:
        self.name = name
        self._audio_seconds = audio_seconds
        self.book = book

    @property
    def audio_seconds(self) -> float:
        return self._audio_seconds

    def run(self) -> None:
        self.book.append(self.name)

    def facts(self) -> dict[str, Any]:
        return {"fact": self.name}


class FakeGenerate:
    """A peer that answers at once, with `off` tokens too many."""

    def __init__(self, off: int = 0) -> None:
        self.off = off
        self.batches: list[int] = []

    def __call__(self, features: Features, tokens: int) -> list[int]:
        self.batches.append(len(features))
        return [tokens + self.off] * len(features)


@contextmanager
def here(make: Callable[[], Contestant]) -> Iterator[Contestant]:
    """In this process, in the place of `Elsewhere`."""
    yield make()


def says(text: str) -> Load:
    """A peer that reads the same in every clip."""

    def load(model: str, threads: int) -> Transcribe:
        return lambda clips: [text] * len(clips)

    return load


class Watch:
    """A clock that says what it is told to, one reading after the other."""

    def __init__(self, durations: Sequence[float]) -> None:
        self.readings = [now for duration in durations for now in (0.0, duration)]

    def __call__(self) -> float:
        return self.readings.pop(0)
