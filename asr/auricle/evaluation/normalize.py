"""The text normalisation behind every WER and CER that Auricle reports.

The rule, applied to reference and hypothesis alike:

1. Unicode NFKC, then lower case.
2. Every kind of single quotation mark becomes `'`; it stays where a letter or digit stands on both
   of its sides (`don't`) and goes elsewhere (`'quoted'`).
3. All but letters, combining marks, digits and these apostrophes becomes a space.
4. Runs of spaces become one; none is left at either end.

Nothing else: spelled numbers, abbreviations, fillers and British spellings are left as they are,
so a model that writes `20` for `twenty` pays for it.
"""

import re
import unicodedata

_APOSTROPHES = re.compile("[\u2018\u2019\u201b\u02bc\u02bb\u2032`\u00b4]")
_LOOSE_APOSTROPHE = re.compile(r"(?<![^\s'])'|'(?![^\s'])")


def normalize(text: str) -> str:
    """The words of `text`, separated by single spaces, by the rule above."""
    text = _APOSTROPHES.sub("'", text)  # before NFKC, which takes some of them apart
    text = unicodedata.normalize("NFKC", text).lower()
    text = _APOSTROPHES.sub("'", text)  # full-width forms, which NFKC has made plain
    text = "".join(c if _is_kept(c) else " " for c in text)
    return " ".join(_LOOSE_APOSTROPHE.sub(" ", text).split())


def _is_kept(character: str) -> bool:
    return character == "'" or unicodedata.category(character)[0] in "LMN"
