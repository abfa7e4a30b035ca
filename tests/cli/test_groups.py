from dataclasses import dataclass
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from auricle_cli.groups import grouped, options_of


@dataclass(frozen=True)
class Size:
    width: int = 3
    max_height: float | None = None
    plan: Path | None = None
    strong: bool = False

    def __post_init__(self) -> None:
        if self.width < 0:
            raise ValueError("width must not be negative")


HELP = {"width": "How wide.", "max_height": "How high.", "plan": "A file.", "strong": "How strong."}


@click.command()
@options_of(Size, "size", HELP)
@click.option("--colour", default="red")
def build(size: Size, colour: str) -> None:
    click.echo(f"{size!r} {colour}")


def run(*arguments: str) -> str:
    return CliRunner().invoke(build, arguments).output


def test_defaults_are_the_dataclass() -> None:
    assert run() == f"{Size()!r} red\n"


def test_options_are_the_fields() -> None:
    expected = Size(4, 2.5, Path("a"))
    flags = ["--width", "4", "--max-height", "2.5", "--plan", "a", "--colour", "blue"]
    assert run(*flags) == f"{expected!r} blue\n"


def test_wrong_values_are_wrong_usage() -> None:
    assert "'x' is not a valid integer" in run("--width", "x")
    result = CliRunner().invoke(build, ["--width", "-1"])
    assert result.exit_code == 2
    assert "width must not be negative" in result.stderr


def test_help_comes_in_the_order_of_the_fields() -> None:
    output = run("--help")
    places = [output.index(line) for line in HELP.values()]
    assert places == sorted(places)


def test_help_must_cover_the_fields() -> None:
    with pytest.raises(ValueError, match="plan"):
        options_of(Size, "size", {"width": "", "max_height": ""})


def test_a_truth_is_a_flag() -> None:
    assert run("--strong") == f"{Size(strong=True)!r} red\n"
    assert "BOOLEAN" not in run("--help")


def test_grouped_takes_only_its_own() -> None:
    names = ("width", "max-height", "plan", "strong")

    @click.command()
    @grouped(Size, "size", [click.option(f"--{n}") for n in names])
    @click.argument("rest")
    def command(size: Size, rest: str) -> None:
        click.echo(f"{size.plan} {rest}")

    result = CliRunner().invoke(command, ["--width", "1", "--plan", "p", "x"])
    assert "TypeError" in repr(result.exception)  # a string is no width: Size refuses it
