"""Where audio comes from: a path, bytes, a file or any iterable of chunks, never read at once."""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, TypeGuard, TypeVar, overload

from auricle_types.commands import END_UTTERANCE, EndUtterance
from auricle_types.errors import AudioError, AudioNotFoundError

WholeSource = str | Path | bytes
ChunkedSource = WholeSource | BinaryIO | Iterable[bytes]
AsyncChunkedSource = ChunkedSource | AsyncIterable[bytes]
Part = TypeVar("Part", bytes, bytes | EndUtterance)
StreamedSource = ChunkedSource | Iterable[bytes | EndUtterance]
AsyncStreamedSource = StreamedSource | AsyncIterable[bytes | EndUtterance]

CHUNK_BYTES = 64 * 1024  # a round trip's worth of flow control


def whole(source: WholeSource) -> bytes:
    """All bytes. Raises AudioNotFoundError, and AudioError for what cannot be read."""
    if isinstance(source, bytes):
        return source
    path = readable(source)
    try:
        return path.read_bytes()
    except OSError as error:
        raise unreadable(source, error) from error


@overload
def chunks(source: ChunkedSource, chunk_bytes: int = CHUNK_BYTES) -> Iterator[bytes]: ...


@overload
def chunks(
    source: StreamedSource, chunk_bytes: int = CHUNK_BYTES
) -> Iterator[bytes | EndUtterance]: ...


def chunks(
    source: StreamedSource, chunk_bytes: int = CHUNK_BYTES
) -> Iterator[bytes] | Iterator[bytes | EndUtterance]:
    """The bytes in chunks of at most `chunk_bytes`; a path is checked now and opened when needed.

    Raises AudioNotFoundError and AudioError; whatever a file or an iterable raises.
    """
    if chunk_bytes < 1:
        raise ValueError(f"chunk_bytes must be at least 1, not {chunk_bytes}")
    if isinstance(source, bytes):
        return sliced([source], chunk_bytes)
    if isinstance(source, str | Path):
        return path_chunks(readable(source), chunk_bytes)
    if is_file(source):
        return file_chunks(source, chunk_bytes)
    return sliced(source, chunk_bytes)


@overload
def async_chunks(
    source: AsyncChunkedSource, chunk_bytes: int = CHUNK_BYTES
) -> AsyncIterator[bytes]: ...


@overload
def async_chunks(
    source: AsyncStreamedSource, chunk_bytes: int = CHUNK_BYTES
) -> AsyncIterator[bytes | EndUtterance]: ...


async def async_chunks(
    source: AsyncStreamedSource, chunk_bytes: int = CHUNK_BYTES
) -> AsyncIterator[bytes | EndUtterance]:
    """Like `chunks`. What may block is read in a thread."""
    if isinstance(source, AsyncIterable):
        async for chunk in source:
            for part in sliced([chunk], chunk_bytes):
                yield part
        return
    blocking = chunks(source, chunk_bytes)
    while (part := await asyncio.to_thread(next, blocking, b"")) != b"":
        yield part


def is_file(source: BinaryIO | Iterable[bytes | EndUtterance]) -> TypeGuard[BinaryIO]:
    """Whether to read `source` rather than to iterate it, which would look for lines."""
    return hasattr(source, "read")


def readable(source: str | Path) -> Path:
    """The path of a file that is there. Raises AudioNotFoundError, AudioError."""
    path = Path(source)
    if not path.exists():
        raise AudioNotFoundError(f"no audio file at {path}")
    if path.is_dir():
        raise AudioError(f"{path} is a folder; give an audio file")
    return path


def unreadable(source: str | Path, error: OSError) -> AudioError:
    """The typed error for a file that cannot be read."""
    return AudioError(f"cannot read {source}: {error.strerror or error}")


def path_chunks(path: Path, chunk_bytes: int) -> Iterator[bytes]:
    """The chunks of the file at `path`; it is open only while they are taken."""
    try:
        with path.open("rb") as file:
            yield from file_chunks(file, chunk_bytes)
    except OSError as error:
        raise unreadable(path, error) from error


def file_chunks(file: BinaryIO, chunk_bytes: int) -> Iterator[bytes]:
    """The chunks of an open file, each as soon as there are bytes."""
    read = getattr(file, "read1", file.read)  # `read` of a pipe would wait for a full chunk
    while chunk := read(chunk_bytes):
        yield chunk


def sliced(whole_chunks: Iterable[Part], chunk_bytes: int) -> Iterator[Part]:
    """The same bytes with no chunk over `chunk_bytes`, and none that is empty."""
    for chunk in whole_chunks:
        if chunk is END_UTTERANCE:
            yield chunk
            continue
        for start in range(0, len(chunk), chunk_bytes):
            yield chunk[start : start + chunk_bytes]
