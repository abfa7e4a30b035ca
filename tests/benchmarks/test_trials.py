import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from auricle.checkpoint import load_checkpoint
from auricle.model import SpeechTransformer
from auricle.training.config import load_training_config
from benchmarks.report import block
from benchmarks.trial_tables import tables
from benchmarks.trials import losses, main, trial
from benchmarks.variants import variants
from tests.asr.training.runs import tiny_run, write_dev, write_recipe

SCORE = {
    "cer": {"value": 0.25, "low": 0.2, "high": 0.3},
    "wer": {"value": 0.5, "low": 0.4, "high": 0.6},
}
TRIAL = {
    "expected": "better",
    "parameters": 2_060_000,
    "steps": 4_500,
    "seconds_a_step": 0.125,
    "losses": {"ctc": 1.0, "attention": 2.0},
    "audio_seconds_per_core_second": 50.0,
    "all": SCORE,
    "scores": {"read": SCORE},
}
RECIPE = Path(__file__).parents[2] / "recipes" / "trial.toml"


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    return write_recipe(tiny_run(tmp_path), tmp_path / "recipe.toml")


def run(recipe: Path, *arguments: str) -> Result:
    dev = write_dev(recipe.parent / "read", "read", 2)
    output = recipe.parent / "results" / "trials.json"
    words = [str(recipe), str(dev), "--threads", "1", "--output", str(output), *arguments]
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 0, done.output
    return done


def result(recipe: Path) -> dict[str, dict[str, object]]:
    path = recipe.parent / "results" / "trials.json"
    found: dict[str, dict[str, object]] = json.loads(path.read_text())["trials"]
    return found


@pytest.mark.slow
def test_a_smoke_run(recipe: Path) -> None:
    named = ("base", "attention alone")
    done = run(recipe, "--quick", *(f"--only={name}" for name in named))
    rows = result(recipe)
    assert tuple(rows) == named
    assert {row["steps"] for row in rows.values()} == {4}
    assert rows["base"]["parameters"] != rows["attention alone"]["parameters"]
    assert set(rows["base"]["scores"]) == {"read"}  # type: ignore[call-overload]
    assert "attention alone" in done.output
    assert "CER by speech" in block("trials", recipe.parent / "results")


def test_what_is_there_is_not_made_again(recipe: Path) -> None:
    recipe.write_text(recipe.read_text().replace("last_step = 0", "last_step = 2"))
    run(recipe, "--only", "base")
    first = result(recipe)
    run(recipe, "--only", "base", "--only", "sinusoidal positions")
    second = result(recipe)
    assert second["base"] == first["base"]
    assert set(second) == {"base", "sinusoidal positions"}


def test_a_row_has_all_that_a_trial_found() -> None:
    first, second = tables({"trials": {"base": TRIAL}})
    cells = [cell.strip() for cell in first.splitlines()[-1].strip("|").split("|")]
    assert cells[:6] == ["base", "2.06", "8.0", "50.0", "1.00", "2.00"]
    assert cells[6:] == ["25.0% (20.0% to 30.0%)", "50.0% (40.0% to 60.0%)"]
    assert second.splitlines()[-1].split() == ["|", "base", "|", "25.0%", "|"]


def test_what_cannot_be_trained_is_named(recipe: Path) -> None:
    dev = write_dev(recipe.parent / "read", "read", 3)
    arguments = [str(recipe), str(dev), "--quick", "--threads", "1", "--only", "8x subsampling"]
    done = CliRunner().invoke(main, arguments)  # its tiny texts want more frames
    assert done.exit_code == 1
    assert "8x subsampling: training speech: too short for its text" in done.output


def test_the_journal_says_how_it_ended(tmp_path: Path) -> None:
    lines = [{"step": 100 * n, "ctc": float(n), "attention": 1.0} for n in range(20)]
    lines.append({"epoch": 1, "step": 2000})
    (tmp_path / "journal.jsonl").write_text("\n".join(map(json.dumps, lines)))
    assert losses(tmp_path) == {"ctc": 14.5, "attention": 1.0}


def test_speech_can_be_added(tmp_path: Path) -> None:
    config = tiny_run(tmp_path)
    (added,) = variants([Path("more.jsonl")])[len(variants()) :]
    assert added.change(config).data.train == (*config.data.train, Path("more.jsonl"))


def test_trials_are_of_like_size_and_each_is_another() -> None:
    config = load_training_config(RECIPE)
    changed = [each.change(config) for each in variants([Path("more.jsonl")])]
    assert len({str(each) for each in changed}) == len(changed)
    sizes = [
        sum(weight.numel() for weight in SpeechTransformer(each.model).parameters())
        for each in changed
    ]
    assert max(sizes) < 1.08 * sizes[0]
    assert min(sizes) > 0.95 * sizes[0]


def test_a_trial_is_its_variant(tmp_path: Path) -> None:
    config = tiny_run(tmp_path)
    config = replace(config, optimizer=replace(config.optimizer, last_step=2))
    (wanted,) = (each for each in variants() if each.name == "attention alone")
    trial(config, wanted, [])
    model = load_checkpoint(config.output / "attention-alone" / "last.safetensors").model
    assert model.config.transformer.conv_kernel == 0
