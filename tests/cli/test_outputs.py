"""Files of `--output-dir`: which, where, and which ones stay."""

import json
from pathlib import Path

import pytest

from auricle_cli.recognition import RecognitionSetup
from auricle_types.options import DecodingOptions
from tests.cli.conftest import Auricle, Opened


def written(folder: Path) -> dict[str, str]:
    """The files below a folder, by their paths in it."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_text() for path in files}


def test_a_file_for_each_input_and_format(
    auricle: Auricle, opened: Opened, clips: Path, tmp_path: Path
) -> None:
    flags = "--output-dir out --format txt --format srt --format tsv --format vtt --format json"
    result = auricle("transcribe", *flags.split(), str(clips))
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "")
    files = written(tmp_path / "out")
    assert set(files) == {
        f"{stem}.{kind}"
        for stem in ("b", "deep/a")
        for kind in ("txt", "srt", "tsv", "vtt", "json")
    }
    assert files["b.txt"] == "the cat\n"
    assert files["b.srt"].startswith("1\n00:00:00,000 --> 00:00:01,000\nthe\n\n2\n")
    assert files["b.tsv"] == "start\tend\ttext\n0\t1000\tthe\n1000\t2000\tcat\n"
    assert files["b.vtt"].startswith("WEBVTT\n\n")
    assert json.loads(files["deep/a.json"])["text"] == "sat"


def test_finished_inputs_are_skipped(
    auricle: Auricle, opened: Opened, clips: Path, tmp_path: Path
) -> None:
    command = ("transcribe", "--output-dir", "out", str(clips))
    auricle(*command)
    (tmp_path / "out" / "b.txt").write_text("edited")
    (clips / "c.wav").write_text("new")
    result = auricle(*command)
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr.splitlines() == [
        f"auricle: {clips}/{name}: skipped, its files exist: --overwrite does it again"
        for name in ("b.wav", "deep/a.FLAC")
    ]
    assert written(tmp_path / "out") == {"b.txt": "edited", "c.txt": "new\n", "deep/a.txt": "sat\n"}
    opened.recognition = None
    assert auricle(*command).exit_code == 0
    assert opened.recognition is None  # no model is loaded for nothing
    assert auricle(*command, "--overwrite").stderr == ""
    assert written(tmp_path / "out")["b.txt"] == "the cat\n"


def test_a_new_format_leaves_the_files_that_are_there(
    auricle: Auricle, opened: Opened, clips: Path, tmp_path: Path
) -> None:
    command = ("transcribe", "--output-dir", "out", str(clips / "b.wav"))
    auricle(*command)
    (tmp_path / "out" / "b.txt").write_text("edited")
    auricle(*command, "--format", "txt", "--format", "tsv")
    assert set(written(tmp_path / "out")) == {"b.txt", "b.tsv"}
    assert written(tmp_path / "out")["b.txt"] == "edited"


def test_two_inputs_for_one_file_are_refused(
    auricle: Auricle, opened: Opened, clips: Path, tmp_path: Path
) -> None:
    (clips / "b.mp3").write_text("other")
    result = auricle("transcribe", "--output-dir", "out", str(clips))
    assert result.exit_code == 2
    assert f"{clips}/b.mp3 and {clips}/b.wav would both become out/b.txt" in result.stderr
    assert opened.recognition is None
    assert not (tmp_path / "out").exists()


def test_a_failure_leaves_no_file(
    auricle: Auricle, opened: Opened, clips: Path, tmp_path: Path
) -> None:
    (clips / "bad.wav").write_text("broken")
    result = auricle("transcribe", "--output-dir", "out", str(clips))
    assert (result.exit_code, result.stderr) == (1, f"auricle: {clips}/bad.wav: not audio\n")
    assert set(written(tmp_path / "out")) == {"b.txt", "deep/a.txt"}


def test_what_cannot_be_written_is_a_failure(
    auricle: Auricle, opened: Opened, clips: Path, tmp_path: Path
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "deep").write_text("a file where a folder should be")
    result = auricle("transcribe", "--output-dir", "out", str(clips))
    assert result.exit_code == 1
    assert "deep/a.txt: cannot be written" in result.stderr
    assert written(tmp_path / "out")["b.txt"] == "the cat\n"
    result = auricle("transcribe", "--output-dir", "out/deep", str(clips))
    assert (result.exit_code, result.stderr) == (2, "auricle: out/deep: File exists\n")


def test_the_journal_lies_beside_the_files_until_they_are_there(
    auricle: Auricle, opened: Opened, clips: Path, tmp_path: Path
) -> None:
    auricle("transcribe", str(clips))
    assert [job.journal for job in opened.transcriber.jobs] == [None, None]
    opened.transcriber.jobs.clear()
    journal = tmp_path / "out" / "b.partial.jsonl"
    journal.parent.mkdir()
    journal.touch()
    (clips / "b.wav").write_text("broken")
    auricle("transcribe", "--output-dir", "out", str(clips))
    assert {str(job.journal) for job in opened.transcriber.jobs} == {
        "out/b.partial.jsonl",
        "out/deep/a.partial.jsonl",
    }
    assert journal.exists()
    (clips / "b.wav").write_text("the cat")
    auricle("transcribe", "--output-dir", "out", str(clips))
    assert not journal.exists()


def test_limits_of_cues_ask_for_the_times_of_words(
    auricle: Auricle, opened: Opened, clips: Path
) -> None:
    flags = "--format srt --max-line-width 40 --max-line-count 2 --max-cue-seconds 6"
    result = auricle("transcribe", *flags.split(), str(clips / "b.wav"))
    assert result.exit_code == 0
    assert opened.recognition == RecognitionSetup(decoding=DecodingOptions(word_timestamps=True))


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ("--overwrite", "add an --output-dir"),
        ("--format txt --format srt", "add an --output-dir"),
        ("--output-dir out --stream", "leave it out with --output-dir"),
        ("--output-dir out -", "the standard input has no name"),
        ("--separate-channels --stream", "cannot be used with"),
        ("--separate-channels --server h:1", "cannot be used with"),
        ("--max-line-width 40", "add --format srt or vtt"),
        ("--max-line-count 2 --format srt", "needs a --max-line-width"),
        ("--max-cue-seconds 0 --format srt", "'--max-cue-seconds'"),
    ],
)
def test_wrong_usage(
    auricle: Auricle, opened: Opened, clips: Path, flags: str, message: str
) -> None:
    result = auricle("transcribe", *flags.split(), str(clips / "b.wav"))
    assert result.exit_code == 2
    assert message in result.stderr
    assert opened.recognition is None


@pytest.mark.parametrize("setting", ['"srt"', '["srt"]'])
def test_a_settings_file_may_name_one_format(
    auricle: Auricle, opened: Opened, clips: Path, tmp_path: Path, setting: str
) -> None:
    (tmp_path / "a.toml").write_text(f"[transcribe]\nformat = {setting}\n")
    result = auricle("--config", "a.toml", "transcribe", str(clips / "b.wav"))
    assert result.stdout.startswith("1\n00:00")
    (tmp_path / "a.toml").write_text("[transcribe]\nformat = []\n")
    result = auricle("--config", "a.toml", "transcribe", str(clips / "b.wav"))
    assert (result.exit_code, result.stdout) == (2, "")
