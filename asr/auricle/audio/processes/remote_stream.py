"""An audio that another process decodes."""

import logging
from collections.abc import Iterator
from contextlib import closing, suppress
from typing import TYPE_CHECKING, cast

from auricle.audio.audio import Samples
from auricle.audio.processes.decoder_process import DecoderProcess
from auricle.audio.processes.messages import (
    DecoderReply,
    NextSamples,
    OpenAudio,
    ReplyKind,
    error_of,
)
from auricle.audio.source import ByteSource, Reader
from auricle.audio.stream import AudioStream, is_plain, iter_audio
from auricle_types.errors import DecoderCrashedError, RequestCancelledError
from auricle_types.options import AudioLimits, PcmFormat

if TYPE_CHECKING:
    from auricle.audio.processes.pool import DecoderPool

logger = logging.getLogger(__name__)


class RemoteStream(AudioStream):
    """Reads in the thread that iterates, and decodes in a process of a pool.

    Plain PCM is decoded here: no library parses it. Iterating raises what `iter_audio` raises,
    DecoderCrashedError, QueueFullError, and RequestCancelledError once stopped.
    """

    def __init__(
        self, pool: "DecoderPool", reader: Reader, pcm: PcmFormat | None, limits: AudioLimits
    ) -> None:
        super().__init__()
        self._pool = pool
        self._reader = reader
        self._pcm = pcm
        self._limits = limits
        self._process: DecoderProcess | None = None
        self.stopped = False

    def __next__(self) -> Samples:
        self.check()
        return super().__next__()

    def stop(self) -> None:
        """Free the process; if it decodes, kill it unless it answers within a few seconds."""
        self.stopped = True  # before the look at the process, which may be taken just now
        process = self._process
        if process is not None:
            process.hurry()
        self._pool.wake()
        with suppress(ValueError):  # another thread waits for a piece, and will see it
            self.close()

    def check(self) -> None:
        """Raise RequestCancelledError once stopped."""
        if self.stopped:
            raise RequestCancelledError("nobody waits for this audio any more")

    def _decoded(self) -> Iterator[Samples]:
        with ByteSource(self._reader, self._limits) as source:
            if is_plain(source.peek, self._pcm):
                yield from self._decoded_here(source)
                return
            with self._pool.taken(self) as process:
                self._process = process
                try:
                    self.check()
                    yield from self._decoded_there(process, source)
                finally:
                    self._process = None

    def _decoded_here(self, source: ByteSource) -> Iterator[Samples]:
        with closing(iter_audio(source, pcm=self._pcm, limits=self._limits)) as stream:
            yield from stream
            self.shortfall, self.warnings = stream.shortfall, stream.warnings

    def _decoded_there(self, process: DecoderProcess, source: ByteSource) -> Iterator[Samples]:
        reply = self._asked(process, OpenAudio(self._pcm))
        while reply.texts is None:
            yield reply.samples
            reply = self._asked(
                process, source.read() if reply.kind is ReplyKind.READ else NextSamples()
            )
        self._end(reply)

    def _asked(
        self, process: DecoderProcess, order: OpenAudio | NextSamples | bytes
    ) -> DecoderReply:
        try:
            reply = process.ask(order)
        except DecoderCrashedError as error:
            logger.warning("%s", error)
            self.check()  # it may have been killed for that
            raise
        self.check()
        return reply

    def _end(self, reply: DecoderReply) -> None:
        texts = reply.texts or {}
        if reply.kind is not ReplyKind.ENDED:
            raise error_of(texts)
        shortfall, warnings = texts.get("shortfall"), texts.get("warnings")
        self.shortfall = None if shortfall is None else str(shortfall)
        self.warnings = tuple(map(str, cast("list[object]", warnings)))
