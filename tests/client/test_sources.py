"""Audio sources in chunks: all the bytes, in order, never too many at once."""

import io
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auricle_client.sources import async_chunks, chunks, whole
from auricle_types.errors import AudioError, AudioNotFoundError

DATA = bytes(range(256)) * 10


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "data.bin"
    path.write_bytes(DATA)
    return path


@given(st.lists(st.binary(max_size=50)), st.integers(1, 60))
def test_iterables_keep_their_bytes(parts: list[bytes], chunk_bytes: int) -> None:
    result = list(chunks(parts, chunk_bytes))
    assert b"".join(result) == b"".join(parts)
    assert all(0 < len(chunk) <= chunk_bytes for chunk in result)


@pytest.mark.parametrize("chunk_bytes", [1, 7, 2560, 10_000])
def test_all_kinds_give_the_same_bytes(path: Path, chunk_bytes: int) -> None:
    for source in (path, str(path), DATA, io.BytesIO(DATA), [DATA]):
        result = list(chunks(source, chunk_bytes))
        assert b"".join(result) == DATA
        assert max(map(len, result)) <= chunk_bytes


class Counting(io.RawIOBase):
    """A file that counts what was read of it and never holds more than it was asked for."""

    def __init__(self) -> None:
        self.taken = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        self.taken += len(buffer)
        return len(buffer)


def test_a_file_is_read_as_it_is_needed() -> None:
    file = Counting()
    stream = chunks(file, 1000)
    assert file.taken == 0
    next(stream)
    next(stream)
    assert file.taken == 2000


def test_a_pipe_gives_what_has_come() -> None:
    reader, writer = os.pipe()
    with os.fdopen(reader, "rb") as file, os.fdopen(writer, "wb", buffering=0) as out:
        out.write(b"first")
        stream = chunks(file, 1000)
        assert next(stream) == b"first"  # though 1000 bytes may be had later
        out.write(b"second")
        assert next(stream) == b"second"


def test_a_path_is_checked_before_the_first_chunk(tmp_path: Path) -> None:
    with pytest.raises(AudioNotFoundError, match="missing"):
        chunks(tmp_path / "missing")
    with pytest.raises(AudioError, match="folder"):
        chunks(tmp_path)


def test_whole(path: Path, tmp_path: Path) -> None:
    assert whole(path) == whole(str(path)) == whole(DATA) == DATA
    with pytest.raises(AudioNotFoundError):
        whole(tmp_path / "missing")
    with pytest.raises(AudioError, match="folder"):
        whole(tmp_path)


def test_a_path_that_is_gone_when_it_is_opened(path: Path) -> None:
    stream = chunks(path)
    path.unlink()
    with pytest.raises(AudioError, match=r"cannot read .*No such file"):
        next(stream)


@pytest.mark.parametrize("chunk_bytes", [0, -1])
def test_chunks_of_nothing(chunk_bytes: int) -> None:
    with pytest.raises(ValueError, match="chunk_bytes"):
        chunks(DATA, chunk_bytes)


async def test_async_chunks(path: Path) -> None:
    async def parts() -> AsyncIterator[bytes]:
        for part in (DATA[:1000], b"", DATA[1000:]):
            yield part

    def blocking() -> Iterator[bytes]:
        yield DATA

    for source in (path, DATA, io.BytesIO(DATA), blocking(), parts()):
        result = [chunk async for chunk in async_chunks(source, 300)]
        assert b"".join(result) == DATA
        assert max(map(len, result)) <= 300
