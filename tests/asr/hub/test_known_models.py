"""Models by their short names: fetched at their commit, resumed, compared with their sums."""

import hashlib
from pathlib import Path

import huggingface_hub
import pytest
from huggingface_hub import constants

from auricle.hub import cache, known_models, transfer
from auricle.hub.by_hand import instructions
from auricle.hub.cache import repository_folder, snapshot_folder
from auricle.hub.download import hub_folder, pull
from auricle.hub.reference import HubReference
from auricle.naming import model_path
from auricle_types.errors import ChecksumMismatchError, DownloadError
from tests.asr.hub.published import FILES, PublishedHub, known

library_download = huggingface_hub.snapshot_download
MODEL = known()
WEIGHTS = FILES["model.bin"]


def blobs() -> Path:
    return repository_folder(MODEL.repository) / "blobs"


def partial() -> Path:
    return blobs() / f"{hashlib.sha256(WEIGHTS).hexdigest()}.part"


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PublishedHub:
    hub = PublishedHub(MODEL)
    monkeypatch.setattr(huggingface_hub, "snapshot_download", hub.snapshot_download)
    monkeypatch.setattr(transfer, "http_get", hub.http_get)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    for module in (known_models, cache):
        monkeypatch.setattr(module, "known_models", lambda: (MODEL,))
    return hub


@pytest.mark.parametrize("name", ["small", "little", "whisper-small", "faster-whisper-small"])
def test_a_short_name_leads_to_its_commit(hub: PublishedHub, name: str) -> None:
    folder = model_path(name)
    assert folder == snapshot_folder(MODEL)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == FILES


def test_the_network_is_asked_once(hub: PublishedHub) -> None:
    folder = hub_folder("small")
    hub.reachable = False
    assert hub_folder("small") == pull("small") == folder
    assert hub.sent == [0]


def test_a_download_goes_on_where_it_was_broken_off(hub: PublishedHub) -> None:
    hub.breaks_after = 10
    with pytest.raises(DownloadError, match="try again"):
        pull("small")
    assert partial().read_bytes() == WEIGHTS[:10]
    hub.breaks_after = None
    assert (pull("small") / "model.bin").read_bytes() == WEIGHTS
    assert hub.sent == [0, 10]
    assert not partial().exists()


def test_more_than_there_should_be_is_fetched_anew(hub: PublishedHub) -> None:
    blobs().mkdir(parents=True)
    partial().write_bytes(b"x" * (len(WEIGHTS) + 1))
    assert (pull("small") / "model.bin").read_bytes() == WEIGHTS
    assert hub.sent == [0]


def test_what_another_process_has_fetched_is_taken(
    hub: PublishedHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lock(*_: object) -> None:  # the other one was done while this one waited
        partial().with_suffix("").write_bytes(WEIGHTS)

    monkeypatch.setattr("auricle.hub.transfer.fcntl.flock", lock)
    assert (pull("small") / "model.bin").read_bytes() == WEIGHTS
    assert hub.sent == []


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_differs_is_an_error_and_not_used(hub: PublishedHub, name: str) -> None:
    hub.files = FILES | {name: bytes(reversed(FILES[name] + b"x"))[: len(FILES[name])]}
    with pytest.raises(ChecksumMismatchError, match="not what was published"):
        hub_folder("small")
    assert not (snapshot_folder(MODEL) / name).exists()
    hub.files = FILES
    assert (hub_folder("small") / name).read_bytes() == FILES[name]


def test_weights_that_differ_never_get_their_name(hub: PublishedHub) -> None:
    """Whoever is killed before the folder is checked must not leave them for the next one."""
    hub.files = FILES | {"model.bin": b"x" * len(WEIGHTS)}
    with pytest.raises(ChecksumMismatchError):
        transfer.fetch(MODEL, MODEL.files[1])
    assert list(blobs().iterdir()) == []


def test_a_file_that_went_bad_is_found_without_a_network(hub: PublishedHub) -> None:
    (hub_folder("small") / "vocabulary.txt").write_bytes(b"b\na\n")
    hub.reachable = False
    with pytest.raises(ChecksumMismatchError, match=r"vocabulary\.txt"):
        pull("small")
    assert len(list(blobs().iterdir())) == len(FILES) - 1
    with pytest.raises(DownloadError):
        hub_folder("small")


def test_without_a_network_the_exact_files_are_told(hub: PublishedHub) -> None:
    hub.reachable = False
    with pytest.raises(DownloadError) as caught:
        hub_folder("small")
    lines = str(caught.value).splitlines()
    assert f"/owner/whisper-small/tree/{MODEL.revision}" in lines[0]
    assert lines[1:4] == ["  config.json  2.00B", "  model.bin  63.0B", "  vocabulary.txt  4.00B"]
    assert f"  {snapshot_folder(MODEL)}" in lines


def test_the_page_shows_what_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_CACHE", "~/.cache/huggingface/hub")
    monkeypatch.setattr(constants, "ENDPOINT", "https://huggingface.co")
    page = (Path(__file__).parents[3] / "docs" / "checkpoints.md").read_text(encoding="utf-8")
    assert instructions(HubReference.of("tiny.en")) in page


@pytest.mark.parametrize("offline", [True, False])
def test_files_that_were_copied_by_hand_are_found(
    hub: PublishedHub, monkeypatch: pytest.MonkeyPatch, offline: bool
) -> None:
    """By huggingface_hub itself, in the folder that the message names."""
    monkeypatch.setattr(huggingface_hub, "snapshot_download", library_download)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", offline)
    folder = snapshot_folder(MODEL)
    folder.mkdir(parents=True)
    for name, data in FILES.items():
        (folder / name).write_bytes(data)
    assert hub_folder("small") == pull("small") == folder
    (folder / "model.bin").write_bytes(b"damaged")
    with pytest.raises(ChecksumMismatchError, match=r"model\.bin"):
        pull("small")


def test_weights_without_a_sum_are_compared_with_that_of_the_hub(
    hub: PublishedHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = tuple(known_models.KnownFile(file.name) for file in MODEL.files)
    unpinned = known_models.KnownModel(
        "small", (), MODEL.repository, MODEL.revision, ("en",), 1, files
    )
    monkeypatch.setattr(known_models, "known_models", lambda: (unpinned,))
    folder = pull("small")
    assert hub.sent == []  # the library's own transfer
    (folder / "vocabulary.txt").write_bytes(b"not compared")
    assert pull("small") == folder
    (folder / "model.bin").write_bytes(b"damaged")
    with pytest.raises(ChecksumMismatchError, match=r"model\.bin"):
        pull("small")
