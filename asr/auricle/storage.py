"""Files that are there as a whole or not at all, whatever happens while they are written."""

import contextlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from safetensors import SafetensorError

from auricle_types.errors import StorageError


@contextlib.contextmanager
def writing(path: Path) -> Iterator[None]:
    """A block that writes to `path`. Raises StorageError where the system refuses it."""
    try:
        yield
    except (OSError, SafetensorError) as error:
        if isinstance(error, StorageError):
            raise
        raise StorageError(
            f"{path}: cannot be written: {error}. Free some space or mend the folder, then run "
            "the same command again; what was saved before is still there"
        ) from error


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A path to write to, which becomes `path` when the block ends well and is removed if not.

    The bytes are on the disk before they take the name, so that a power cut leaves the old file
    or the new one. Raises StorageError.
    """
    partial = path.with_name(f"{path.name}.partial")
    with writing(path):
        try:
            partial.touch()
            mode = stat.S_IMODE(partial.stat().st_mode)
            yield partial
            partial.chmod(mode)  # as any file's: some writers make their own for their user alone
            _sync(partial)
            os.replace(partial, path)  # noqa: PTH105 atomic by its documentation
            _sync(path.parent)
        finally:
            partial.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
