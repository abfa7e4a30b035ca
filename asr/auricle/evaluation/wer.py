"""Word and character error rates with their counts, aligned by jiwer.

The rate is (substitutions + deletions + insertions) / reference length, over all utterances
together, never a mean of rates. Every utterance counts, one-letter and empty references too: an
empty reference adds its inserted words to the errors and nothing to the length. A corpus without
any reference word counts as one word long, so its rate is the number of words invented (jiwer's
rule since 4.0) and never infinite.
"""

from dataclasses import dataclass
from typing import Self

import jiwer


@dataclass(frozen=True, slots=True)
class ErrorCounts:
    """The four counts of an alignment; they add up over utterances."""

    hits: int = 0
    substitutions: int = 0
    deletions: int = 0
    insertions: int = 0

    @property
    def errors(self) -> int:
        """Edits that turn the reference into the hypothesis."""
        return self.substitutions + self.deletions + self.insertions

    @property
    def reference_length(self) -> int:
        """Words, or characters, of the reference."""
        return self.hits + self.substitutions + self.deletions

    @property
    def rate(self) -> float:
        """Errors for each word of the reference; above 1 where more was invented than said."""
        return self.errors / max(self.reference_length, 1)

    def __add__(self, other: Self) -> Self:
        return type(self)(
            self.hits + other.hits,
            self.substitutions + other.substitutions,
            self.deletions + other.deletions,
            self.insertions + other.insertions,
        )


def word_errors(reference: str, hypothesis: str) -> ErrorCounts:
    """The word errors of one utterance. Words are what spaces separate: normalise first."""
    return _counts(jiwer.process_words(reference, hypothesis))


def char_errors(reference: str, hypothesis: str) -> ErrorCounts:
    """The character errors of one utterance; the spaces between words are characters, too."""
    return _counts(jiwer.process_characters(reference, hypothesis))


def align(reference: str, hypothesis: str) -> str:
    """Reference above hypothesis, word by word, errors marked S, D, I below."""
    output = jiwer.process_words(reference, hypothesis)
    drawing = jiwer.visualize_alignment(output, show_measures=False)
    rows = [row.rstrip() for row in drawing.splitlines()]
    return "\n".join(row for row in rows if row and not row.startswith("==="))


def _counts(output: jiwer.WordOutput | jiwer.CharacterOutput) -> ErrorCounts:
    return ErrorCounts(output.hits, output.substitutions, output.deletions, output.insertions)
