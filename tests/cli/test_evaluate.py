import json
from pathlib import Path

import pytest

from auricle_cli.recognition import RecognitionSetup
from auricle_types.options import DecodingOptions
from tests.cli.conftest import Auricle, Opened


@pytest.fixture
def manifest(clips: Path) -> str:
    (clips / "broken.wav").write_text("broken")
    lines = [("b.wav", "The cat"), ("deep/a.FLAC", "I sat"), ("broken.wav", "lost")]
    entries = [json.dumps({"audio_filepath": name, "text": text}) for name, text in lines]
    path = clips / "manifest.jsonl"
    path.write_text("\n".join(entries))
    return str(path)


def test_json_is_one_object(auricle: Auricle, opened: Opened, manifest: str) -> None:
    result = auricle("evaluate", "--format", "json", manifest)
    report = json.loads(result.stdout)
    counts = ("substitutions", "deletions", "insertions", "utterances")
    assert [report[name] for name in counts] == [0, 2, 0, 3]
    assert report["wer"] == pytest.approx(2 / 5)
    assert report["cer"] == pytest.approx(6 / 16)
    assert report["rtfx"] > 0
    assert opened.transcriber.closed


def test_what_failed_is_named(auricle: Auricle, opened: Opened, manifest: str) -> None:
    result = auricle("evaluate", manifest)
    assert result.exit_code == 1
    assert result.stderr == f"auricle: {Path(manifest).parent}/broken.wav: not audio\n"
    assert result.stdout.startswith("WER 40.00%")
    assert "1 failed" in result.stdout


def test_worst(auricle: Auricle, opened: Opened, manifest: str) -> None:
    assert "REF: i sat\nHYP: * sat" in auricle("evaluate", manifest).stdout
    assert "REF:" not in auricle("evaluate", "--worst", "0", manifest).stdout


def test_all_well_is_zero_and_all_failed_is_two(
    auricle: Auricle, opened: Opened, manifest: str
) -> None:
    lines = Path(manifest).read_text().splitlines()
    Path(manifest).write_text(lines[0])
    assert auricle("evaluate", manifest).exit_code == 0
    Path(manifest).write_text(lines[2])
    assert auricle("evaluate", manifest).exit_code == 2


def test_a_bad_manifest_opens_nothing(auricle: Auricle, opened: Opened, clips: Path) -> None:
    (clips / "manifest.jsonl").write_text("{}")
    result = auricle("evaluate", f"{clips}/manifest.jsonl")
    assert result.exit_code == 2
    assert result.stderr == f"auricle: {clips}/manifest.jsonl:1: audio_filepath is missing\n"
    assert auricle("evaluate", "none.jsonl").exit_code == 2
    assert opened.recognition is None


def test_options(auricle: Auricle, opened: Opened, manifest: str) -> None:
    auricle("evaluate", "--concurrency", "3", "--beam", "2", manifest)
    assert opened.recognition == RecognitionSetup(
        decoding=DecodingOptions(beam_size=2), concurrency=3
    )
