"""Guards: each knows one way in which a decoder talks on where nobody speaks, and ends it there.

An attention decoder can fall into a loop, or make up words for noise. Speech has limits: what goes
beyond them is no transcript.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from auricle.decoding.loops import Possible, Repetition, Tokens

SYLLABLES = 8.0  # a second, of the fastest speech; a token is at least one


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
class Rate:
    """No more tokens than anybody says in that time."""

    limit: int
    name: str = "rate"

    def cut(self, tokens: Tokens) -> Tokens | None:
        """The hypothesis as it is, at the limit."""
        return tokens if len(tokens) >= self.limit else None


def new_guards(
    seconds: float, tokens_per_second: float, silent: bool, possible: Possible | None = None
) -> Sequence[Guard]:
    """Those of one utterance; `silent`: nobody speaks in it.

    `possible`: how often a phrase can have been said in a row, by default what there is time for.
    """
    few = 8  # a word that is cut out closely
    return (
        Silence(silent),
        Repetition(possible or (lambda phrase: seconds * SYLLABLES / len(phrase))),
        Rate(few + math.ceil(seconds * tokens_per_second)),
    )
