"""A known model that is made up, and a Hub that publishes it: nothing here has a network."""

import hashlib
from pathlib import Path
from typing import BinaryIO

from huggingface_hub.errors import LocalEntryNotFoundError

from auricle.hub.cache import snapshot_folder
from auricle.hub.known_models import KnownFile, KnownModel

FILES = {"config.json": b"{}", "model.bin": b"weights" * 9, "vocabulary.txt": b"a\nb\n"}


def known(name: str = "small", files: dict[str, bytes] = FILES) -> KnownModel:
    """As models.toml would have it."""
    return KnownModel(
        name,
        ("little",),
        f"owner/whisper-{name}",
        "0123456789" * 4,
        ("en", "zh"),
        1_000_000,
        tuple(
            KnownFile(file, len(data), hashlib.sha256(data).hexdigest())
            for file, data in files.items()
        ),
    )


class PublishedHub:
    """Stands in for `snapshot_download` and `http_get`, with the layout of the cache."""

    def __init__(self, model: KnownModel, files: dict[str, bytes] = FILES) -> None:
        self.model = model
        self.files = files
        self.reachable = True
        self.breaks_after: int | None = None  # bytes of a file
        self.sent: list[int] = []  # where each transfer began

    def snapshot_download(
        self,
        repository: str,
        *,
        revision: str | None,
        allow_patterns: list[str],
        local_files_only: bool,
    ) -> str:
        assert (repository, revision) == (self.model.repository, self.model.revision)
        folder = snapshot_folder(self.model)
        if local_files_only and folder.is_dir():
            return str(folder)
        if local_files_only or not self.reachable:
            raise LocalEntryNotFoundError("no connection")
        for name in allow_patterns:
            self._link(folder / name, self.files[name])
        return str(folder)

    def _link(self, path: Path, data: bytes) -> None:
        large = path.name.startswith("model.")
        blob = (
            path.parents[2] / "blobs" / hashlib.new("sha256" if large else "sha1", data).hexdigest()
        )
        for folder in (path.parent, blob.parent):
            folder.mkdir(parents=True, exist_ok=True)
        if not blob.exists():
            blob.write_bytes(data)
        if not path.is_symlink():
            path.symlink_to(blob)

    def http_get(
        self,
        url: str,
        stream: BinaryIO,
        *,
        resume_size: int,
        headers: dict[str, str],
        expected_size: int,
    ) -> None:
        data = self.files[url.rsplit("/", 1)[1]]
        self.sent.append(resume_size)
        stream.write(data[resume_size : self.breaks_after])
        if self.breaks_after is not None:
            raise ConnectionError("reset")
