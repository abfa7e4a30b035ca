import io
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile

from auricle.audio.formats import SUFFIXES
from auricle.config import SAMPLE_RATE
from auricle_cli.inputs import Source, expand


def test_a_folder_is_sorted_and_searched_below(clips: Path) -> None:
    (clips / "a.opus").touch()
    (clips / "folder.wav").mkdir()  # a folder by the name of a recording
    sources, failures = expand([str(clips)])
    names = [str(Path(source.name).relative_to(clips)) for source in sources]
    assert names == ["a.opus", "b.wav", "deep/a.FLAC"]
    assert failures == []


def test_a_named_file_needs_no_known_suffix(clips: Path) -> None:
    name = str(clips / "notes.txt")
    assert expand([name]) == ([Source(name)], [])


def test_order_of_the_names_stays(clips: Path) -> None:
    names = [str(clips / "deep"), "-", str(clips / "b.wav")]
    sources, _ = expand(names)
    assert [source.name for source in sources] == [f"{clips}/deep/a.FLAC", "-", f"{clips}/b.wav"]


def test_what_leads_nowhere_is_told(tmp_path: Path) -> None:
    sources, failures = expand([str(tmp_path), "none.wav"])
    assert sources == []
    assert failures == [
        (str(tmp_path), "no audio files in this folder"),
        ("none.wav", "no such file"),
    ]


def test_a_name_that_no_system_takes_is_told() -> None:
    name = "a" * 5000
    assert expand([name, "-"]) == ([Source("-")], [(name, "File name too long")])


def test_the_name_stays_as_it_was_given(clips: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(clips)
    assert expand(["./b.wav"]) == ([Source("./b.wav")], [])


def test_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.wav").write_bytes(b"RIFF")
    with Source(str(tmp_path / "a.wav")).open() as reader:
        assert reader.read() == b"RIFF"
    assert reader.closed
    stdin = io.BytesIO(b"piped")
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=stdin))
    with Source("-").open() as reader:
        assert reader.read() == b"piped"
    assert not stdin.closed


def test_a_closed_standard_input_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    assert expand(["-"]) == ([], [("-", "the standard input is closed")])
    with pytest.raises(OSError, match="standard input is closed"), Source("-").open():
        pass


def test_the_standard_input_is_read_once() -> None:
    reason = "the standard input can be read only once"
    assert expand(["-", "-"]) == ([Source("-")], [("-", reason)])


def test_a_folder_offers_every_format_that_can_be_read(tmp_path: Path) -> None:
    for suffix in SUFFIXES:
        (tmp_path / f"speech{suffix.upper()}").touch()
    (tmp_path / "notes.txt").touch()
    sources, _ = expand([str(tmp_path)])
    assert {Path(source.name).suffix.lower() for source in sources} == SUFFIXES
    assert {".sph", ".aiff", ".au", ".caf", ".w64", ".amr", ".mp2", ".ac3"} <= SUFFIXES


def test_an_empty_name_is_not_the_current_folder(
    clips: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(clips)
    assert expand([""]) == ([], [("", "no such file: the name is empty")])


def test_hidden_files_are_read_only_where_they_are_named(tmp_path: Path) -> None:
    hidden = tmp_path / ".recordings" / "._b.wav"
    for path in (tmp_path / "a.wav", tmp_path / "._a.wav", hidden, tmp_path / "__MACOSX" / "a.wav"):
        path.parent.mkdir(exist_ok=True)
        path.touch()
    assert expand([str(tmp_path)]) == ([Source(str(tmp_path / "a.wav"))], [])
    assert expand([str(hidden)]) == ([Source(str(hidden))], [])
    assert expand([str(hidden.parent)])[0] == []


def test_a_part_of_a_file_is_a_file(tmp_path: Path) -> None:
    path = tmp_path / "talk.wav"
    samples = np.repeat(np.array([0.1, 0.2], np.float32), SAMPLE_RATE)
    soundfile.write(path, samples, SAMPLE_RATE, subtype="FLOAT")
    with Source(str(path), (1.0, 0.5)).open() as reader:
        found, rate = soundfile.read(reader, dtype="float32")
    assert (rate, found.tolist()) == (SAMPLE_RATE, samples[-SAMPLE_RATE // 2 :].tolist())
    with pytest.raises(OSError, match="begins at 2 s"), Source(str(path), (2.0, None)).open():
        pass
