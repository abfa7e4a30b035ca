"""Files appear whole or not at all, and a full disk is a typed error."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors import SafetensorError
from safetensors.torch import save_file

from auricle import storage
from auricle.checkpoint import save_calibration, save_checkpoint
from auricle.config import Calibration
from auricle.language_model import NGramModel, save_language_model
from auricle.storage import replacing, writing
from auricle.training.corpus import open_corpus
from auricle.training.journal import Journal
from auricle.training.trainer import Trainer
from auricle_types.errors import StorageError
from tests.asr.language_models import random_model
from tests.asr.tiny import VOCAB_SIZE, tiny_model, tiny_tokenizer
from tests.asr.training.runs import tiny_run, write_corpus

FULL = Path("/dev/full")
needs_full = pytest.mark.skipif(not FULL.exists(), reason="needs /dev/full")


def test_a_checkpoint_is_as_readable_as_any_file(tmp_path: Path) -> None:
    """safetensors writes its files for their user alone."""
    save_checkpoint(tmp_path / "model.safetensors", tiny_model(), tiny_tokenizer())
    (tmp_path / "plain").touch()
    modes = {path.stat().st_mode for path in tmp_path.iterdir()}
    assert len(modes) == 1


def small_lm() -> NGramModel:
    return random_model(3, vocab_size=VOCAB_SIZE, order=3, share=0.1)[0]


def fill(path: Path) -> None:
    """Let what is written for `path` meet a full disk."""
    path.with_name(f"{path.name}.partial").symlink_to(FULL)


def without_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on safetensors meets a full disk."""

    def fail(_: object, path: Path, **__: object) -> None:
        path.write_bytes(b"half")
        raise SafetensorError("I/O error: No space left on device")

    monkeypatch.setattr("auricle.checkpoint.save_file", fail)
    monkeypatch.setattr("auricle.language_model.file.save_file", fail)


def test_a_file_takes_its_name_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")
    with replacing(path) as partial:
        partial.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_its_bytes_are_on_the_disk_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, order = tmp_path / "a.txt", list[str]()
    sync = storage._sync

    def noting(each: Path) -> None:
        order.append(f"{each.name} {path.exists()}")
        sync(each)

    monkeypatch.setattr(storage, "_sync", noting)
    with replacing(path) as partial:
        partial.write_text("new")
    assert order == ["a.txt.partial False", f"{tmp_path.name} True"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_what_else_goes_wrong_leaves_the_old_file(
    tmp_path: Path, error: type[BaseException]
) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")

    def fail() -> None:
        with replacing(path) as partial:
            partial.write_text("ne")
            raise error

    with pytest.raises(error):
        fail()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@needs_full
def test_a_full_disk_is_named_with_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")
    fill(path)
    with pytest.raises(StorageError, match=r"a\.txt: .*No space left.*Free some space"):  # noqa: SIM117
        with replacing(path) as partial:
            partial.write_text("new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_is_gone_is_an_error_too(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="gone"), replacing(tmp_path / "gone" / "a") as partial:
        partial.write_text("new")


def test_errors_keep_their_first_name(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"^inner: cannot"), writing(Path("outer")):  # noqa: SIM117
        with writing(Path("inner")):
            raise OSError("full")


def test_what_safetensors_says_is_understood(tmp_path: Path) -> None:
    path = tmp_path / "gone" / "a"
    with pytest.raises(SafetensorError):
        save_file({"a": torch.zeros(1)}, path)
    with pytest.raises(StorageError, match="gone/a"), writing(path):
        save_file({"a": torch.zeros(1)}, path)


@needs_full
def test_a_cache_without_room_is_made_again_later(tmp_path: Path) -> None:
    manifest, cache = write_corpus(tmp_path / "speech"), tmp_path / "cache"
    samples = cache / "speech-train" / "samples.i16"
    samples.parent.mkdir(parents=True)
    fill(samples)
    with pytest.raises(StorageError, match=r"samples\.i16.*No space left"):
        open_corpus(manifest, cache)
    assert list(samples.parent.iterdir()) == []
    assert len(open_corpus(manifest, cache).utterances) == 8


@needs_full
def test_a_journal_without_room(tmp_path: Path) -> None:
    (tmp_path / "journal.jsonl").symlink_to(FULL)
    with pytest.raises(StorageError, match=r"journal\.jsonl.*No space left"):
        Journal(tmp_path).epoch(1, 2, {})


@needs_full
@pytest.mark.parametrize("name", ["state.pt", "tokenizer.model", "curves.png"])
def test_a_run_on_a_full_disk_stops_and_goes_on_later(tmp_path: Path, name: str) -> None:
    if name == "curves.png":
        pytest.importorskip("matplotlib")
    config = tiny_run(tmp_path, epochs=1)
    config.output.mkdir()
    fill(config.output / name)
    with pytest.raises(StorageError, match=name):
        Trainer(config).run()
    again = Trainer(config)
    again.run()
    assert again.state.epoch == 1
    assert not list(config.output.glob("*.partial"))


def test_an_export_that_fails_leaves_the_last_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tiny_run(tmp_path, epochs=1)
    first = Trainer(config)
    first.run()
    exported = (config.output / "last.safetensors").read_bytes()
    without_room(monkeypatch)
    with pytest.raises(StorageError, match=r"last\.safetensors.*No space left"):
        first.epoch_evaluator.epoch(first.state, first.world)
    assert (config.output / "last.safetensors").read_bytes() == exported


@pytest.mark.parametrize(
    "save",
    [
        lambda path: save_checkpoint(path, tiny_model(), tiny_tokenizer()),
        lambda path: save_calibration(path, Calibration()),
        lambda path: save_language_model(path, small_lm(), tiny_tokenizer()),
    ],
    ids=["checkpoint", "calibration", "language model"],
)
def test_a_model_without_room_leaves_the_old_one(
    tmp_path: Path, save: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "model.safetensors"
    save_checkpoint(path, tiny_model(), tiny_tokenizer())
    before = path.read_bytes()
    without_room(monkeypatch)
    with pytest.raises(StorageError, match=r"model\.safetensors.*No space left"):
        save(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
