"""Hotwords: phrases that a search favours, each with its weight."""

from collections.abc import Iterable
from dataclasses import dataclass
from numbers import Real
from typing import Self

from auricle_types.errors import InvalidOptionError
from auricle_types.metadata import Range
from auricle_types.quoting import quoted

HOTWORD_WEIGHT = 1.0  # nats for each token of a phrase: distractors cost little
HOTWORD_WEIGHTS = Range(0, 10)
MOST_HOTWORDS = 1_000
HOTWORD_CHARACTERS = 100  # of one phrase
ALL_HOTWORD_CHARACTERS = 20_000


@dataclass(frozen=True, slots=True)
class Hotword:
    """A phrase that is likely in the audio, as it is written.

    Each token of the phrase adds `weight` (0 to 10) to the score of a text with that phrase.
    Raises InvalidOptionError for an empty or too long phrase, and a weight out of range.
    """

    phrase: str
    weight: float = HOTWORD_WEIGHT

    def __post_init__(self) -> None:
        if not isinstance(self.phrase, str):
            raise InvalidOptionError(f"hotwords must be text, not {quoted(self.phrase)}")
        object.__setattr__(self, "phrase", " ".join(self.phrase.split()))
        if not 0 < len(self.phrase) <= HOTWORD_CHARACTERS:
            raise InvalidOptionError(
                f"a hotword must have 1 to {HOTWORD_CHARACTERS} characters: {quoted(self.phrase)}"
            )
        if not isinstance(self.weight, Real) or self.weight not in HOTWORD_WEIGHTS:
            raise InvalidOptionError(
                f"the weight of a hotword must be {HOTWORD_WEIGHTS}: "
                f"{quoted(self.phrase)} has {quoted(self.weight)}"
            )

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `phrase` or `phrase:weight`. Raises InvalidOptionError as above."""
        phrase, colon, weight = text.rpartition(":")
        if not colon:
            return cls(text)
        try:
            return cls(phrase, float(weight))
        except ValueError as error:
            if isinstance(error, InvalidOptionError):
                raise
            raise InvalidOptionError(
                f"a hotword is written as PHRASE or PHRASE:WEIGHT, not {quoted(text)}"
            ) from error


def as_hotwords(given: object) -> tuple[Hotword, ...]:
    """Return what callers may give, `Hotword`s or text, as a tuple of `Hotword`s.

    Raises InvalidOptionError for anything else, and for too many phrases.
    """
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise InvalidOptionError(f"hotwords must be a list of phrases, not {quoted(given)}")
    listed = list(given)
    if len(listed) > MOST_HOTWORDS:
        raise InvalidOptionError(
            f"there may be {MOST_HOTWORDS} hotwords, not {len(listed)}: keep those that matter"
        )
    found = tuple(_hotword(each) for each in listed)
    characters = sum(len(each.phrase) for each in found)
    if characters > ALL_HOTWORD_CHARACTERS:
        raise InvalidOptionError(
            f"all hotwords together may have {ALL_HOTWORD_CHARACTERS} characters, not "
            f"{characters}: keep those that matter"
        )
    return found


def _hotword(given: object) -> Hotword:
    if isinstance(given, Hotword):
        return given
    if isinstance(given, str):
        return Hotword.parse(given)
    raise InvalidOptionError(f"hotwords must be text or Hotword, not {quoted(given)}")
