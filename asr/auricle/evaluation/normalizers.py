"""The text normalisations that a WER can be reported by."""

from collections.abc import Callable
from typing import Literal

from auricle.evaluation.normalize import normalize
from auricle_types.errors import InvalidOptionError

Normalizer = Literal["plain", "whisper"]


def normalizer(name: str) -> Callable[[str], str]:
    """`plain` is this project's own rule, `whisper` the English one of Radford et al. 2022.

    The latter also spells numbers as digits, writes British words the American way, drops fillers
    and what stands in brackets. It is the package `whisper-normalizer`.

    Raises:
        InvalidOptionError: there is no such normaliser, or its package is not installed.
    """
    if name == "plain":
        return normalize
    if name != "whisper":
        raise InvalidOptionError(f"normalizer must be plain or whisper, not {name!r}")
    try:
        from whisper_normalizer.english import EnglishTextNormalizer
    except ModuleNotFoundError as error:
        raise InvalidOptionError(
            "normalizer whisper needs a package: pip install 'auricle[normalizer]'"
        ) from error
    english: Callable[[str], str] = EnglishTextNormalizer()
    return english
