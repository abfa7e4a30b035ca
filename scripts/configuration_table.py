"""Writes the table of docs/configuration.md from the commands themselves.

A test compares the two, so the table cannot grow stale: python scripts/configuration_table.py
"""

from collections.abc import Iterator
from pathlib import Path

import click

from auricle_cli.groups import SharedOption
from auricle_cli.main import main
from auricle_cli.settings import options_by_name

PAGE = Path(__file__).parent.parent / "docs" / "configuration.md"
HEAD = "| Flag | Commands | Environment | Default | Meaning |\n|---|---|---|---|---|"


def table() -> str:
    """Return one row for each option; commands that share an option share its row."""
    context = click.Context(main, info_name="auricle")
    commands: dict[tuple[str, ...], list[str]] = {}  # by row
    for name in main.list_commands(context):
        command = main.get_command(context, name)
        for row in _rows(name, command) if command is not None else ():
            commands.setdefault(row, []).append(name)
    rows = [
        f"| `{flag}` | {', '.join(names)} | `{variable}` | {default} | {text} |"
        for (flag, variable, default, text), names in commands.items()
    ]
    return "\n".join([HEAD, *rows])


def _rows(name: str, command: click.Command) -> Iterator[tuple[str, ...]]:
    for key, option in options_by_name(command).items():
        flag = "/".join([f"--{key}", *option.secondary_opts])
        own = f"AURICLE_{name}_{option.name}".upper()
        variable = option.variable if isinstance(option, SharedOption) else own
        yield flag, variable, _default(option), (option.help or "").replace("|", "\\|")


def _default(option: click.Option) -> str:
    default = option.show_default
    if not isinstance(default, str):
        default = option.to_info_dict()["default"]
    if default is None or default is False or default == "":
        return ""
    if isinstance(default, list | tuple):
        default = " ".join(default)
    return f"`{str(default).lower() if default is True else default}`"


def replaced(page: str) -> str:
    """Return the page with its table made anew."""
    before, _, rest = page.partition(HEAD)
    _, gap, after = rest.partition("\n\n")
    return before + table() + gap + after


if __name__ == "__main__":
    PAGE.write_text(replaced(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
