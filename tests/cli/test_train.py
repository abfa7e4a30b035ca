from pathlib import Path

import pytest

from auricle.training import trainer
from auricle_types.errors import InvalidOptionError, StorageError, TrainingInterruptedError
from tests.cli.conftest import Auricle


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[tuple[Path, bool]]:
    (tmp_path / "recipe.toml").write_text("")
    runs: list[tuple[Path, bool]] = []

    def train(config: Path, *, resume: bool) -> None:
        runs.append((config, resume))

    monkeypatch.setattr(trainer, "train", train)
    return runs


def test_resumes_unless_told_otherwise(auricle: Auricle, runs: list[tuple[Path, bool]]) -> None:
    assert auricle("train", "recipe.toml").exit_code == 0
    assert auricle("train", "--restart", "recipe.toml").exit_code == 0
    assert runs == [(Path("recipe.toml"), True), (Path("recipe.toml"), False)]


def test_a_missing_recipe_is_two(auricle: Auricle, runs: list[tuple[Path, bool]]) -> None:
    result = auricle("train", "none.toml")
    assert result.exit_code == 2
    assert "none.toml" in result.stderr
    assert runs == []


def test_a_bad_recipe_is_two(auricle: Auricle, monkeypatch: pytest.MonkeyPatch) -> None:
    def train(config: Path, *, resume: bool) -> None:
        raise InvalidOptionError("epochs must be above 0")

    monkeypatch.setattr(trainer, "train", train)
    Path("recipe.toml").write_text("")
    result = auricle("train", "recipe.toml")
    assert (result.exit_code, result.stderr) == (2, "auricle: epochs must be above 0\n")


def test_an_interrupted_run_says_how_to_go_on(
    auricle: Auricle, monkeypatch: pytest.MonkeyPatch
) -> None:
    def train(config: Path, *, resume: bool) -> None:
        raise TrainingInterruptedError("interrupted at step 7: again")

    monkeypatch.setattr(trainer, "train", train)
    Path("recipe.toml").write_text("")
    result = auricle("train", "recipe.toml")
    assert (result.exit_code, result.stderr) == (
        130,
        "auricle: interrupted at step 7: again\n",
    )


def test_a_full_disk_is_two(auricle: Auricle, monkeypatch: pytest.MonkeyPatch) -> None:
    def train(config: Path, *, resume: bool) -> None:
        raise StorageError("state.pt: cannot be written")

    monkeypatch.setattr(trainer, "train", train)
    Path("recipe.toml").write_text("")
    result = auricle("train", "recipe.toml")
    assert (result.exit_code, result.stderr) == (2, "auricle: state.pt: cannot be written\n")
