"""The optional settings file: TOML, a table for each command, its options as keys.

Unknown tables and keys are errors that name the nearest known one: a setting that is silently
ignored is worse than none.
"""

import difflib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click

from auricle_cli.failure import Failure
from auricle_types.parsing import parse_toml


def read_settings(path: Path, group: click.Group, ctx: click.Context) -> dict[str, Any]:
    """The settings in `path` as click's `default_map`, checked against the group's commands.

    Raises Failure when the file is not TOML, or holds what no command knows.
    """
    try:
        tables = parse_toml(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise Failure(f"{path}: {error}") from error
    return {name: _options(path, group, ctx, name, table) for name, table in tables.items()}


def options_by_name(command: click.Command) -> dict[str, click.Option]:
    """The options of a command by their names in the file."""
    return {
        max(parameter.opts, key=len).lstrip("-"): parameter
        for parameter in command.params
        if isinstance(parameter, click.Option) and parameter.expose_value
    }


def _options(
    path: Path, group: click.Group, ctx: click.Context, name: str, table: object
) -> dict[str, Any]:
    command = group.get_command(ctx, name)
    if command is None:
        raise _unknown(path, f"table [{name}]", name, group.list_commands(ctx))
    if not isinstance(table, dict):
        raise Failure(f"{path}: {name} must be a table: write [{name}] above its options")
    known = options_by_name(command)
    for key, value in table.items():
        if key not in known:
            raise _unknown(path, f"option {key} in [{name}]", key, known)
        if isinstance(value, dict) or (isinstance(value, list) and not known[key].multiple):
            raise Failure(f"{path}: {key} in [{name}] must be a single value")
        if any("\0" in str(each) for each in (value if isinstance(value, list) else [value])):
            raise Failure(f"{path}: {key} in [{name}] holds a null character, as no option does")
    return {str(known[key].name): _given(known[key], value) for key, value in table.items()}


def _given(option: click.Option, value: Any) -> Any:  # noqa: ANN401 - whatever TOML holds
    """Return what the option takes: one value for an option of several is a list of it."""
    is_one = option.multiple and not isinstance(value, list)
    return [_expanded(value)] if is_one else _expanded(value)


def _expanded(value: Any) -> Any:  # noqa: ANN401 - whatever TOML holds
    """With the user's folder for `~`, which no shell has read here."""
    is_path = isinstance(value, str) and value.startswith("~/")
    return str(Path(value).expanduser()) if is_path else value


def _unknown(path: Path, what: str, name: str, known: Iterable[str]) -> Failure:
    near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}"
    return Failure(f"{path}: unknown {what}; {hint}")
