"""One option is one line: a dataclass field with its type, default, range and help sentence.

Flags, settings, messages on the wire, validation and the table in docs/configuration.md all derive
from `options_of`, so that nothing states an option twice.
"""

import math
import sys
from collections.abc import Sequence
from dataclasses import MISSING, dataclass, field, fields, replace
from numbers import Integral, Real
from typing import Any, Literal, get_args, get_origin, get_type_hints

from auricle_types.errors import InvalidOptionError
from auricle_types.quoting import quoted

FINITE = sys.float_info.max
_NUMBERS = {int: (Integral, "a whole number"), float: (Real, "a number")}


@dataclass(frozen=True, slots=True)
class Range:
    """A range of numbers from `least` to `most`; `is_open` leaves `least` itself out."""

    least: float
    most: float = math.inf
    is_open: bool = False

    def __contains__(self, value: Any) -> bool:  # noqa: ANN401 - any real number
        return self.least <= value <= self.most and not (self.is_open and value == self.least)

    def __str__(self) -> str:
        if self.most not in (math.inf, FINITE):
            return f"{'above ' if self.is_open else ''}{self.least} to {self.most}"
        finite = " and finite" if self.most == FINITE else ""
        return f"{'above' if self.is_open else 'at least'} {self.least}{finite}"


_KNOWN: dict[type[Any], "tuple[Option, ...]"] = {}
POSITIVE = Range(0, is_open=True)
AT_LEAST_ONE = Range(1)


@dataclass(frozen=True, slots=True)
class Option:
    """Everything that is known of one option. `option` writes it, `options_of` completes it."""

    help: str
    within: Range | None = None
    flag: str = ""  # the flag's name where it is not the field's
    default_text: str = ""  # says what happens by default, where the default is None
    metavar: str | None = None
    name: str = ""
    type: type = str
    choices: tuple[str, ...] = ()
    default: Any = None
    is_optional: bool = False  # None is a value, too
    is_repeated: bool = False  # the value is a tuple of any length

    def check(self, value: Any) -> None:  # noqa: ANN401 - what a caller gave
        """Raise InvalidOptionError for a value of the wrong kind or out of range."""
        if value is None and self.is_optional:
            return
        if self.choices and value not in self.choices:
            raise self._invalid(_either(self.choices), value)
        if self.type in _NUMBERS:
            kind, words = _NUMBERS[self.type]
            if not isinstance(value, kind):
                raise self._invalid(words, value)
            if self.within is not None and value not in self.within:
                raise self._invalid(str(self.within), value)

    def _invalid(self, expected: str, value: object) -> InvalidOptionError:
        return InvalidOptionError(f"{self.name} must be {expected}, not {quoted(value)}")


def option(
    default: Any,  # noqa: ANN401 - of the field's own type
    text: str,
    within: Range | None = None,
    *,
    flag: str = "",
    default_text: str = "",
    metavar: str | None = None,
) -> Any:  # noqa: ANN401 - as dataclasses.field
    """Return a dataclass field that describes itself; `text` is its help sentence."""
    details = Option(text, within, flag, default_text, metavar)
    return field(default=default, metadata={"option": details})


def options_of(cls: type[Any]) -> tuple[Option, ...]:
    """Return the options of a dataclass, in the order of its fields."""
    if cls not in _KNOWN:  # hints take long to resolve, and each request has options
        hints = get_type_hints(cls)
        _KNOWN[cls] = tuple(
            _completed(each.metadata["option"], each.name, hints[each.name], each.default)
            for each in fields(cls)
            if "option" in each.metadata
        )
    return _KNOWN[cls]


def check(options: object) -> None:
    """Raise InvalidOptionError for the first option whose value is not valid."""
    for each in options_of(type(options)):
        each.check(getattr(options, each.name))


def changed(options: object) -> dict[str, Any]:
    """Return the options that differ from their defaults, by name."""
    values = {each.name: getattr(options, each.name) for each in options_of(type(options))}
    defaults = {each.name: each.default for each in options_of(type(options))}
    return {name: value for name, value in values.items() if value != defaults[name]}


def _completed(details: Option, name: str, hint: Any, default: Any) -> Option:  # noqa: ANN401
    kinds = [hint] if get_origin(hint) in (None, Literal) else list(get_args(hint))
    kind = kinds[0]
    choices = get_args(kind) if get_origin(kind) is Literal else ()
    return replace(
        details,
        name=name,
        flag=details.flag or name.replace("_", "-"),
        type=str if choices else kind,
        choices=choices,
        default=None if default is MISSING else default,
        is_optional=type(None) in kinds,
        is_repeated=get_origin(hint) is tuple,
    )


def _either(words: Sequence[str]) -> str:
    return " or ".join([", ".join(words[:-1]), words[-1]])
