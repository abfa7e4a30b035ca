"""A reader of untrusted bytes: counted, capped, and with a peek at what comes next."""

import io
import tempfile
from typing import BinaryIO, Protocol, Self, cast

from auricle.audio.limits import check_bytes
from auricle_types.options import AudioLimits

_CHUNK = 1 << 16
_SPOOL_MEMORY = 1 << 23  # what is buffered beyond this goes to a temporary file


class Reader(Protocol):
    """Anything with a blocking `read`: at most `size` bytes, none at the end."""

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes."""
        ...


def is_seekable(reader: Reader) -> bool:
    """Whether it can seek; an object that does not say so cannot."""
    seekable = getattr(reader, "seekable", None)
    return seekable is not None and bool(seekable())


class ByteSource:
    """Reads `reader` once, forwards, never more than `limits.max_bytes`.

    It has no `seek` on purpose: PyAV then treats it as the stream that it is. A context manager:
    leaving it frees the copy that `seekable` may have made.
    """

    def __init__(self, reader: Reader, limits: AudioLimits) -> None:
        # `read1` returns what has arrived; `read` of a buffered reader waits for all it asked for.
        self._pull = getattr(reader, "read1", reader.read)
        self._reader = reader
        self._limits = limits
        self._ahead = bytearray()  # pulled, not yet read
        self._pulled = 0
        self._end: int | None = None  # position after which nothing is read
        self._copy: BinaryIO | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        if self._copy is not None:
            self._copy.close()  # the reader itself is the caller's

    @property
    def _position(self) -> int:
        return self._pulled - len(self._ahead)

    def read(self, size: int = _CHUNK) -> bytes:
        """At most `size` bytes, as soon as there are any; none at the end.

        Raises AudioTooLargeError, and whatever the reader raises.
        """
        if self._end is not None:
            size = min(size, self._end - self._position)
        if not self._ahead and size > 0:
            self._fill(size)
        data = bytes(self._ahead[:size])
        del self._ahead[:size]
        return data

    def peek(self, size: int) -> bytes:
        """The next `size` bytes without reading them; fewer only when the stream ends."""
        while len(self._ahead) < size and self._fill(size - len(self._ahead)):
            pass
        return bytes(self._ahead[:size])

    def narrow(self, start: int, end: int | None) -> None:
        """From now on read only the bytes `start` to `end`, counted from the present position."""
        base = self._position
        while self.read(min(_CHUNK, base + start - self._position)):
            pass
        self._end = None if end is None else base + end

    def seekable(self) -> BinaryIO:
        """All that comes as a file that can seek: the untouched reader, or else a bounded copy.

        A reader that can seek is taken to begin at its position 0. Raises AudioTooLargeError.
        """
        untouched = not self._position
        return self._rewound() if untouched and is_seekable(self._reader) else self._spool()

    def _rewound(self) -> BinaryIO:
        file = cast("BinaryIO", self._reader)
        check_bytes(file.seek(0, io.SEEK_END), self._limits)
        file.seek(0)
        return file

    def _spool(self) -> BinaryIO:
        copy = tempfile.SpooledTemporaryFile(max_size=_SPOOL_MEMORY)  # noqa: SIM115 - see __exit__
        self._copy = cast("BinaryIO", copy)
        while data := self.read():
            self._copy.write(data)
        self._copy.seek(0)
        return self._copy

    def _fill(self, size: int) -> bool:
        data = self._pull(size)
        self._ahead += data
        self._pulled += len(data)
        check_bytes(self._pulled, self._limits)
        return bool(data)
