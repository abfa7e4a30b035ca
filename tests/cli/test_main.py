import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from auricle.version import __version__
from auricle_cli.main import COMMANDS, main
from tests.cli.conftest import Auricle
from tests.server.fakes import wav

HEAVY = {"torch", "torchaudio", "librosa", "onnxruntime", "numpy", "transformers"}


def loaded_by(*arguments: str) -> tuple[set[str], str]:
    """The top-level modules that `auricle ARGUMENTS` imports in a fresh process, and its output."""
    code = (
        "import sys\n"
        "from auricle_cli.main import main\n"
        "main(standalone_mode=False)\n"
        "print(*{name.partition('.')[0] for name in sys.modules}, file=sys.stderr)\n"
    )
    command = [sys.executable, "-c", code, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    return set(done.stderr.split()), done.stdout


def test_help_lists_the_commands_and_imports_none() -> None:
    modules, output = loaded_by("--help")
    assert all(f"\n  {name}  " in output for name in COMMANDS)
    assert not modules & (HEAVY | {"auricle", "auricle_server", "grpc", "jiwer"})


def test_transcribing_on_a_server_imports_no_torch(address: str, tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(wav(1.0))
    for flags in ([], ["--stream"]):
        modules, output = loaded_by("transcribe", "--server", address, *flags, str(path))
        assert output == "level 250 beam 1\n"
        assert "grpc" in modules
        assert not modules & (HEAVY | {"auricle"})


def test_listing_models_imports_no_torch(address: str) -> None:
    modules, output = loaded_by("models", "list", "--server", address)
    assert re.search("^served +fake .*^known +tiny.en ", output, re.DOTALL | re.MULTILINE)
    assert not modules & HEAVY


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(auricle: Auricle, name: str) -> None:
    result = auricle(name, "--help")
    assert result.exit_code == 0
    assert result.stdout.startswith("Usage: ")
    assert "-h, --help" in result.stdout


def test_an_unknown_command_is_two(auricle: Auricle) -> None:
    result = auricle("transcripe")
    assert result.exit_code == 2
    assert "No such command" in result.stderr
    assert main.get_command(click.Context(main), "transcripe") is None


def test_without_a_command_there_is_help(auricle: Auricle) -> None:
    result = auricle()
    assert result.exit_code == 2
    assert "Commands:" in result.output


def test_version(auricle: Auricle) -> None:
    assert auricle("--version").stdout == f"auricle, version {__version__}\n"


def test_as_a_module() -> None:
    command = [sys.executable, "-m", "auricle_cli", "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    assert "transcribe" in done.stdout
