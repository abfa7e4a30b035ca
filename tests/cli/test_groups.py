from dataclasses import dataclass
from pathlib import Path

import click
from click.testing import CliRunner

from auricle_cli.groups import option_group, some_of
from auricle_types.metadata import Range, option, options_of
from auricle_types.options import PcmFormat


@dataclass(frozen=True)
class Size:
    width: int = option(3, "How wide it is.", Range(0, 9))
    max_height: float | None = option(None, "How high it may be.", flag="height")
    plan: Path | None = option(None, "A file.")
    strong: bool = option(False, "It is strong.")
    even: bool | None = option(None, "It is even.", default_text="as it comes")

    def __post_init__(self) -> None:
        if self.width == 5:
            raise ValueError("width must not be five")


@click.command()
@option_group(Size, "size")
@click.option("--colour", default="red")
def build(size: Size, colour: str) -> None:
    click.echo(f"{size!r} {colour}")


def run(*arguments: str) -> str:
    return CliRunner().invoke(build, arguments).output


def test_defaults_are_the_dataclass() -> None:
    assert run() == f"{Size()!r} red\n"


def test_options_are_the_fields() -> None:
    expected = Size(4, 2.5, Path("a"))
    flags = ["--width", "4", "--height", "2.5", "--plan", "a", "--colour", "blue"]
    assert run(*flags) == f"{expected!r} blue\n"


def test_wrong_values_are_wrong_usage() -> None:
    assert "'x' is not a valid integer" in run("--width", "x")
    assert "-1 is not in the range 0<=x<=9" in run("--width", "-1")
    result = CliRunner().invoke(build, ["--width", "5"])
    assert result.exit_code == 2
    assert "width must not be five" in result.stderr


def test_help_comes_in_the_order_of_the_fields() -> None:
    output = run("--help")
    places = [output.index(each.help) for each in options_of(Size)]
    assert places == sorted(places)
    assert "[default: (as it comes)]" in " ".join(output.split())


def test_a_truth_is_a_flag() -> None:
    assert run("--strong") == f"{Size(strong=True)!r} red\n"
    assert "BOOLEAN" not in run("--help")
    assert [run("--even"), run("--no-even")] == [
        f"{Size(even=even)!r} red\n" for even in (True, False)
    ]


def test_a_shared_option_has_one_variable_and_one_of_the_commands_own() -> None:
    def with_variables(**variables: str) -> str:
        return CliRunner(env=variables).invoke(build, [], auto_envvar_prefix="AURICLE_BUILD").output

    assert with_variables(AURICLE_WIDTH="1") == f"{Size(1)!r} red\n"
    assert with_variables(AURICLE_WIDTH="1", AURICLE_BUILD_WIDTH="2") == f"{Size(2)!r} red\n"
    assert with_variables(AURICLE_STRONG="1") == f"{Size(strong=True)!r} red\n"


def test_an_optional_group_is_none_until_a_flag_is_given() -> None:
    @click.command()
    @option_group(PcmFormat, "pcm", is_optional=True)
    def command(pcm: PcmFormat | None) -> None:
        click.echo(repr(pcm))

    def outputs(*arguments: str) -> str:
        return CliRunner().invoke(command, arguments).output

    assert outputs() == "None\n"
    assert outputs("--sample-rate", "8000") == f"{PcmFormat(8000)!r}\n"
    assert "--channels needs a --sample-rate, too" in outputs("--channels", "2")


def test_parts_of_other_groups_go_into_a_larger_one() -> None:
    @dataclass(frozen=True)
    class House:
        size: Size
        rooms: int = option(4, "Rooms.")

    @click.command()
    @option_group(Size, "size", some_of(Size, "width"))
    @option_group(House, "house")
    @click.argument("rest")
    def command(house: House, rest: str) -> None:
        click.echo(f"{house.size.width} {house.rooms} {rest}")

    result = CliRunner().invoke(command, ["--width", "1", "--rooms", "2", "x"])
    assert result.output == "1 2 x\n"
    assert "No such option" in CliRunner().invoke(command, ["--plan", "p", "x"]).output
