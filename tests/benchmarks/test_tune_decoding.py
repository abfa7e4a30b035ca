import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from auricle.checkpoint import Checkpoint
from auricle.language_model import path_beside
from auricle.recognizer import Recognizer
from auricle_cli.main import main as auricle
from auricle_types.options import DecodingOptions
from benchmarks.recordings import SAMPLES
from benchmarks.tune_decoding import ALL, Tuner, main
from tests.asr.language_models import random_model
from tests.asr.tiny import (
    SENTENCES,
    VOCAB_SIZE,
    tiny_model,
    tiny_tokenizer,
    write_tiny_checkpoint,
)

MANIFEST = SAMPLES / "manifest.jsonl"


@pytest.fixture
def checkpoint() -> Checkpoint:
    language_model, _ = random_model(vocab_size=VOCAB_SIZE, order=2)
    return Checkpoint(tiny_model(), tiny_tokenizer(), language_model)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """With a language model beside it."""
    path, text = write_tiny_checkpoint(tmp_path), tmp_path / "text.txt"
    text.write_text("\n".join(SENTENCES))
    command = ["lm", str(text), str(path_beside(path)), "--model", str(path), "--ngrams", "100"]
    assert CliRunner().invoke(auricle, command).exit_code == 0
    return path


@pytest.mark.slow
def test_a_smoke_run(model: Path, tmp_path: Path) -> None:
    output = tmp_path / "tune.json"
    flags = "--quick --threads 1 --lm-weight 0 --lm-weight 0.3 --token-reward 1 --token-reward 2"
    paths = [str(MANIFEST), "--model", str(model), "--output", str(output)]
    done = CliRunner().invoke(main, [*paths, *flags.split()])
    assert done.exit_code == 0, done.output
    ways = json.loads(output.read_text())["ways"]
    assert {(way["lm_weight"], way["token_reward"]) for way in ways} == {(0, 0), (0.3, 1), (0.3, 2)}
    assert [way[ALL] for way in ways] == sorted(way[ALL] for way in ways)
    assert ALL in done.output


def test_words_are_those_of_a_recognizer(checkpoint: Checkpoint) -> None:
    """Utterances at once, encoded before, but by the same searches."""
    options = DecodingOptions(lm_weight=0.5, max_tokens=12)
    tuner = Tuner(checkpoint, [MANIFEST], 3)
    with Recognizer.from_checkpoint(checkpoint, dtype="float32") as recognizer:
        expected = _errors(recognizer, options)
    assert tuner.errors(options)["manifest"].errors == expected
    other = DecodingOptions(3, lm_weight=0.0, max_tokens=12)
    assert tuner.errors(other)["manifest"].errors >= 0


def _errors(recognizer: Recognizer, options: DecodingOptions) -> int:
    from auricle.evaluation import normalize, read_manifest, word_errors

    utterances = read_manifest(MANIFEST)[:3]
    said = recognizer.transcribe([each.audio for each in utterances], options=options)
    pairs = zip(utterances, said, strict=True)
    return sum(word_errors(normalize(u.text), normalize(s.text)).errors for u, s in pairs)
