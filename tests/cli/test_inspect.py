"""`auricle inspect`, with the tiny model."""

import sys
from pathlib import Path

import pytest

from tests.asr.recognizing import wav
from tests.asr.tiny import WINDOW_SECONDS, sound, write_tiny_checkpoint
from tests.cli.conftest import Auricle

PNG = b"\x89PNG\r\n"


@pytest.fixture
def here(auricle: Auricle, tmp_path: Path) -> Path:
    """The folder in which the command runs, with a model and some audio."""
    pytest.importorskip("matplotlib")
    write_tiny_checkpoint(tmp_path)
    (tmp_path / "a.wav").write_bytes(wav(sound(0)))
    (tmp_path / "long.wav").write_bytes(wav(sound(0, WINDOW_SECONDS + 1)))
    (tmp_path / "notes.txt").write_text("no audio at all")
    return tmp_path


def inspect(auricle: Auricle, arguments: str) -> tuple[int, str, str]:
    result = auricle("inspect", "--model", "tiny.safetensors", *arguments.split())
    return result.exit_code, result.stdout, result.stderr


def test_it_writes_a_picture(auricle: Auricle, here: Path) -> None:
    assert inspect(auricle, "a.wav --output picture.jpg") == (0, "", "")
    assert (here / "picture.jpg").read_bytes().startswith(PNG)  # whatever it is called


def test_another_layer_is_another_picture(auricle: Auricle, here: Path) -> None:
    for flags in ("--output last", "--layer 1 --output first"):
        assert inspect(auricle, f"a.wav {flags}")[0] == 0
    assert (here / "last").read_bytes() != (here / "first").read_bytes()


def test_what_was_lost_is_said(auricle: Auricle, here: Path) -> None:
    (here / "cut.wav").write_bytes((here / "a.wav").read_bytes()[:-8000])
    code, _, stderr = inspect(auricle, "cut.wav --output a.png")
    assert code == 0
    assert stderr.startswith("auricle: cut.wav: warning: ")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("none.wav --output a.png", "'none.wav' does not exist"),
        ("a.wav", "'--output'"),
        ("a.wav --output a.png --layer 0", "'--layer'"),
        ("a.wav --output a.png --layer 3", "auricle: layer must be 1 to 2 with this model, not 3"),
        ("a.wav --output a.png --model none", "auricle: there is no model 'none'"),
        ("a.wav --output none/a.png", "auricle: none/a.png: No such file or directory"),
        ("a.wav --output .", "is a directory"),
        (
            "long.wav --output a.png",
            "auricle: long.wav: a piece of 6.0 s does not fit the model's 5 s: cut it",
        ),
        ("notes.txt --output a.png", "auricle: notes.txt: "),
    ],
)
def test_what_cannot_be_done_is_two(
    auricle: Auricle, here: Path, arguments: str, message: str
) -> None:
    code, stdout, stderr = inspect(auricle, arguments)
    assert (code, stdout) == (2, "")
    assert message in stderr
    assert not (here / "a.png").exists()


def test_without_matplotlib_it_says_what_to_install(
    auricle: Auricle, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "auricle.inspection.picture", raising=False)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    code, _, stderr = inspect(auricle, "a.wav --output a.png")
    assert code == 2
    assert stderr.startswith("auricle: ")
    assert stderr.endswith("pip install 'auricle[plots]'\n")
