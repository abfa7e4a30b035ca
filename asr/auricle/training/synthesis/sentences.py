"""The sentences to be spoken: what is written in the manifest, what the engine is told to say."""

import logging
import lzma
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from auricle_types.errors import InvalidOptionError

logger = logging.getLogger(__name__)

# How often a line is drawn, by the source it names. Common Voice sentences are how people speak to
# machines today; novels are plentiful and old.
SOURCE_WEIGHTS = {"cv": 6.0, "tatoeba": 1.5, "book": 1.0}

# Tatoeba's two heroes are in a tenth of its lines.
OVERUSED = re.compile(r"\b(tom|mary)\b")
OVERUSED_WEIGHT = 0.25

_SPEAKABLE = re.compile(r"[A-Za-z' .,;:!?\"()-]*[A-Za-z][A-Za-z' .,;:!?\"()-]*")
_MERIDIEM = re.compile(r"\b([ap])(?:\. ?| )m\b\.?", re.IGNORECASE)
_MERIDIEM_SPOKEN = {"a": "ay em", "p": "pee em"}


@dataclass(frozen=True, slots=True)
class Sentence:
    """`text` for the manifest (a-z, apostrophe, space), `spoken` for the engine, and how often."""

    text: str
    spoken: str
    weight: float = 1.0


def read_sentences(
    text: Path, *, punctuated: Path | None = None, sources: Path | None = None
) -> list[Sentence]:
    """The sentences of a file, one a line; files that end in `.xz` are unpacked.

    Args:
        text: the words. Lines with digits or other letters than a-z are left out and counted in
            the log, for an engine would say words that the transcript does not hold.
        punctuated: the same lines with capitals and punctuation, for better prosody.
        sources: where each line comes from, such as `cv:harvsents`; see `SOURCE_WEIGHTS`.

    Raises:
        InvalidOptionError: a file that cannot be read, files of different length, or nothing left.
    """
    lines = _read_lines(text)
    spoken = _twin_lines(punctuated, lines, text)
    origins = _twin_lines(sources, [""] * len(lines), text)
    sentences = [
        Sentence(transcript(line), say(said), weight(transcript(line), origin))
        for line, said, origin in zip(lines, spoken, origins, strict=True)
        if _SPEAKABLE.fullmatch(line)
    ]
    if not sentences:
        raise InvalidOptionError(f"{text} holds no sentence of letters a-z")
    if left_out := len(lines) - len(sentences):
        logger.warning("%d of %d lines of %s are left out", left_out, len(lines), text)
    return sentences


def transcript(line: str) -> str:
    """A line as manifests hold it: lower case, `a-z`, apostrophes and single spaces."""
    return " ".join(re.sub(r"[^a-z']", " ", line.lower()).split())


def say(line: str) -> str:
    """A line as an engine reads it aright: `a m` and `p.m.` are names of letters."""
    return _MERIDIEM.sub(lambda match: _MERIDIEM_SPOKEN[match[1].lower()], line)


def weight(text: str, source: str) -> float:
    """How often to draw a line, relative to one from a novel or of unknown source."""
    by_source = SOURCE_WEIGHTS.get(source.partition(":")[0], 1.0)
    return by_source * (OVERUSED_WEIGHT if OVERUSED.search(text) else 1.0)


def _twin_lines(path: Path | None, otherwise: list[str], text: Path) -> Sequence[str]:
    if path is None:
        return otherwise
    lines = _read_lines(path)
    if len(lines) != len(otherwise):
        raise InvalidOptionError(
            f"{path} has {len(lines)} lines, {text} has {len(otherwise)}: they must be parallel"
        )
    return lines


def _read_lines(path: Path) -> list[str]:
    try:
        data = path.read_bytes()
        text = (lzma.decompress(data) if path.suffix == ".xz" else data).decode()
    except (OSError, lzma.LZMAError, UnicodeDecodeError) as error:
        raise InvalidOptionError(f"{path} cannot be read: {error}") from error
    return text.replace("\u2019", "'").splitlines()
