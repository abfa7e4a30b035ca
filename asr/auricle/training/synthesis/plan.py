"""Who says what: an endless, seeded list of utterances that can be entered anywhere."""

import hashlib
import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from auricle.training.synthesis.sentences import Sentence
from auricle.training.synthesis.voices import Voice, draw_voice


@dataclass(frozen=True, slots=True)
class PlannedUtterance:
    """The plan's entry `index`: a sentence and who says it."""

    index: int
    sentence: Sentence
    voice: Voice


class Plan:
    """All sentences in a weighted random order, over and over, each time by another voice."""

    def __init__(
        self, sentences: Sequence[Sentence], cast: Mapping[str, Sequence[str]], seed: int
    ) -> None:
        self.sentences = sentences
        self.cast = cast
        self.seed = seed
        self.order = weighted_order([s.weight for s in sentences], seed)

    def utterances(self, start: int = 0) -> Iterator[PlannedUtterance]:
        """The utterances from entry `start` on, without end."""
        return map(self.utterance, itertools.count(start))

    def utterance(self, index: int) -> PlannedUtterance:
        """Entry `index`, which depends on no other entry."""
        sentence = self.sentences[self.order[index % len(self.order)]]
        rng = np.random.default_rng((self.seed, index))
        return PlannedUtterance(index, sentence, draw_voice(rng, self.cast))

    def identity(self) -> dict[str, str | int]:
        """What must stay the same for a later run to go on with this plan."""
        return {
            "seed": self.seed,
            "sentences": _digest(f"{s.text}\t{s.spoken}\t{s.weight}" for s in self.sentences),
            "voices": _digest(f"{engine}\t{names}" for engine, names in sorted(self.cast.items())),
        }


def weighted_order(weights: Sequence[float], seed: int) -> list[int]:
    """A random order in which heavier entries tend to come first.

    Every prefix is a weighted sample without replacement: the keys are exponential variates over
    the weights (Efraimidis and Spirakis 2006).
    """
    keys = np.random.default_rng(seed).exponential(size=len(weights)) / np.asarray(weights)
    order: list[int] = np.argsort(keys, kind="stable").tolist()
    return order


def _digest(lines: Iterator[str]) -> str:
    digest = hashlib.sha256()
    for line in lines:
        digest.update(line.encode() + b"\n")
    return digest.hexdigest()[:16]
