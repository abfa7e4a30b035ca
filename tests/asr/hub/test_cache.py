"""What is in the Hub's cache, which other programs share, and what is deleted from it."""

from pathlib import Path

import pytest
from huggingface_hub import constants

from auricle.hub import cache, known_models
from auricle.hub.cache import LocalModel, local_models, remove, snapshot_folder
from auricle_types.errors import StorageError, UnknownModelError
from tests.asr.hub.published import FILES, known

MODEL = known()


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    for module in (known_models, cache):
        monkeypatch.setattr(module, "known_models", lambda: (MODEL,))
    return tmp_path / "cache"


def snapshot(home: Path, repository: str, **files: bytes) -> Path:
    """A repository with one revision; `_` stands for the point of a file's name."""
    folder = home / f"models--{repository.replace('/', '--')}" / "snapshots" / ("ab" * 20)
    folder.mkdir(parents=True)
    for name, data in files.items():
        (folder / name.replace("_", ".")).write_bytes(data)
    return folder


def copied() -> Path:
    folder = snapshot_folder(MODEL)
    folder.mkdir(parents=True)
    for name, data in FILES.items():
        (folder / name).write_bytes(data)
    return folder


def test_without_a_cache_there_is_nothing() -> None:
    assert local_models() == []


def test_speech_models_are_listed_and_no_others(home: Path) -> None:
    known_folder = copied()
    whisper = snapshot(home, "openai/whisper-x", config_json=b'{"model_type": "whisper"}')
    other = snapshot(home, "me/ct2", config_json=b"{}", model_bin=b"12", vocabulary_json=b"[]")
    snapshot(home, "an/llm", config_json=b'{"model_type": "llama"}')
    snapshot(home, "a/list", config_json=b"[]")
    snapshot(home, "no/config", README_md=b"")
    assert local_models() == [
        LocalModel("me/ct2", other, 6),
        LocalModel("openai/whisper-x", whisper, 25),
        LocalModel(MODEL.repository, known_folder, sum(map(len, FILES.values())), MODEL),
    ]
    assert [model.name for model in local_models()] == ["me/ct2", "openai/whisper-x", "small"]


def test_part_of_a_known_model_is_none(home: Path) -> None:
    (copied() / "vocabulary.txt").unlink()
    assert local_models() == []


@pytest.mark.parametrize("name", ["small", "owner/whisper-small", "owner/whisper-small@main"])
def test_removing_says_what_it_freed(home: Path, name: str) -> None:
    copied()
    blobs = snapshot_folder(MODEL).parents[1] / "blobs"
    blobs.mkdir()
    (blobs / "half.part").write_bytes(b"half")
    (snapshot_folder(MODEL) / "link").symlink_to(blobs / "half.part")  # counts once
    assert remove(name) == sum(map(len, FILES.values())) + 4
    assert list(home.iterdir()) == []
    with pytest.raises(UnknownModelError, match="not in the cache"):
        remove(name)


@pytest.mark.parametrize("name", ["bundled", "../cache", "models/a.pt", "a/b/c"])
def test_what_is_no_model_of_the_hub_is_not_removed(home: Path, name: str) -> None:
    copied()
    with pytest.raises(UnknownModelError):
        remove(name)
    assert snapshot_folder(MODEL).is_dir()


def test_what_cannot_be_deleted_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: Path) -> None:
        raise PermissionError("not yours")

    copied()
    monkeypatch.setattr("auricle.hub.cache.shutil.rmtree", refuse)
    with pytest.raises(StorageError, match="not yours"):
        remove("small")
