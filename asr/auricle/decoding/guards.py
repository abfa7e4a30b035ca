"""Guards: each stops one way in which a decoder produces text where nobody speaks.

An attention decoder can fall into a loop, or make up words for noise. Speech has limits: text
beyond them is no transcript.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from auricle.decoding.repetition import Possible, RepetitionGuard, Tokens

SYLLABLES = 8.0  # a second, of the fastest speech; a token is at least one


class Guard(Protocol):
    """Looks at a hypothesis whenever it has grown, and at the empty one before the first step."""

    @property
    def name(self) -> str:
        """The name of the guard in receipts."""
        ...

    def cut(self, tokens: Tokens) -> Tokens | None:
        """Return the tokens with which a hypothesis ends at once; None where it may grow."""
        ...


@dataclass(frozen=True, slots=True)
class SilenceGuard:
    """Allows no words where the VAD finds none, or, without a VAD, where CTC is sure of none."""

    silent: bool
    name: str = "silence"

    def cut(self, tokens: Tokens) -> Tokens | None:
        """Return no tokens where it is silent."""
        return () if self.silent else None


@dataclass(frozen=True, slots=True)
class RateGuard:
    """Allows no more tokens than anybody says in that time."""

    limit: int
    name: str = "rate"

    def cut(self, tokens: Tokens) -> Tokens | None:
        """Return the tokens as they are, at the limit."""
        return tokens if len(tokens) >= self.limit else None


def new_guards(
    seconds: float, tokens_per_second: float, silent: bool, possible: Possible | None = None
) -> Sequence[Guard]:
    """Make the guards of one utterance; `silent` means that nobody speaks in it.

    `possible` tells how often a phrase can have been said in a row; by default it goes by time.
    """
    least = 8  # enough for a word that is cut out closely
    return (
        SilenceGuard(silent),
        RepetitionGuard(possible or (lambda phrase: seconds * SYLLABLES / len(phrase))),
        RateGuard(least + math.ceil(seconds * tokens_per_second)),
    )
