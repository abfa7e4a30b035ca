"""A reference's words in a teacher's case and punctuation.

References are right but lower-case and bare; a teacher writes like a book, but mishears. Where both
have the same words the teacher's spelling is taken, elsewhere the reference's word.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher, get_close_matches

from auricle.evaluation import normalize

_WORD = re.compile(r"([^\w$£]*)(.*?)([^\w%]*)$", re.DOTALL)
_HYPHEN = re.compile(r"(?<=\w)[-\u2013\u2014]+(?=\w)")
_SENTENCE_END = re.compile(r"[.?!]")
_ALWAYS_CAPITAL = {"i", "i'm", "i'll", "i've", "i'd"}
_TITLES = {"mister": "Mr.", "missus": "Mrs.", "doctor": "Dr."}
_ABBREVIATIONS = {"mr", "mrs", "ms", "dr", "st"}
_NEAR = 0.6  # of two spellings of a word that was misheard


@dataclass(frozen=True, slots=True)
class Correction:
    """The text, and the share of the reference's words that the teacher had, too."""

    text: str
    agreement: float


@dataclass(frozen=True, slots=True)
class _Unit:
    """A word as it is written: `before`, `word`, `after` are punctuation and letters."""

    word: str
    before: str = ""
    after: str = ""
    joint: str = " "  # to the next word
    opens: bool = False  # the teacher's sentence began here

    @property
    def core(self) -> str:
        return re.sub(r"[^\w']|_", "", self.word.lower()).strip("'")

    @property
    def ends(self) -> bool:
        is_title = self.core in _ABBREVIATIONS and self.after == "."
        return bool(_SENTENCE_END.search(self.after)) and not is_title


def corrected(
    wrote: str, reference: str, normalise: Callable[[str], str] = normalize
) -> Correction:
    """`reference`, lower-case words, written as the teacher `wrote` it.

    Words that `normalise` makes equal are the same, such as `37` and `thirty seven` by Whisper's.
    """
    words, units = reference.split(), _units(wrote)
    matcher = SequenceMatcher(None, [unit.core for unit in units], words, autojunk=False)
    written: list[_Unit] = []
    agreed = 0
    for kind, a, b, c, d in matcher.get_opcodes():
        span, wanted = units[a:b], words[c:d]
        if kind == "equal" or (span and _same(span, wanted, normalise)):
            written += span
            agreed += len(wanted)
        elif wanted:
            written += _in_place_of(span, _spell(words)[c:d])
        elif written:
            written[-1] = _with_end(written[-1], span[-1])
    text = _balanced("".join(_sentences(written)))
    stop = "." if text[-1:].isalnum() and not wrote.rstrip()[-1:].isalnum() else ""
    return Correction(text + stop, agreed / max(1, len(words)))


def similar(wrote: str, reference: str) -> float:
    """The share of letters that both have in the same order, 0 to 1."""
    one, other = (re.sub(r"\W", "", text.lower()) for text in (wrote, reference))
    return SequenceMatcher(None, one, other, autojunk=False).ratio()


def _units(text: str) -> list[_Unit]:
    units: list[_Unit] = []
    for word in text.replace("\u2019", "'").split():
        *heads, tail = _HYPHEN.split(word)
        for part, joint in [*((head, "-") for head in heads), (tail, " ")]:
            before, core, after = _WORD.match(part).groups()  # type: ignore[union-attr]
            if core:
                opens = not units or units[-1].ends
                units.append(_Unit(core, before, after, joint, opens))
    return units


def _same(span: Sequence[_Unit], words: Sequence[str], normalise: Callable[[str], str]) -> bool:
    """Whether they differ only in where words end, as spelled letters and compounds do, in how a
    title is written, or in nothing by `normalise`.
    """
    letters = "".join(unit.core for unit in span)
    if letters in (
        "".join(words),
        "".join(_TITLES.get(word, word).rstrip(".").lower() for word in words),
    ):
        return True
    surface = " ".join(f"{unit.word}{unit.after}" for unit in span)
    return len(normalise(surface)) > 0 and normalise(surface) == normalise(" ".join(words))


def _spell(words: list[str]) -> list[str]:
    """As a book writes them; letters that are said one after the other are capitals."""
    return [
        _spelled(word, words[at - 1 : at] + words[at + 1 : at + 2]) for at, word in enumerate(words)
    ]


def _spelled(word: str, neighbours: Sequence[str]) -> str:
    alone = len(word) == 1 and word not in ("a", "i", "o")
    if alone or (len(word) == 1 and any(len(other) == 1 for other in neighbours)):
        return word.upper()
    return _capital(word) if word in _ALWAYS_CAPITAL else _TITLES.get(word, word)


def _in_place_of(span: Sequence[_Unit], words: Sequence[str]) -> list[_Unit]:
    """The reference's words, capital where those that they replace are, with their punctuation."""
    words = [_like(word, span) for word in words]
    if len(span) == len(words):
        return [replace(old, word=word) for word, old in zip(words, span, strict=True)]
    units = [_Unit(word) for word in words]
    if span:
        units[0] = replace(units[0], before=span[0].before, opens=span[0].opens)
        units[-1] = replace(units[-1], after=span[-1].after)
    return units


def _like(word: str, span: Sequence[_Unit]) -> str:
    """Capital where the teacher wrote a name nearly so."""
    names = [unit.core for unit in span if unit.word[:1].isupper() and not unit.opens]
    return _capital(word) if get_close_matches(word.lower(), names, 1, _NEAR) else word


def _with_end(unit: _Unit, dropped: _Unit) -> _Unit:
    """With the full stop of a word that was not said."""
    return replace(unit, after=dropped.after) if dropped.ends and not unit.ends else unit


def _sentences(units: Sequence[_Unit]) -> Iterator[str]:
    """Capitals where sentences begin, and not where they no longer do."""
    begins = True
    for unit in units:
        word = unit.word
        if begins:
            word = _capital(word)
        elif unit.opens and unit.core not in _ALWAYS_CAPITAL:
            word = word[:1].lower() + word[1:]
        yield f"{unit.before}{word}{unit.after}{unit.joint}"
        begins = unit.ends or unit.core in _ABBREVIATIONS  # a name follows


def _capital(word: str) -> str:
    return word[:1].upper() + word[1:]


def _balanced(text: str) -> str:
    """Without quotation marks or brackets whose other half is gone."""
    if text.count('"') % 2:
        text = text.replace('"', "")
    if text.count("(") != text.count(")"):
        text = re.sub(r"[()]", "", text)
    return text.strip(" -\u2013\u2014,;:")
