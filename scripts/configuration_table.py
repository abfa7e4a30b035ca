"""Writes the table of docs/configuration.md from the commands themselves.

A test compares the two, so the table cannot grow stale: python scripts/configuration_table.py
"""

from collections.abc import Iterator
from pathlib import Path

import click

from auricle_cli.main import main
from auricle_cli.settings import options_by_name

PAGE = Path(__file__).parent.parent / "docs" / "configuration.md"
HEAD = "| Command | Flag | Environment | Default | Meaning |\n|---|---|---|---|---|"


def table() -> str:
    """One row for each option of each command."""
    context = click.Context(main, info_name="auricle")
    rows = [HEAD]
    for name in main.list_commands(context):
        command = main.get_command(context, name)
        if command is not None:
            rows += _rows(name, command)
    return "\n".join(rows)


def _rows(name: str, command: click.Command) -> Iterator[str]:
    keys = {option.name: key for key, option in options_by_name(command).items()}
    for option in command.params:
        if isinstance(option, click.Option) and option.name in keys:
            flag = "/".join([f"--{keys[option.name]}", *option.secondary_opts])
            variable = f"AURICLE_{name}_{option.name}".upper()
            yield f"| {name} | `{flag}` | `{variable}` | {_default(option)} | {_help(option)} |"


def _default(option: click.Option) -> str:
    default = option.show_default
    if not isinstance(default, str):
        default = option.to_info_dict()["default"]
    if default is None or default is False:
        return ""
    if isinstance(default, list | tuple):
        default = " ".join(default)
    return f"`{str(default).lower() if default is True else default}`"


def _help(option: click.Option) -> str:
    return (option.help or "").replace("|", "\\|")


def replaced(page: str) -> str:
    """The page with its table made anew."""
    before, _, rest = page.partition(HEAD)
    _, gap, after = rest.partition("\n\n")
    return before + table() + gap + after


if __name__ == "__main__":
    PAGE.write_text(replaced(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
