"""Guards: each knows one way in which a decoder talks on where nobody speaks, and ends it there.

An attention decoder can fall into a loop, or make up words for noise. Speech has limits: what goes
beyond them is no transcript.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

Tokens = tuple[int, ...]


class Guard(Protocol):
    """Looks at a hypothesis whenever it has grown, and at the empty one before the first step."""

    @property
    def name(self) -> str:
        """What receipts call it."""
        ...

    def cut(self, tokens: Tokens) -> Tokens | None:
        """What a hypothesis ends as at once; None where it may go on."""
        ...


@dataclass(frozen=True, slots=True)
class Silence:
    """No words where the VAD hears none; where none was asked, where CTC is sure of none."""

    silent: bool
    name: str = "silence"

    def cut(self, tokens: Tokens) -> Tokens | None:
        """Nothing is said."""
        return () if self.silent else None


@dataclass(frozen=True, slots=True)
class Repetition:
    """The same few tokens again and again are said once."""

    times: int = 4  # in a row, that something may be said: in the training transcripts it is 3
    longest: int = 16  # tokens that are repeated together
    name: str = "repetition"

    def cut(self, tokens: Tokens) -> Tokens | None:
        """Up to the first of the repetitions, where there are more than `times`."""
        for size in range(1, min(self.longest, len(tokens) // (self.times + 1)) + 1):
            if self._repeats(tokens[-size * (self.times + 1) :], size):
                return tokens[: len(tokens) - size * self.times]
        return None

    @staticmethod
    def _repeats(tokens: Tokens, size: int) -> bool:
        return tokens[size:] == tokens[:-size]


@dataclass(frozen=True, slots=True)
class Rate:
    """No more tokens than anybody says in that time."""

    limit: int
    name: str = "rate"

    def cut(self, tokens: Tokens) -> Tokens | None:
        """The hypothesis as it is, at the limit."""
        return tokens if len(tokens) >= self.limit else None


def new_guards(seconds: float, tokens_per_second: float, silent: bool) -> Sequence[Guard]:
    """Those of one utterance; `silent`: nobody speaks in it."""
    few = 8  # a word that is cut out closely
    return (
        Silence(silent),
        Repetition(),
        Rate(few + math.ceil(seconds * tokens_per_second)),
    )
