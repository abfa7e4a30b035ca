"""Random weights, written as the peers write them, are read by all who can read them."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from auricle.pretrained import load_pretrained
from benchmarks import readers as side
from benchmarks.peers.real import FASTER_WHISPER, ONE_BY_ONE
from benchmarks.real_checkpoint import main
from benchmarks.recordings import SAMPLES
from tests.asr.families.peers import (
    hub_moonshine,
    hub_whisper,
    openai_file,
    openai_model,
    save,
    whisper,
)
from tests.benchmarks.fakes import here

WINDOW = 1_500  # faster-whisper knows no other
BESIDE_TEXT = {"decoder_start_token_id": 50_258} | dict.fromkeys(
    ("eos_token_id", "bos_token_id", "pad_token_id"), 50_257
)


def run(model: Path, *options: str) -> Result:
    arguments = [str(model), str(SAMPLES / "manifest.jsonl"), "--quick", "--threads", "1"]
    return CliRunner().invoke(main, [*arguments, "--dtype", "float32", *options])


def readers(done: Result) -> list[str]:
    """Whose WER stands in the table, with their speed."""
    assert done.exit_code == 0, done.output
    found = re.findall(r"^\| (\S.*?) +\| \d+\.\d% \(.*\) +\|$", done.output, re.MULTILINE)
    for name in found:
        assert re.search(rf"^\| {name} +\| \d+\.\d+ +\|$", done.output, re.MULTILINE)
    return found


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(side, "Elsewhere", here)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return openai_file(tmp_path, openai_model(n_audio_ctx=WINDOW))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_file_of_openai(file: Path) -> None:
    done = run(file)
    assert readers(done) == ["auricle float32", "openai-whisper float32"]
    assert f"without {ONE_BY_ONE}: it reads folders" in done.output


@pytest.mark.slow
def test_a_folder_of_the_hub(file: Path, tmp_path: Path) -> None:
    pytest.importorskip("faster_whisper", reason="faster-whisper is not installed")
    folder = tmp_path / "hub"
    model: Any = hub_whisper(
        vocab_size=51_865,
        max_source_positions=WINDOW,
        max_target_positions=448,
        suppress_tokens=[],
        **BESIDE_TEXT,
    )
    model.save_pretrained(folder)
    tokenizer = load_pretrained(file).tokenizer
    (folder / "tokenizer.json").write_bytes(tokenizer.serialized)
    languages = [f"<|{language}|>" for language in list(whisper.tokenizer.LANGUAGES)[:99]]
    (folder / "tokenizer_config.json").write_text(
        json.dumps(
            {"tokenizer_class": "PreTrainedTokenizerFast", "additional_special_tokens": languages}
        )
    )
    done = run(folder)
    assert readers(done) == ["auricle float32", *FASTER_WHISPER]
    assert "without openai-whisper float32: it reads .pt files" in done.output


@pytest.mark.slow
def test_moonshine_and_the_result(tmp_path: Path) -> None:
    output = tmp_path / "result.json"
    folder = save(hub_moonshine(), tmp_path / "moonshine")
    done = run(folder, "--output", str(output))
    assert readers(done) == ["auricle float32", "transformers float32"]
    result = json.loads(output.read_text())
    found = result["readers"]["manifest"]
    assert list(found) == readers(done)
    assert all(each["wer"]["value"] > 0 for each in found.values())


def test_not_a_checkpoint(tmp_path: Path) -> None:
    done = run(tmp_path / "nowhere")
    assert done.exit_code == 1
    assert "nowhere" in done.output
    assert "Traceback" not in done.output
