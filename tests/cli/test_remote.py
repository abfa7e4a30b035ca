"""The commands against a real server."""

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from auricle.segmentation.segmenter import Piece
from auricle.transcript import Recognition as Recognized
from auricle_types.options import DecodingOptions
from tests.cli.conftest import Auricle
from tests.server import fakes
from tests.server.fakes import recognized, wav


@pytest.fixture
def nobody() -> Iterator[str]:
    """An address where nobody listens."""
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{reserved.getsockname()[1]}"


@pytest.fixture
def loud(tmp_path: Path) -> str:
    (tmp_path / "loud.wav").write_bytes(wav(1.5, level=0.5))
    return "loud.wav"


WORDS = "level 500 beam 1 level 500 beam 1"  # of two pieces, as the fake hears them


@pytest.mark.parametrize("flags", [[], ["--stream"]])
def test_transcribe(auricle: Auricle, address: str, loud: str, flags: list[str]) -> None:
    result = auricle("transcribe", "--server", address, *flags, loud)
    assert (result.exit_code, result.stdout, result.stderr) == (0, f"{WORDS}\n", "")


def test_options_cross_the_wire(auricle: Auricle, address: str, loud: str) -> None:
    flags = ["--beam", "3", "--format", "json"]
    answer = json.loads(auricle("transcribe", "--server", address, *flags, loud).stdout)
    assert answer["text"] == WORDS.replace("beam 1", "beam 3")
    assert answer["duration"] == 1.5
    assert answer["receipt"]["model_id"] == "fake-1"
    assert [segment["start"] for segment in answer["segments"]] == [0.0, 1.0]


def test_sampling_crosses_the_wire(
    auricle: Auricle, address: str, loud: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[float, int | None]] = []

    def sampled(piece: Piece, options: DecodingOptions) -> Recognized:
        asked.append((options.temperature, options.seed))
        return recognized(piece, options)

    monkeypatch.setattr(fakes, "recognized", sampled)
    for flags in ([], ["--temperature", "0.7", "--seed", "3"]):
        auricle("transcribe", "--server", address, *flags, loud)
    assert set(asked) == {(0.0, None), (0.7, 3)}


def test_ctc_lm_and_guards_cross_the_wire(
    auricle: Auricle, address: str, loud: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[float | None, float | None, bool]] = []

    def noted(piece: Piece, options: DecodingOptions) -> Recognized:
        asked.append((options.ctc_weight, options.lm_weight, options.guards))
        return recognized(piece, options)

    monkeypatch.setattr(fakes, "recognized", noted)
    for flags in ([], ["--guards"]):
        auricle("transcribe", "--server", address, *flags, loud)
    assert set(asked) == {(DecodingOptions().ctc_weight, None, True)}
    asked.clear()
    flags = "--ctc-weight 0 --lm-weight 0.4 --no-guards".split()
    auricle("transcribe", "--server", address, *flags, loud)
    assert set(asked) == {(0.0, 0.4, False)}


def test_headerless_audio(auricle: Auricle, address: str, tmp_path: Path) -> None:
    (tmp_path / "a.pcm").write_bytes(wav(1.0, level=0.5)[44:])
    refused = auricle("transcribe", "--server", address, "a.pcm")
    assert refused.exit_code == 2
    assert refused.stderr.startswith("auricle: a.pcm: ")
    stated = auricle("transcribe", "--server", address, "--sample-rate", "16000", "a.pcm")
    assert stated.stdout == "level 500 beam 1\n"


def test_one_bad_file_among_good_ones(auricle: Auricle, address: str, loud: str) -> None:
    Path("bad.wav").write_text("this is no audio")
    result = auricle("transcribe", "--server", address, "bad.wav", loud)
    assert (result.exit_code, result.stdout) == (1, f"{loud}\t{WORDS}\n")
    assert result.stderr.startswith("auricle: bad.wav: ")


def test_unknown_model(auricle: Auricle, address: str, loud: str) -> None:
    result = auricle("transcribe", "--server", address, "--model", "other", loud)
    assert result.exit_code == 2
    assert "other" in result.stderr


def test_nobody_there_is_said_once(auricle: Auricle, nobody: str, loud: str) -> None:
    result = auricle("transcribe", "--server", nobody, loud, loud, loud)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(f"auricle: {nobody}: ")
    assert len(result.stderr.splitlines()) == 1


def test_an_output_that_nobody_reads(address: str, loud: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "auricle_cli", "transcribe", "--server", address, "--stream"]
    files = [str(tmp_path / loud)] * 3
    with subprocess.Popen(
        [*command, *files], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()  # before the first word comes
        assert process.stderr.read() == b""
    assert process.returncode == 1


def test_evaluate(auricle: Auricle, address: str, loud: str, tmp_path: Path) -> None:
    line = {"audio_filepath": loud, "text": WORDS.upper()}
    (tmp_path / "manifest.jsonl").write_text(json.dumps(line))
    result = auricle("evaluate", "--server", address, "--format", "json", "manifest.jsonl")
    report = json.loads(result.stdout)
    assert (result.exit_code, report["wer"], report["utterances"]) == (0, 0.0, 1)
    assert report["audio_seconds"] == 1.5


def test_models(auricle: Auricle, address: str) -> None:
    result = auricle("models", "--server", address)
    assert result.exit_code == 0
    columns = result.stdout.splitlines()[1].split()
    assert columns == ["served", "fake", "-", "-", "en", "-", "fake-1", "cpu", "float32"]
    line = auricle("models", "--server", address, "--format", "json").stdout.splitlines()[0]
    assert json.loads(line) == {
        "state": "served",
        "size": None,
        "parameters": None,
        "languages": ["en"],
        "licence": None,
        "model_id": "fake-1",
        "name": "fake",
        "language": "en",
        "window_seconds": 20.0,
        "device": "cpu",
        "dtype": "float32",
    }


@pytest.mark.parametrize("command", ["models", "health"])
def test_nobody_there(auricle: Auricle, nobody: str, command: str) -> None:
    result = auricle(command, "--server", nobody, "--timeout", "5")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(f"auricle: {nobody}")


def test_health(auricle: Auricle, address: str) -> None:
    result = auricle("health", "--server", address)
    assert (result.exit_code, result.stdout) == (0, "SERVING\n")
