import json
import lzma
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from auricle.language_model import load_language_model, path_beside
from auricle.training.language_model import build, perplexity, read_lines
from auricle_cli.main import main
from tests.asr.tiny import SENTENCES, tiny_tokenizer, write_tiny_checkpoint

Run = Callable[..., str]


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return write_tiny_checkpoint(tmp_path)


@pytest.fixture
def text(tmp_path: Path) -> Path:
    path = tmp_path / "text.txt.xz"
    path.write_bytes(lzma.compress("\n".join(SENTENCES).encode()))
    return path


@pytest.fixture
def run(text: Path, model: Path) -> Run:
    def run(*options: str, status: int = 0) -> str:
        output = path_beside(model)
        result = CliRunner().invoke(
            main, ["lm", str(text), str(output), "--model", str(model), *options]
        )
        assert result.exit_code == status, result.output
        return result.output

    return run


def manifest(folder: Path, *texts: str) -> Path:
    path = folder / "train.jsonl"
    lines = [json.dumps({"audio_filepath": "a.wav", "text": text}) for text in texts]
    path.write_text("\n".join(lines))
    return path


def test_a_text_becomes_the_model_of_a_checkpoint(run: Run, model: Path) -> None:
    said = run("--order", "4", "--ngrams", "100")
    found = load_language_model(path_beside(model), tiny_tokenizer())
    assert found.order == 4
    assert len(found) <= 48 + 100
    assert f"{len(found)} n-grams of {len(SENTENCES)} lines" in said


def test_the_same_text_gives_the_same_file(run: Run, model: Path) -> None:
    run()
    first = path_beside(model).read_bytes()
    run()
    assert path_beside(model).read_bytes() == first
    run("--order", "3")
    assert path_beside(model).read_bytes() != first


def test_transcripts_count_once_and_by_their_weight(text: Path, tmp_path: Path) -> None:
    train = manifest(tmp_path, "Hello there", "", "hello there", "stop")
    lines = read_lines(text, manifests=[train], manifest_weight=5.0)
    assert [(line.text, line.weight) for line in lines[len(SENTENCES) :]] == [
        ("hello there", 5.0),
        ("stop", 5.0),
    ]


def test_sources_weigh(text: Path, tmp_path: Path) -> None:
    sources = tmp_path / "sources"
    sources.write_text("\n".join(["cv:a", "book:b", *["tatoeba"] * (len(SENTENCES) - 2)]))
    weights = [line.weight for line in read_lines(text, sources=sources)]
    assert weights[0] > weights[2] > weights[1]


def test_what_it_has_read_it_foresees_better(run: Run, tmp_path: Path) -> None:
    read, other = "a stitch in time saves nine", "time is a question of jugs"
    tokenizer = tiny_tokenizer()
    model = build(read_lines(tmp_path / "text.txt.xz"), tokenizer, order=5, most=5_000)
    known, unknown = (perplexity(model, tokenizer, [each]) for each in (read, other))
    assert 1 < known < unknown / 3
    said = run("--check", str(manifest(tmp_path, read)), "--order", "5", "--ngrams", "5000")
    assert f"train.jsonl: {known:.1f}" in said


def test_words_that_the_tokens_cannot_spell_are_left_out(
    text: Path, caplog: pytest.LogCaptureFixture
) -> None:
    tokenizer = tiny_tokenizer()
    text.write_bytes(lzma.compress(b"the fox\nthe \xc3\xa9"))
    lines = read_lines(text)
    assert build(lines, tokenizer, order=2, most=99)
    assert "1 of 2 lines" in caplog.text


@pytest.mark.parametrize("options", [["--order", "40"], ["--model", "none"]])
def test_what_cannot_be(run: Run, options: list[str]) -> None:
    run(*options, status=2)
