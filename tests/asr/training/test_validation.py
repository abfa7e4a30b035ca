"""Error rates in training are those that the recogniser would make."""

from pathlib import Path

import pytest

from auricle.evaluation import ErrorCounts, word_errors
from auricle.features import LogMel
from auricle.recognizer import Recognizer
from auricle.training.validation import Validator, load_dev_set
from auricle_types.errors import ManifestError
from auricle_types.options import DecodingOptions
from tests.asr.tiny import SENTENCES, tiny_checkpoint, tiny_model, tiny_tokenizer
from tests.asr.training.runs import utterance, write_dev

ATTENTION = DecodingOptions(ctc_weight=0.0, guards=False)  # alone, as training watches it


def test_a_dev_set_is_read_from_its_manifest(tmp_path: Path) -> None:
    dev = load_dev_set(write_dev(tmp_path, "holdout", count=3))
    assert dev.name == "holdout"
    assert dev.texts == list(SENTENCES[:3])
    assert [len(waveform) for waveform in dev.waveforms] == [len(utterance(i)) for i in range(3)]


def test_no_dev_set(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match=r"nothing\.jsonl"):
        load_dev_set(tmp_path / "nothing.jsonl")


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of five utterances."""
    return write_dev(tmp_path_factory.mktemp("dev"), count=5)


@pytest.fixture(scope="module")
def texts(manifest: Path) -> list[str]:
    """What the recogniser writes of each."""
    with Recognizer.from_checkpoint(tiny_checkpoint(), device="cpu", dtype="float32") as recognizer:
        paths = [manifest.parent / f"{index}.wav" for index in range(5)]
        return [each.text for each in recognizer.transcribe(paths, options=ATTENTION)]


@pytest.mark.parametrize("batch_seconds", [0.1, 4.0, 100.0])
def test_attention_errs_as_the_recogniser_does(
    manifest: Path, texts: list[str], batch_seconds: float
) -> None:
    validator = Validator(LogMel(tiny_model().config.features), tiny_tokenizer(), batch_seconds)
    ctc, attention = validator.wer(tiny_model(), load_dev_set(manifest))
    assert len(set(texts)) > 3
    counts = sum(map(word_errors, SENTENCES[:5], texts), start=ErrorCounts())
    assert attention == pytest.approx(counts.rate)
    assert ctc is not None
    assert ctc > 0
    assert ctc != attention


def test_a_perfect_model_has_no_errors(manifest: Path, texts: list[str]) -> None:
    """References that are the model's own words."""
    dev = load_dev_set(manifest)
    dev.texts[:] = texts
    validator = Validator(LogMel(tiny_model().config.features), tiny_tokenizer(), 4.0)
    assert validator.wer(tiny_model(), dev)[1] == 0.0
