"""Models by their names on the Hub, which is a fake: nothing here has a network."""

import errno
import importlib
import os
from collections.abc import Callable
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import huggingface_hub
import pytest
from huggingface_hub import constants

from auricle.hub.download import hub_folder, pull
from auricle.hub.reference import is_hub_name
from auricle.naming import model_path
from auricle_types.errors import DownloadError, ModelError, UnknownModelError

errors: Any = importlib.import_module("huggingface_hub.errors")


WHOLE = ("config.json", "model.safetensors", "tokenizer.json")


class FakeHub:
    """Answers as `snapshot_download` does: a folder, or whatever it is given to raise."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.cached = False
        self.failure: BaseException | None = None
        self.patterns: list[str] = []
        self.asked: list[tuple[str, str | None, bool]] = []

    def __call__(
        self,
        name: str,
        *,
        revision: str | None,
        allow_patterns: list[str],
        local_files_only: bool,
    ) -> str:
        self.asked.append((name, revision, local_files_only))
        self.patterns = allow_patterns
        if local_files_only and not self.cached:
            raise errors.LocalEntryNotFoundError("not in the cache")
        if self.failure is not None:
            raise self.failure
        self.cached = True
        self.folder.mkdir(exist_ok=True)
        for file in () if local_files_only else WHOLE:
            (self.folder / file).touch()
        return str(self.folder)


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeHub:
    fake = FakeHub(tmp_path / "snapshot")
    monkeypatch.setattr(huggingface_hub, "snapshot_download", fake)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    return fake


@pytest.mark.parametrize(
    ("name", "is_one"),
    [
        ("openai/whisper-tiny", True),
        ("UsefulSensors/moonshine-base@v1.0", True),
        ("openai/whisper-tiny@refs/pr/3", True),
        ("bundled", False),
        ("/models/whisper", False),
        ("a/b/c", False),
        ("a/", False),
        ("a b/c", False),
    ],
)
def test_what_reads_like_a_name_of_the_hub(name: str, is_one: bool) -> None:
    assert is_hub_name(name) == is_one


def test_the_network_is_asked_once(fake: FakeHub) -> None:
    assert hub_folder("openai/whisper-tiny") == fake.folder
    assert hub_folder("openai/whisper-tiny") == fake.folder
    asked = [offline for _, _, offline in fake.asked]
    assert asked == [True, False, True]


@pytest.mark.parametrize("there", [(), WHOLE[:1], WHOLE[:2], WHOLE[1:]])
def test_a_download_that_broke_off_is_taken_up_again(fake: FakeHub, there: tuple[str, ...]) -> None:
    """Older versions of the library give out a folder, however little of it is there."""
    fake.cached = True
    fake.folder.mkdir()
    for file in there:
        (fake.folder / file).touch()
    assert hub_folder("openai/whisper-tiny") == fake.folder
    assert [offline for _, _, offline in fake.asked] == [True, False]


@pytest.mark.parametrize(
    ("there", "asked"),
    [
        (("config.json", "model.bin", "vocabulary.txt"), [True]),
        (("config.json", "model.bin", "tokenizer.json"), [True]),
        (("config.json", "model.bin"), [True, False]),
        (("config.json", "vocabulary.txt"), [True, False]),
        (("model.bin", "vocabulary.txt"), [True, False]),
    ],
)
def test_a_folder_of_ctranslate2_is_whole_with_its_own_files(
    fake: FakeHub, there: tuple[str, ...], asked: list[bool]
) -> None:
    fake.cached = True
    fake.folder.mkdir()
    for file in there:
        (fake.folder / file).touch()
    assert hub_folder("Systran/faster-whisper-tiny") == fake.folder
    assert [offline for _, _, offline in fake.asked] == asked


@pytest.mark.parametrize(
    ("file", "wanted"),
    [
        ("model.safetensors", True),
        ("model-00001-of-00002.safetensors", True),
        ("merges.txt", True),
        ("model.bin", True),
        ("vocabulary.json", True),
        ("vocabulary.txt", True),
        ("model.fp32-00001-of-00002.safetensors", False),  # the same once more
        ("onnx/config.json", False),
        ("pytorch_model.bin", False),
        ("model.pt", False),
    ],
)
def test_only_what_is_read_is_downloaded(fake: FakeHub, file: str, wanted: bool) -> None:
    pull("openai/whisper-large-v3")
    assert any(fnmatch(file, pattern) for pattern in fake.patterns) == wanted


def test_a_path_that_was_mistyped_is_told_so(fake: FakeHub) -> None:
    for file in ("models/trubo.pt", "tiny/model.bin"):
        assert model_path(file) == Path(file)
    assert not fake.asked
    fake.failure = errors.RepositoryNotFoundError("404", response=answer(404))
    with pytest.raises(UnknownModelError, match=r"there is no models/smal here, and the Hub has"):
        model_path("models/smal")


def test_a_revision_is_pinned(fake: FakeHub) -> None:
    pull("openai/whisper-tiny@169d4a4")
    assert fake.asked == [("openai/whisper-tiny", "169d4a4", False)]


def test_a_path_that_is_there_is_no_name(
    fake: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "openai" / "whisper-tiny").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    assert model_path("openai/whisper-tiny") == Path("openai/whisper-tiny")
    assert model_path("openai/whisper-base") == fake.folder
    assert len(fake.asked) == 2


def answer(status: int) -> Any:  # noqa: ANN401
    client = http_client()
    return client.Response(status, request=client.Request("GET", "http://hub"))


def http_client() -> Any:  # noqa: ANN401
    """The package by which this huggingface_hub talks: httpx, or httpx2."""
    client = importlib.import_module(errors.HTTPError.__module__.partition(".")[0])
    if not hasattr(client, "ReadError"):
        pytest.skip("an older huggingface_hub, which talks by requests")
    return client


FAILURES: dict[str, tuple[Callable[[], Exception], type[ModelError], str]] = {
    "no such model": (
        lambda: errors.RepositoryNotFoundError("404", response=answer(404)),
        UnknownModelError,
        "the Hub has no openai/whisper-tiny",
    ),
    "no such revision": (
        lambda: errors.RevisionNotFoundError("404", response=answer(404)),
        UnknownModelError,
        "the Hub has no openai/whisper-tiny",
    ),
    "no network": (
        lambda: errors.LocalEntryNotFoundError("no connection"),
        DownloadError,
        "check the network",
    ),
    "told to stay offline": (
        lambda: errors.OfflineModeIsEnabled("offline"),
        DownloadError,
        "check the network",
    ),
    "a broken connection": (lambda: ConnectionError("reset"), DownloadError, "try again"),
    "no rights": (lambda: PermissionError("not yours"), DownloadError, "rights in"),
    "a broken download": (lambda: http_client().ReadError("reset"), DownloadError, "try again"),
    "a proxy that refuses": (lambda: http_client().ProxyError("no"), DownloadError, "try again"),
    "a broken transfer": (
        lambda: RuntimeError("Data processing error: CAS service error"),
        DownloadError,
        "try again",
    ),
    "a full disk": (
        lambda: OSError(errno.ENOSPC, "No space left on device"),
        DownloadError,
        "room on the disk",
    ),
}


@pytest.mark.parametrize("case", FAILURES)
def test_a_failure_is_typed_and_what_is_there_is_kept(fake: FakeHub, case: str) -> None:
    failure, kind, told = FAILURES[case]
    fake.failure = failure()
    blobs = Path(constants.HF_HUB_CACHE) / "models--openai--whisper-tiny" / "blobs"
    blobs.mkdir(parents=True)
    (blobs / "half.incomplete").write_bytes(b"half")
    with pytest.raises(kind, match=told):
        hub_folder("openai/whisper-tiny")
    assert [path.name for path in blobs.iterdir()] == ["half.incomplete"]


def test_what_to_copy_is_told_where_there_is_no_network(fake: FakeHub) -> None:
    fake.failure = errors.OfflineModeIsEnabled("offline")
    with pytest.raises(
        DownloadError, match=r"copy config\.json.*/openai/whisper-tiny into a folder"
    ):
        hub_folder("openai/whisper-tiny")


def test_a_download_that_stays_partial_is_refused(
    fake: FakeHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Older versions of the library return the part that is there."""

    def partial(*_: object, **__: object) -> str:
        fake.folder.mkdir(exist_ok=True)
        return str(fake.folder)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", partial)
    with pytest.raises(DownloadError, match="not whole"):
        hub_folder("openai/whisper-tiny")


def test_no_name_at_all() -> None:
    with pytest.raises(UnknownModelError, match="owner/name"):
        pull("klingon")


def test_a_mistyped_name_is_told_the_nearest(fake: FakeHub) -> None:
    for mistyped, meant in (("tinny.en", "tiny.en"), ("whisper-larg-v3", "large-v3")):
        with pytest.raises(UnknownModelError, match=rf"did you mean {meant}\?"):
            model_path(mistyped)
    fake.failure = errors.RepositoryNotFoundError("404", response=answer(404))
    with pytest.raises(UnknownModelError, match=r"did you mean Systran/faster-whisper-base\?"):
        model_path("Systran/faster-wisper-base")


def test_a_path_comes_before_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("tiny").mkdir()
    assert model_path("tiny") == Path("tiny")


def test_a_path_from_the_users_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As it stands in a TOML file, which no shell has read."""
    monkeypatch.setitem(os.environ, "HOME", str(tmp_path))
    (tmp_path / "models" / "whisper-small").mkdir(parents=True)
    assert model_path("~/models/whisper-small") == tmp_path / "models" / "whisper-small"
    assert model_path("~nobody-of-this-name/a.safetensors").name == "a.safetensors"
