"""The documents say what the program does."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from auricle_cli.main import COMMANDS, main
from auricle_cli.settings import read_settings
from scripts.configuration_table import PAGE, replaced, table

ROOT = PAGE.parent.parent
SHELL_WORDS = {"|", "&", "&&", ">", "2>", "<", ";"}


def commands(program: str) -> Iterator[tuple[str, list[str]]]:
    """The document and the arguments of each call of `program` in a document's code blocks."""
    for page in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("samples/*.md")]:
        for block in re.findall(r"```.*?\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL):
            for line in block.replace("\\\n", " ").splitlines():
                match = re.match(rf"\$? *(?:\.venv/bin/)?{program} (.*)", line)
                if match:
                    yield page.name, _arguments(match[1])


def _arguments(line: str) -> list[str]:
    words = shlex.split(line, comments=True)
    end = next((place for place, word in enumerate(words) if word in SHELL_WORDS), len(words))
    return words[:end]


def test_paths_that_the_architecture_names_exist() -> None:
    page = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    paths = re.findall(r"`((?:asr|client|docs|proto|server|tests)/[\w./]+)`", page)
    assert "tests/asr/test_checkpoint.py" in paths
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_make_targets_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    called = [(page, word) for page, words in commands("make") for word in words if "=" not in word]
    assert ("CONTRIBUTING.md", "check") in called
    assert [call for call in called if call[1] not in targets] == []


def test_auricle_commands_parse() -> None:
    for page, (name, *arguments) in commands("auricle"):
        command = main.get_command(click.Context(main), name)
        if isinstance(command, click.Group) and arguments and arguments[0] in command.commands:
            command = command.commands[arguments[0]]
        assert command is not None, f"{page}: auricle {name}"
        known = {flag for each in command.params for flag in (*each.opts, *each.secondary_opts)}
        used = {word.partition("=")[0] for word in arguments if word.startswith("--")}
        assert used <= known | {"--help"}, f"{page}: auricle {name}"


def test_calls_are_found_in_documents() -> None:
    assert _arguments("transcribe a.wav --format json | head  # words") == [
        "transcribe",
        "a.wav",
        "--format",
        "json",
    ]


def test_the_configuration_table_is_fresh() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert table() in page, "run python scripts/configuration_table.py"
    assert replaced(page) == page


def test_shared_options_have_one_variable_and_others_name_their_command() -> None:
    rows = re.findall(r"^\| `--([a-z-]+)[^`]*` \| ([\w, ]+) \| `(\w+)` \|", table(), re.MULTILINE)
    assert len(rows) > 40
    for flag, commands, variable in rows:
        shared = f"AURICLE_{flag}".upper().replace("-", "_")
        own = f"AURICLE_{commands}_{flag}".upper().replace("-", "_")
        assert variable in (shared, own)
    assert ("model", "transcribe, listen, serve, evaluate, inspect, demo", "AURICLE_MODEL") in rows
    assert ("port", "serve", "AURICLE_SERVE_PORT") in rows


@pytest.mark.parametrize("name", COMMANDS)
def test_the_table_has_every_option(name: str) -> None:
    command = main.get_command(click.Context(main), name)
    assert command is not None
    options = [each for each in command.params if isinstance(each, click.Option)]
    commands = re.findall(r"^\| `--[^|]+\| ([\w, ]+) \|", table(), re.MULTILINE)
    assert sum(name in each.split(", ") for each in commands) == len(options)


def test_the_settings_example_is_valid(tmp_path: Path) -> None:
    (example,) = re.findall(r"```toml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    path = tmp_path / "auricle.toml"
    path.write_text(example)
    settings = read_settings(path, main, click.Context(main))
    assert settings == {
        "serve": {"port": 50052, "max_queue": 64},
        "transcribe": {"server": "localhost:50052", "format": ["json"]},
    }
