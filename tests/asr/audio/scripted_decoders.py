"""A decoder that does what its bytes say, for processes that misbehave: a helper, no tests."""

import json
import os
import resource
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np

from auricle.audio import AudioLimits, AudioStream, PcmFormat, Samples, iter_audio
from auricle.audio.source import Reader
from auricle_types.errors import AudioError

PIECE = 1000


class ScriptedStream(AudioStream):
    """Gives a piece, then reads a word and does it; the end of the words is the audio's."""

    def __init__(self, reader: Reader) -> None:
        super().__init__()
        self._reader = reader

    def _decoded(self) -> Iterator[Samples]:
        while word := self._reader.read(1 << 16):
            yield np.full(PIECE, 0.5, np.float32)
            DEEDS[word.decode()]()


def crash() -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def hang() -> None:
    os.kill(os.getpid(), signal.SIGSTOP)


def work() -> None:
    """Takes long, and shows that it has begun."""
    Path("/proc/self/comm").write_text("working")
    time.sleep(1000)


def eat() -> None:
    bytearray(1 << 30)


def err() -> None:
    raise ZeroDivisionError("nobody foresaw it")


def babble() -> None:
    """Sends what is no message, by whichever descriptor is the connection."""
    for descriptor in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            if int(descriptor.name) > 2:
                os.write(int(descriptor.name), b"\x7f" * 100)
    work()


def rest() -> None:
    pass


def tell() -> None:
    """Ends the audio with what this process may do."""
    limits = {
        name: resource.getrlimit(getattr(resource, name))[0]
        for name in ("RLIMIT_CORE", "RLIMIT_NOFILE", "RLIMIT_FSIZE", "RLIMIT_DATA")
    }
    raise AudioError(json.dumps(limits))


DEEDS: dict[str, Callable[[], None]] = {
    "babble": babble, "crash": crash,
    "hang": hang, "work": work, "eat": eat, "err": err, "tell": tell,
    "go on": rest,
}  # fmt: skip


def scripted(reader: Reader, *, pcm: PcmFormat | None, limits: AudioLimits) -> AudioStream:
    """Build scripted streams, and true ones of FLAC."""
    head = reader.read(1 << 16)
    rest = Prefixed(head, reader)
    true = head.startswith(b"fLaC")
    return iter_audio(rest, pcm=pcm, limits=limits) if true else ScriptedStream(rest)


class Prefixed:
    """Gives `head` before what the reader gives."""

    def __init__(self, head: bytes, reader: Reader) -> None:
        self._head, self._reader = head, reader

    def read(self, size: int, /) -> bytes:
        head, self._head = self._head[:size], self._head[size:]
        return head or self._reader.read(size)
