"""Flags before the environment before the file before the defaults."""

from pathlib import Path

import click
import pytest

from auricle_cli.main import COMMANDS, main
from auricle_cli.settings import options_by_name
from auricle_types.options import DecodingOptions
from tests.cli.conftest import Auricle, Opened


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    path = tmp_path / "auricle.toml"
    path.write_text('[transcribe]\nbeam = 2\nmax-tokens = 20\nmodel = "file"\nstream = true\n')
    return path


def test_the_file(auricle: Auricle, opened: Opened, settings: Path, clips: Path) -> None:
    auricle("--config", str(settings), "transcribe", str(clips))
    assert opened.recognition is not None
    assert opened.recognition.decoding == DecodingOptions(beam_size=2, max_tokens=20)
    assert opened.recognition.concurrency == 16  # a default


def test_a_byte_order_mark_is_no_part_of_the_file(
    auricle: Auricle, opened: Opened, settings: Path, clips: Path
) -> None:
    settings.write_text(settings.read_text(encoding="utf-8"), encoding="utf-8-sig")
    auricle("--config", str(settings), "transcribe", str(clips))
    assert opened.recognition is not None
    assert opened.recognition.decoding.beam_size == 2


def test_precedence(auricle: Auricle, opened: Opened, settings: Path, clips: Path) -> None:
    environment = {
        "AURICLE_CONFIG": str(settings),
        "AURICLE_TRANSCRIBE_BEAM": "3",
        "AURICLE_TRANSCRIBE_MODEL": "environment",
    }
    auricle("transcribe", "--beam", "4", str(clips), env=environment)
    assert opened.recognition is not None
    assert opened.recognition.decoding.beam_size == 4
    assert opened.recognition.loading.model == "environment"
    assert opened.recognition.decoding.max_tokens == 20


def test_a_path_from_the_users_folder(
    auricle: Auricle, opened: Opened, settings: Path, clips: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/home/anna")
    settings.write_text('[transcribe]\nmodel = "~/models/small"\n')
    auricle("--config", str(settings), "transcribe", str(clips))
    assert opened.recognition is not None
    assert opened.recognition.loading.model == "/home/anna/models/small"


def test_without_a_file_nothing_is_read(auricle: Auricle, opened: Opened, clips: Path) -> None:
    Path("auricle.toml").write_text("not even TOML")
    assert auricle("transcribe", str(clips)).exit_code == 0


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[transcribe]\nbaem = 2", "unknown option baem in [transcribe]; did you mean beam?"),
        ("[transcribe]\nfiles = 'a'", "unknown option files in [transcribe]; "),
        ("[transcribe]\nhelp = true", "unknown option help in [transcribe]; "),
        ("[transcripe]\nbeam = 2", "unknown table [transcripe]; did you mean transcribe?"),
        ("[qqq]", "unknown table [qqq]; known are transcribe, listen"),
        ("beam = 2", "unknown table [beam]; "),
        ("serve = 3", "serve must be a table"),
        ('[transcribe]\nlm = "a\\u0000b"', "lm in [transcribe] holds a null character"),
        ("[transcribe]\nbeam = [2]", "beam in [transcribe] must be a single value"),
        ("[transcribe.beam]\nsize = 2", "beam in [transcribe] must be a single value"),
        ("[transcribe", "auricle.toml: "),
    ],
)
def test_mistakes_are_refused(
    auricle: Auricle, opened: Opened, settings: Path, content: str, message: str
) -> None:
    settings.write_text(content)
    result = auricle("--config", str(settings), "transcribe", "a.wav")
    assert result.exit_code == 2
    assert message in result.stderr
    assert opened.recognition is None


def test_wrong_types_are_refused(auricle: Auricle, opened: Opened, settings: Path) -> None:
    settings.write_text("[transcribe]\nbeam = 'many'")
    result = auricle("--config", str(settings), "transcribe", "a.wav")
    assert result.exit_code == 2
    assert "--beam" in result.stderr


def test_an_option_that_may_be_repeated_takes_a_list(
    auricle: Auricle, monkeypatch: pytest.MonkeyPatch, settings: Path
) -> None:
    monkeypatch.setattr("auricle.training.synthesis.synthesize", lambda *_: pytest.fail("ran"))
    settings.write_text("[synthesize]\nengine = ['espeak-ng', 'nobody']")
    Path("text").write_text("a sentence")
    result = auricle("--config", str(settings), "synthesize", "text", "out", "--hours", "1")
    assert result.exit_code == 2
    assert "nobody" in result.stderr  # so it was read as a list


def test_a_missing_file_is_refused(auricle: Auricle) -> None:
    assert auricle("--config", "none.toml", "transcribe", "a.wav").exit_code == 2


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_has_a_name_in_the_file(name: str) -> None:
    context = click.Context(main)
    command = main.get_command(context, name)
    assert command is not None
    options = [p for p in command.params if isinstance(p, click.Option)]
    assert len(options_by_name(command)) == len(options)
    assert all(option.help for option in options)
