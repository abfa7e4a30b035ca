"""Downloads a file from where an earlier download of it ended.

huggingface_hub 2 drops what it has of a file when it is interrupted, which costs 3 GB at worst.
"""

import fcntl
from typing import BinaryIO

from huggingface_hub import hf_hub_url
from huggingface_hub.file_download import http_get
from huggingface_hub.utils import build_hf_headers  # type: ignore[attr-defined]

from auricle.hub.cache import repository_folder
from auricle.hub.checksums import check
from auricle.hub.known_models import KnownFile, KnownModel


def can_fetch(file: KnownFile) -> bool:
    """Whether its size and its sum, by which the cache calls a large file, are known."""
    return file.is_weights and None not in (file.size, file.sha256)


def fetch(model: KnownModel, file: KnownFile) -> None:
    """Download the weights of a known model into the cache, where they are not there yet.

    Raises:
        ChecksumMismatchError: they are not what was published.
        OSError, huggingface_hub.errors.HTTPError: they cannot be had, or not all of them.
    """
    blob = repository_folder(model.repository) / "blobs" / str(file.sha256)
    if blob.exists():
        return
    blob.parent.mkdir(parents=True, exist_ok=True)
    partial = blob.with_name(f"{blob.name}.part")
    with partial.open("ab") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)  # of several processes, the others find the blob
        if not blob.exists():
            _append(stream, model, file)
            check(partial, str(file.sha256))
            partial.replace(blob)


def _append(stream: BinaryIO, model: KnownModel, file: KnownFile) -> None:
    if stream.tell() > (file.size or 0):  # once more than there should be
        stream.truncate(0)
        stream.seek(0)
    http_get(
        hf_hub_url(model.repository, file.name, revision=model.revision),
        stream,
        resume_size=stream.tell(),
        headers=build_hf_headers(),
        expected_size=file.size,
    )
    stream.flush()
