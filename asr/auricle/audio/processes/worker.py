"""The process that decodes one audio after another for its owner."""

import os
import select
import threading
import traceback
from collections.abc import Callable
from contextlib import closing, suppress
from functools import partial
from multiprocessing.connection import Connection
from typing import Protocol

import numpy as np

from auricle.audio.audio import Samples
from auricle.audio.processes.confinement import confine
from auricle.audio.processes.messages import (
    MAX_SAMPLES,
    DecoderReply,
    LeaveAudio,
    OpenAudio,
    ReplyKind,
    no_samples,
)
from auricle.audio.source import Reader
from auricle.audio.stream import AudioStream
from auricle_types.errors import AudioError, DecoderCrashedError
from auricle_types.options import AudioLimits, PcmFormat

_TRACEBACK = 4000  # characters
_TOO_MUCH = "decoding the audio takes too much memory: convert it to WAV or FLAC"


class BuildStream(Protocol):
    """Makes a stream of what a reader gives, as `iter_audio` does; it must be picklable."""

    def __call__(
        self, reader: Reader, *, pcm: PcmFormat | None, limits: AudioLimits
    ) -> AudioStream:
        """Open nothing before the first piece is asked for."""
        ...


def main(descriptor: int) -> None:
    """Decode for the owner at the other end until it is gone, or until something breaks."""
    connection = Connection(descriptor)
    threading.Thread(target=_end_with_owner, args=(descriptor,), daemon=True).start()
    with suppress(EOFError, OSError):
        _serve(connection)
    os._exit(0)  # there is nothing to tidy up, and the interpreter would take its time


def _serve(connection: Connection) -> None:
    build, limits = connection.recv()
    confine(limits.max_bytes)
    Owner(connection).end(ReplyKind.CLOSED)  # it is ready
    sound = True
    while sound:
        order = connection.recv()
        if isinstance(order, OpenAudio):
            sound = _decode(Owner(connection), partial(build, pcm=order.pcm, limits=limits))


def _end_with_owner(descriptor: int) -> None:
    """End this process with its owner's, whatever it decodes at that moment."""
    ends = select.poll()
    ends.register(descriptor, 0)  # for nothing but the end of the connection
    ends.poll()
    os._exit(1)


def _decode(owner: "Owner", opened: Callable[[Reader], AudioStream]) -> bool:
    """Decode one audio; return whether this process is still sound."""
    try:
        with closing(opened(owner)) as stream:
            for piece in stream:
                owner.put(piece)
        owner.end(ReplyKind.ENDED, shortfall=stream.shortfall, warnings=stream.warnings)
    except _ClosedError:
        owner.end(ReplyKind.CLOSED)
    except AudioError as error:
        owner.end(ReplyKind.FAILED, reason=error.reason, message=str(error))
    except MemoryError:
        return owner.fail(reason=DecoderCrashedError.reason, message=_TOO_MUCH)
    except Exception:  # noqa: BLE001  # its owner logs it
        return owner.fail(message=traceback.format_exc()[-_TRACEBACK:])
    return True


class Owner:
    """Reads the audio through the connection, and sends samples back; a `Reader`.

    Samples wait until a reply is full or bytes are needed, so that short blocks cost little and
    none waits for bytes that come later.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._pieces: list[Samples] = []
        self._data = b""
        self._closed = False

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes, as soon as there are any; none at the end."""
        if not self._data:
            data = self._exchanged(ReplyKind.READ)
            self._data = data if isinstance(data, bytes) else b""
        data, self._data = self._data[:size], self._data[size:]
        return data

    def put(self, piece: Samples) -> None:
        """Send samples `(S,)`, now or with the next ones."""
        self._pieces.append(piece)
        while sum(map(len, self._pieces)) >= MAX_SAMPLES:
            self._exchanged(ReplyKind.DECODED)

    def end(self, kind: ReplyKind, **texts: object) -> None:
        """Send the samples that wait, and how the audio ended."""
        with suppress(_ClosedError):
            while self._pieces and not self._closed:
                self._exchanged(ReplyKind.DECODED)
        self._send(DecoderReply(ReplyKind.CLOSED if self._closed else kind, no_samples(), texts))

    def fail(self, **texts: object) -> bool:
        """Send the last reply of this process; return False."""
        if not self._closed:  # else its end says enough
            self.end(ReplyKind.BROKEN, **texts)
        return False

    def _exchanged(self, kind: ReplyKind) -> object:
        """Send what waits, with a question; return the answer."""
        if self._closed:
            raise _ClosedError
        self._send(DecoderReply(kind, self._taken()))
        try:
            answer = self._connection.recv()
        except (EOFError, OSError):
            os._exit(1)
        if isinstance(answer, LeaveAudio):
            self._closed = True
            raise _ClosedError
        return answer

    def _taken(self) -> Samples:
        """The samples that wait, as many as fit a reply."""
        samples = np.concatenate([no_samples(), *self._pieces])
        rest = samples[MAX_SAMPLES:]
        self._pieces = [rest] if len(rest) else []
        return samples[:MAX_SAMPLES]

    def _send(self, reply: DecoderReply) -> None:
        try:
            self._connection.send_bytes(reply.encoded())
        except OSError:
            os._exit(1)  # the owner is gone


class _ClosedError(Exception):
    """The owner has closed the audio."""
