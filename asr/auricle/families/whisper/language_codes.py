"""Finds the code of a language that people ask for by its name."""

from collections.abc import Collection
from difflib import get_close_matches

from auricle.tokenizer.languages import CODES, LANGUAGES
from auricle_types.errors import InvalidOptionError


def language_code(name: str, known: Collection[str]) -> str:
    """Return the code of a language, given by that or by its English name.

    Args:
        name: the code or the name, in any case.
        known: the codes that the model has tokens for.

    Raises:
        InvalidOptionError: the model does not know it; the nearest names are offered.
    """
    asked = name.strip().lower()
    code = CODES.get(asked, asked)
    if code in known:
        return code
    names = [*known, *(LANGUAGES[code] for code in known if code in LANGUAGES)]
    near = get_close_matches(asked, names, n=3)
    hint = f": did you mean {' or '.join(near)}?" if near else ", such as en or english"
    raise InvalidOptionError(f"language must be one that the model knows, not {name!r}{hint}")
