"""Options that arrive together, as one frozen dataclass."""

import dataclasses
import functools
import types
from collections.abc import Callable, Mapping
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

import click

Command = TypeVar("Command", bound=Callable[..., Any])


def grouped(
    cls: type[Any], name: str, options: list[Callable[[Command], Command]]
) -> Callable[[Command], Command]:
    """Add `options` to a command, which gets their values as one `cls` under `name`.

    Each option's name must be that of a field; a field without one keeps its default, or has an
    option of the command's own. A ValueError of `cls` becomes a usage error.
    """

    def decorate(command: Command) -> Command:
        @functools.wraps(command)
        def collect(**values: Any) -> Any:  # noqa: ANN401 - whatever the command has
            names = [f.name for f in dataclasses.fields(cls) if f.init and f.name in values]
            mine = {name: values.pop(name) for name in names}
            try:
                values[name] = cls(**mine)
            except ValueError as error:
                raise click.UsageError(str(error)) from error
            return command(**values)

        for option in reversed(options):
            collect = option(collect)
        return collect  # type: ignore[return-value]

    return decorate


def options_of(cls: type[Any], name: str, helps: Mapping[str, str]) -> Callable[[Command], Command]:
    """One option for each field of the dataclass `cls`, with its type and default.

    `helps` has a line for every field, no more and no less. Raises ValueError when it has not.
    """
    fields = {field.name: field for field in dataclasses.fields(cls)}
    if fields.keys() != helps.keys():
        raise ValueError(f"{cls.__name__}: help and fields differ: {fields.keys() ^ helps.keys()}")
    hints = get_type_hints(cls)
    options = [
        click.option(
            "--" + key.replace("_", "-"),
            type=_plain(hints[key]),
            is_flag=hints[key] is bool or None,
            default=field.default,
            help=helps[key],
        )
        for key, field in fields.items()
    ]
    return grouped(cls, name, options)


def _plain(hint: Any) -> Any:  # noqa: ANN401 - a type, as click takes it
    """`X` for `X | None`."""
    if get_origin(hint) is types.UnionType:
        (hint,) = (member for member in get_args(hint) if member is not type(None))
    return hint
