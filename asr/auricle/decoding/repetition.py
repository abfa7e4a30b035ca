"""The guard against loops: it stops a phrase that repeats too often to have been said.

What was truly said many times stays ("zero zero zero zero zero"): how many times are possible is
asked of the audio, of its length or of CTC.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

Tokens = tuple[int, ...]
Possible = Callable[[Tokens], float]  # how often a phrase can have been said in a row


class RepeatedPhrase(NamedTuple):
    """A phrase of `size` tokens, `copies` times at the end of some tokens."""

    size: int
    copies: int

    @property
    def repeats(self) -> int:
        """How many tokens follow the first copy."""
        return self.size * (self.copies - 1)


def loops(tokens: Tokens, times: int, longest: int) -> Iterator[RepeatedPhrase]:
    """Find phrases of up to `longest` tokens that end `tokens` more than `times` times.

    The shortest come first. Their last copy is whole, and nothing stands behind it.
    """
    for size in range(1, min(longest, len(tokens) // (times + 1)) + 1):
        copies = _copies(tokens, size)
        if copies > times:
            yield RepeatedPhrase(size, copies)


def _copies(tokens: Tokens, size: int) -> int:
    phrase, copies = tokens[-size:], 1
    while tokens[-size * (copies + 1) : -size * copies] == phrase:
        copies += 1
    return copies


def never(_phrase: Tokens) -> float:
    """Return 0: no phrase may be repeated."""
    return 0.0


@dataclass(frozen=True, slots=True)
class RepetitionGuard:
    """A `Guard` that keeps one copy of a phrase that repeats more often than is possible."""

    possible: Possible = never
    times: int = 4  # in a row, that anything may be said: in the training transcripts it is 3
    longest: int = 16  # tokens that are repeated together
    name: str = "repetition"

    def cut(self, tokens: Tokens) -> Tokens | None:
        """Return the tokens up to the end of the first copy."""
        for loop in loops(tokens, self.times, self.longest):
            if loop.copies > self.possible(tokens[-loop.size :]):
                return tokens[: len(tokens) - loop.repeats]
        return None
