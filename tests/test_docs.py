"""The documents say what the program does."""

import re
from pathlib import Path

import click
import pytest

from auricle_cli.main import COMMANDS, main
from auricle_cli.settings import read_settings
from scripts.configuration_table import PAGE, replaced, table


def test_the_configuration_table_is_fresh() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert table() in page, "run python scripts/configuration_table.py"
    assert replaced(page) == page


def test_environment_variables_are_named_after_their_flags() -> None:
    rows = re.findall(r"^\| (\w+) \| `--([a-z-]+)[^`]*` \| `(\w+)` \|", table(), re.MULTILINE)
    assert len(rows) > 40
    for command, flag, variable in rows:
        assert variable == f"AURICLE_{command}_{flag}".upper().replace("-", "_")


@pytest.mark.parametrize("name", COMMANDS)
def test_the_table_has_every_option(name: str) -> None:
    command = main.get_command(click.Context(main), name)
    assert command is not None
    options = [each for each in command.params if isinstance(each, click.Option)]
    assert table().count(f"\n| {name} |") == len(options)


def test_the_settings_example_is_valid(tmp_path: Path) -> None:
    (example,) = re.findall(r"```toml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    path = tmp_path / "auricle.toml"
    path.write_text(example)
    settings = read_settings(path, main, click.Context(main))
    assert settings == {
        "serve": {"port": 8000, "max_queue": 64},
        "transcribe": {"server": "localhost:8000", "format": "json"},
    }
