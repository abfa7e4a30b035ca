import json
import lzma
import runpy
import shutil
from pathlib import Path

import pytest
import soundfile

FOLDER = Path(__file__).parents[2] / "samples"
SHARED = Path(__file__).parents[3] / "shared"
ROWS = [json.loads(line) for line in (FOLDER / "manifest.jsonl").read_text().splitlines()]


AUDIO = [*FOLDER.glob("*.wav"), *FOLDER.glob("*.opus")]


def test_the_manifest_lists_every_recording() -> None:
    names = [row["audio_filepath"] for row in ROWS]
    assert sorted(names) == sorted(path.name for path in AUDIO)
    assert sum(path.stat().st_size for path in AUDIO) < 1_500_000


def test_people_are_credited() -> None:
    readme = (FOLDER / "README.md").read_text()
    recorded = [path.stem for path in AUDIO if path.suffix == ".opus"]
    assert recorded
    assert all(f"`{name}.opus`" in readme for name in recorded)
    assert "CC BY 4.0" in readme


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["audio_filepath"])
def test_a_recording_is_what_the_manifest_says(row: dict[str, str | float]) -> None:
    info = soundfile.info(FOLDER / str(row["audio_filepath"]))
    assert (info.samplerate, info.channels) == (16_000, 1)
    assert info.duration == pytest.approx(row["duration"], abs=1e-3)
    assert 3.0 <= info.duration <= 11.0
    assert set(str(row["text"])) <= set("abcdefghijklmnopqrstuvwxyz' ")


@pytest.mark.skipif(not SHARED.is_dir(), reason="needs the training texts")
def test_no_sample_sentence_is_in_a_training_text() -> None:
    speech = (SHARED / "speech" / "train.jsonl").read_text().splitlines()
    seen = {json.loads(line)["text"] for line in speech}
    for text in (SHARED / "text").glob("*.txt.xz"):
        seen.update(lzma.decompress(text.read_bytes()).decode().splitlines())
    assert len(seen) > 500_000
    assert seen.isdisjoint(row["text"] for row in ROWS)


@pytest.mark.skipif(
    not all(map(shutil.which, ("espeak-ng", "flite"))), reason="needs espeak-ng and flite"
)
def test_the_script_makes_them_again(tmp_path: Path) -> None:
    script = runpy.run_path(str(FOLDER / "make_samples.py"))
    script["make_samples"](tmp_path)
    again = [json.loads(line) for line in (tmp_path / "manifest.jsonl").read_text().splitlines()]
    assert [row["text"] for row in again] == [row["text"] for row in ROWS]
    # other versions of the engines speak a little faster or slower
    assert [row["duration"] for row in again] == pytest.approx(
        [row["duration"] for row in ROWS], rel=0.2
    )
    spoken = sorted(path.name for path in tmp_path.glob("*.wav"))
    assert spoken == sorted(path.name for path in FOLDER.glob("*.wav"))
