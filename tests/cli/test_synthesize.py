import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from auricle.training import synthesis
from auricle.training.synthesis.engines import DEFAULT_ENGINES, ENGINES
from auricle.training.synthesis.run import SynthesisConfig, usable_cpus
from auricle_cli.commands import synthesize as module
from auricle_cli.main import main

needs_flite = pytest.mark.skipif(shutil.which("flite") is None, reason="needs flite")


@pytest.fixture
def text(tmp_path: Path) -> Path:
    path = tmp_path / "text.txt"
    path.write_text("the street was empty\nnobody came to the door\n")
    return path


def test_the_command_knows_the_engines_and_the_defaults() -> None:
    defaults = {option.name: option.default for option in module.synthesize.params}
    config = SynthesisConfig(hours=1.0)
    assert tuple(ENGINES) == module.ENGINES
    assert DEFAULT_ENGINES == config.engines == defaults["engine"]
    for name in ("seed", "shard_hours"):
        assert defaults[name] == getattr(config, name)


def test_there_are_as_many_workers_as_usable_cpus_unless_it_is_said(
    text: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    monkeypatch.setattr(synthesis, "synthesize", lambda *given: asked.append(given[2].workers))
    for options in ([], ["--workers", "3"]):
        arguments = [str(text), str(tmp_path / "out"), "--hours", "1", *options]
        CliRunner().invoke(main, ["synthesize", *arguments])
    assert asked == [usable_cpus(), 3]


@needs_flite
def test_a_text_becomes_speech_and_the_next_run_goes_on(text: Path, tmp_path: Path) -> None:
    def run(hours: str) -> list[str]:
        options = ["--hours", hours, "--workers", "1", "--engine", "flite"]
        result = CliRunner().invoke(
            main, ["synthesize", str(text), str(tmp_path / "out"), *options]
        )
        assert result.exit_code == 0, result.output
        assert str(tmp_path / "out") in result.output
        return (tmp_path / "out" / "train.jsonl").read_text().splitlines()

    few = run("0.001")
    more = run("0.002")
    assert more[: len(few)] == few
    assert len(more) > len(few)
    assert {json.loads(line)["corpus"] for line in more} == {"flite"}


def test_a_missing_engine_ends_with_status_2(
    text: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    result = CliRunner().invoke(
        main, ["synthesize", str(text), str(tmp_path / "out"), "--hours", "1"]
    )
    assert result.exit_code == 2
    assert "apt-get install" in result.output


@pytest.mark.skipif(not all(map(shutil.which, module.DEFAULT_ENGINES)), reason="needs the engines")
def test_a_folder_that_cannot_be_made_ends_with_status_2(text: Path) -> None:
    result = CliRunner().invoke(main, ["synthesize", str(text), str(text / "out"), "--hours", "1"])
    assert result.exit_code == 2
    assert str(text / "out") in result.output


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--hours", "0"], "hours must be above 0"),
        ([], "--hours"),
        (["--hours", "1", "--engine", "mbrola"], "mbrola"),
        (["--hours", "1", "--punctuated", "absent.txt"], "absent.txt"),
    ],
)
def test_wrong_usage_ends_with_status_2(
    text: Path, tmp_path: Path, arguments: list[str], complaint: str
) -> None:
    result = CliRunner().invoke(main, ["synthesize", str(text), str(tmp_path / "out"), *arguments])
    assert result.exit_code == 2
    assert complaint in result.output
    assert not (tmp_path / "out").exists()
