import json
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from auricle.training.synthesis.corpus import SpeechFolder, SpokenRecording
from auricle_types.errors import InvalidOptionError, ManifestError

PLAN: dict[str, str | int] = {"seed": 1, "sentences": "abc", "voices": "def"}


def recording(index: int) -> SpokenRecording:
    return SpokenRecording(index, b"ogg" * (index + 1), 2.5, f"line {index}", "flite-slt", "flite")


def test_a_shard_and_its_manifest_have_the_layout_of_the_real_speech(tmp_path: Path) -> None:
    SpeechFolder(tmp_path / "out", PLAN).add_shard(map(recording, range(2)))
    lines = (tmp_path / "out" / "train.jsonl").read_text().splitlines()
    assert json.loads(lines[1]) == {
        "audio_filepath": "flite/00000001.opus",
        "duration": 2.5,
        "text": "line 1",
        "speaker": "flite-slt",
        "corpus": "flite",
        "shard": "train-00000.tar",
    }
    with tarfile.open(tmp_path / "out" / "train-00000.tar") as tar:
        assert tar.getnames() == ["flite/00000000.opus", "flite/00000001.opus"]
        file = tar.extractfile("flite/00000001.opus")
        assert file is not None
        assert file.read() == b"oggogg"


def test_a_folder_is_opened_where_it_was_left(tmp_path: Path) -> None:
    first = SpeechFolder(tmp_path, PLAN)
    assert (first.seconds, first.next_index, first.shards) == (0, 0, [])
    first.add_shard(map(recording, range(3)))
    again = SpeechFolder(tmp_path, PLAN)
    assert (again.seconds, again.next_index, again.shards) == (7.5, 3, ["train-00000.tar"])
    again.add_shard([recording(5)])
    assert SpeechFolder(tmp_path, PLAN).next_index == 6
    assert again.shards == ["train-00000.tar", "train-00001.tar"]


def test_an_interrupted_shard_leaves_nothing(tmp_path: Path) -> None:
    def interrupted() -> Iterator[SpokenRecording]:
        yield recording(1)
        raise KeyboardInterrupt

    folder = SpeechFolder(tmp_path, PLAN)
    folder.add_shard([recording(0)])
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(KeyboardInterrupt):
        folder.add_shard(interrupted())
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    assert folder.next_index == 1


def test_a_shard_that_never_reached_the_manifest_is_written_again(tmp_path: Path) -> None:
    SpeechFolder(tmp_path, PLAN)
    (tmp_path / "train-00000.tar").write_bytes(b"left by a killed run")
    (tmp_path / "train-00000.tar.partial").write_bytes(b"the same")
    folder = SpeechFolder(tmp_path, PLAN)
    folder.add_shard([recording(0)])
    assert tarfile.is_tarfile(tmp_path / "train-00000.tar")
    assert not (tmp_path / "train-00000.tar.partial").exists()


@pytest.mark.parametrize("other", [{"seed": 2}, {"sentences": "x"}, {"voices": "x"}])
def test_speech_of_another_plan_is_not_continued(
    tmp_path: Path, other: dict[str, str | int]
) -> None:
    SpeechFolder(tmp_path, PLAN)
    with pytest.raises(InvalidOptionError, match="another seed, text or set of voices"):
        SpeechFolder(tmp_path, PLAN | other)


def test_a_damaged_plan_is_not_continued(tmp_path: Path) -> None:
    (tmp_path / "plan.json").write_text('{"seed": ')
    with pytest.raises(InvalidOptionError, match=r"plan\.json"):
        SpeechFolder(tmp_path, PLAN)


@pytest.mark.parametrize("line", ['{"audio_filepath": "x', '{"text": "hi"}', "[1]", "7"])
def test_a_damaged_manifest_is_named(tmp_path: Path, line: str) -> None:
    (tmp_path / "train.jsonl").write_text(f"{line}\n")
    with pytest.raises(ManifestError, match=r"train\.jsonl is damaged"):
        SpeechFolder(tmp_path, PLAN)


def test_a_shard_that_is_gone_is_named(tmp_path: Path) -> None:
    SpeechFolder(tmp_path, PLAN).add_shard([recording(0)])
    (tmp_path / "train-00000.tar").unlink()
    with pytest.raises(ManifestError, match=r"train-00000\.tar"):
        SpeechFolder(tmp_path, PLAN)
