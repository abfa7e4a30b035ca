"""Recognisers as contestants: each reads corpora; what counts is how fast, and with which errors.

Each runs in a process of its own. What it reads stays there: only scores come back.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from typing import Any

import click

from auricle.recognizer import Recognizer
from auricle_types.options import DecodingOptions
from benchmarks.command import use_threads
from benchmarks.conditions import Samples
from benchmarks.corpora import Corpus
from benchmarks.elsewhere import Elsewhere
from benchmarks.ours import PROCESSES, throughput
from benchmarks.peers.faster import Transcribe
from benchmarks.peers.real import Load, NotForThisError
from benchmarks.rounds import Contestant, Standing, alternate
from benchmarks.scores import english, score

FIRST = 4  # utterances before the clock starts: the first ones are slower


class Reader:
    """A contestant that reads a whole corpus a run."""

    def __init__(self, name: str, transcribe: Transcribe, corpus: Corpus) -> None:
        """Reads a few utterances at once, which do not count."""
        self.name = name
        self._transcribe = transcribe
        self._corpus = corpus
        self._texts: list[str] = []
        transcribe(corpus.waveforms[:FIRST])

    @property
    def audio_seconds(self) -> float:
        """Seconds of audio in one run."""
        return sum(self._corpus.seconds)

    def run(self) -> None:
        """Transcribe all of the recordings."""
        self._texts = self._transcribe(self._corpus.waveforms)

    def facts(self) -> dict[str, Any]:
        """The score of the last run, after Whisper's English normaliser."""
        return score(self._corpus.texts, self._texts, english()).to_dict()


Make = Callable[[Corpus], Contestant]  # called in the contestant's own process


def ours(
    model: str, options: DecodingOptions, threads: int, ways: Iterable[tuple[str, int]]
) -> dict[str, Make]:
    """Auricle in each dtype with as many processes, by its name."""
    return {our_name(*way): partial(_ours, model, options, threads, way) for way in ways}


def our_name(dtype: str, processes: int) -> str:
    """How the tables name a contestant."""
    return f"auricle {dtype}{PROCESSES if processes > 1 else ''}"


def peers(loads: Mapping[str, Load], model: str, threads: int) -> dict[str, Make]:
    """Others, by their names."""
    return {name: partial(_peer, name, load, model, threads) for name, load in loads.items()}


def side_by_side(
    makes: Mapping[str, Make], corpora: Sequence[Corpus], rounds: int = 1
) -> dict[str, dict[str, Standing]]:
    """By corpus how each did that can read these weights here; the user is told who cannot."""
    return {corpus.name: _race(makes, corpus, rounds) for corpus in corpora}


def figures(standings: Mapping[str, Mapping[str, Standing]]) -> dict[str, dict[str, Any]]:
    """Plain values, by corpus and reader."""
    return {
        corpus: {name: standing.to_dict() for name, standing in found.items()}
        for corpus, found in standings.items()
    }


def _race(makes: Mapping[str, Make], corpus: Corpus, rounds: int) -> dict[str, Standing]:
    with ExitStack() as stack:
        return alternate(list(_present(makes, corpus, stack)), rounds)


def _present(makes: Mapping[str, Make], corpus: Corpus, stack: ExitStack) -> Iterator[Contestant]:
    for name, make in makes.items():
        try:
            yield stack.enter_context(Elsewhere(partial(make, corpus)))
        except (ModuleNotFoundError, NotForThisError) as missing:
            click.echo(f"without {name}: {missing}", err=True)


def _ours(
    model: str, options: DecodingOptions, threads: int, way: tuple[str, int], corpus: Corpus
) -> Reader:
    use_threads(threads)
    dtype, processes = way
    recognizer = Recognizer.from_pretrained(
        model, device="cpu", dtype=dtype, engine=throughput(processes)
    )

    def transcribe(clips: Sequence[Samples]) -> list[str]:
        return [each.text for each in recognizer.transcribe(list(clips), options=options)]

    return Reader(our_name(*way), transcribe, corpus)


def _peer(name: str, load: Load, model: str, threads: int, corpus: Corpus) -> Reader:
    use_threads(threads)
    return Reader(name, load(model, threads), corpus)
