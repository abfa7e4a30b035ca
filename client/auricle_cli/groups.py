"""Flags, variables and settings, derived from the dataclasses that state the options."""

import functools
import math
import os
from collections.abc import Callable, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

import click

from auricle_types.metadata import FINITE, Option, options_of

Command = TypeVar("Command", bound=Callable[..., Any])


class Texts(click.types.StringParamType):
    """The text of an option that may come several times; commas part them in a variable."""

    envvar_list_splitter = ","


class SharedOption(click.Option):
    """An option that several commands share: AURICLE_FLAG sets it in all of them.

    AURICLE_COMMAND_FLAG is for one command alone, and wins.
    """

    @property
    def variable(self) -> str:
        """The environment variable for all commands."""
        return f"AURICLE_{self.name}".upper()

    def resolve_envvar_value(self, ctx: click.Context) -> str | None:
        """Return the value of the command's own variable, else of the shared one."""
        return super().resolve_envvar_value(ctx) or os.environ.get(self.variable) or None


def option_group(
    cls: type[Any],
    name: str,
    options: Sequence[Option] | None = None,
    *,
    is_shared: bool = True,
    is_optional: bool = False,
) -> Callable[[Command], Command]:
    """Add the options of the dataclass `cls` to a command, which gets one `cls` under `name`.

    `options` are some of them, or all. With `is_optional` the command gets None where no flag is
    given. A parameter of the command that is a field of `cls` goes into it, too. A ValueError of
    `cls` becomes a usage error.
    """
    chosen = options_of(cls) if options is None else options

    def decorate(command: Command) -> Command:
        @functools.wraps(command)
        def collect(**values: Any) -> Any:  # noqa: ANN401 - whatever the command has
            given = {each.name: values.pop(_parameter(each)) for each in chosen}
            parts = [each.name for each in fields(cls) if each.name in values]
            given |= {part: values.pop(part) for part in parts}
            values[name] = _optional(cls, chosen, given) if is_optional else _built(cls, given)
            return command(**values)

        kind = SharedOption if is_shared else click.Option
        for each in reversed(chosen):
            collect = click_option(each, kind, is_optional=is_optional)(collect)
        return collect  # type: ignore[return-value]

    return decorate


def some_of(cls: type[Any], *names: str) -> list[Option]:
    """Return the options of `cls` with these names."""
    return [each for each in options_of(cls) if each.name in names]


def click_option(
    each: Option, kind: type[click.Option] = SharedOption, *, is_optional: bool = False
) -> Callable[[Command], Command]:
    """Return the decorator that adds one option to a command."""
    is_flag = each.type is bool
    pair = is_flag and each.default is not False
    shown = each.default if is_optional else each.default_text
    return click.option(
        f"--{each.flag}/--no-{each.flag}" if pair else f"--{each.flag}",
        _parameter(each),
        cls=kind,
        type=None if is_flag else _click_type(each),
        multiple=each.is_repeated,
        is_flag=is_flag or None,
        default=None if is_optional or each.is_repeated else each.default,
        show_default=str(shown) if shown else each.default not in (None, "", ()),
        metavar=each.metavar,
        help=each.help,
    )


def _parameter(each: Option) -> str:
    return each.flag.replace("-", "_")


def _click_type(each: Option) -> "click.ParamType[Any] | type":
    if each.is_repeated:
        return Texts()
    if each.choices:
        return click.Choice(each.choices)
    if each.type is Path:
        return click.Path(path_type=Path)
    if each.within is None:
        return each.type
    most = None if each.within.most in (math.inf, FINITE) else each.within.most
    kind: Any = click.IntRange if each.type is int else click.FloatRange
    number: click.ParamType[Any] = kind(each.within.least, most, min_open=each.within.is_open)
    return number


def _built(cls: type[Any], values: dict[str, Any]) -> Any:  # noqa: ANN401 - a `cls`
    try:
        return cls(**values)
    except ValueError as error:
        raise click.UsageError(str(error)) from error


def _optional(cls: type[Any], options: Sequence[Option], values: dict[str, Any]) -> Any:  # noqa: ANN401
    """Return None where nothing is given. Raises UsageError where a part is missing."""
    given = {name: value for name, value in values.items() if value is not None}
    for each in options:
        is_required = each.default is None and not each.is_optional
        if given and is_required and each.name not in given:
            other = next(other.flag for other in options if other.name in given)
            raise click.UsageError(f"--{other} needs a --{each.flag}, too")
    return _built(cls, given) if given else None
