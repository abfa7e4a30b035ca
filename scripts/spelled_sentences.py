"""Prints lines to spell, for `auricle synthesize`: words letter by letter, digits, numbers, dates.

The words are those of a training manifest (docs/training.md):
python scripts/spelled_sentences.py train.jsonl > spelled.txt
"""

import json
import re
import string
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random

import click

# ruff: noqa: SIM905 a line of words reads better than a column of strings

LINES, SEED = 6_000, 11  # of the third weights
DIGITS = tuple("oh zero one two three four five six seven eight nine".split())
TENS = tuple(
    "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen "
    "twenty thirty forty fifty sixty seventy eighty ninety".split()
)
MONTHS = tuple(
    "january february march april may june july august september october november december".split()
)
DAYS = (
    *"first second third fourth fifth sixth seventh eighth ninth tenth".split(),
    "twenty third",
    "thirty first",
    "eighteenth",
)


class Speller:
    """Makes lines; the same seed and words give the same ones."""

    def __init__(self, words: Sequence[str], seed: int = SEED) -> None:
        self._words = words
        self._random = Random(seed)  # noqa: S311 no secret
        self._kinds: list[Callable[[], str]] = [
            *[self._spelled] * 9,
            *[self._digits] * 4,
            *[self._mixed] * 4,
            *[self._date] * 2,
            *[self._numbers] * 2,
        ]

    def line(self) -> str:
        """Make the next line."""
        return self._random.choice(self._kinds)()

    def _spelled(self) -> str:
        return " ".join(self._random.choice(self._words))

    def _digits(self) -> str:
        return " ".join(self._random.choice(DIGITS) for _ in range(self._random.randint(3, 8)))

    def _mixed(self) -> str:
        count = self._random.randint(1, 5)
        letters = [self._random.choice(string.ascii_lowercase) for _ in range(count)]
        numbers = [self._number()]
        if self._random.random() < 0.5:
            numbers.append(self._number())
        return " ".join([*letters, *numbers])

    def _date(self) -> str:
        month, day = self._random.choice(MONTHS), self._random.choice(DAYS)
        return f"{month} {day} nineteen {self._number()}"

    def _numbers(self) -> str:
        return " ".join(self._number() for _ in range(self._random.randint(2, 4)))

    def _number(self) -> str:
        """Of two digits; most of the round ones go on."""
        ten = self._random.choice(TENS)
        if ten.endswith("ty") and self._random.random() < 0.6:
            return f"{ten} {self._random.choice(DIGITS[2:])}"
        return ten


def words_of(manifest: Path) -> list[str]:
    """The words of 3 to 9 letters in a manifest's texts."""
    texts = (json.loads(line)["text"] for line in manifest.read_text("utf-8").splitlines())
    return sorted(
        {word for text in texts for word in text.split() if re.fullmatch("[a-z]{3,9}", word)}
    )


@click.command(help=__doc__)
@click.argument("manifest", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--lines", default=LINES, show_default=True)
@click.option("--seed", default=SEED, show_default=True)
def main(manifest: Path, lines: int, seed: int) -> None:
    """Print the lines of sentences."""
    speller = Speller(words_of(manifest), seed)
    for _ in range(lines):
        click.echo(speller.line())


if __name__ == "__main__":
    main()
