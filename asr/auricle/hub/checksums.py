"""Checks that the files of a model are those that were published."""

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path

from auricle_types.errors import ChecksumMismatchError

_SHA256 = re.compile(r"[0-9a-f]{64}")


def verify(folder: Path, sums: Mapping[str, str]) -> None:
    """Compare a model's files in the Hub's cache with their SHA-256; one that differs is deleted.

    Args:
        folder: the snapshot in the cache.
        sums: the SHA-256 of files by their names. For other large files, such as weights, the
            name of the blob is the sum that the Hub states.

    Raises:
        ChecksumMismatchError: a file differs.
    """
    for path in sorted(folder.iterdir()):
        expected = sums.get(path.name) or _stated_by_the_hub(path)
        if expected is not None:
            check(path, expected)


def check(path: Path, expected: str) -> None:
    """Compare a file with its SHA-256; raises as `verify` does."""
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != expected:
        path.resolve().unlink()
        path.unlink(missing_ok=True)  # the link to a blob
        raise ChecksumMismatchError(
            f"{path} is not what was published and was deleted: its SHA-256 is {found}, not "
            f"{expected}; pull or copy it again, and do not use it if it differs again"
        )


def _stated_by_the_hub(path: Path) -> str | None:
    blob = path.resolve().name
    return blob if path.is_symlink() and _SHA256.fullmatch(blob) else None
