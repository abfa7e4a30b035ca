"""Decoding processes, each lent to one audio at a time."""

import atexit
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from auricle.audio.processes.decoder_process import BEAT, DecoderProcess
from auricle.audio.processes.remote_stream import RemoteStream
from auricle.audio.processes.worker import BuildStream
from auricle.audio.source import Reader
from auricle.audio.stream import AudioStream, iter_audio
from auricle_types.errors import EngineStoppedError, QueueFullError, ServerError
from auricle_types.options import AudioLimits, PcmFormat

WAIT = 10.0  # seconds that an audio waits for a process


class DecoderPool:
    """Decodes audio in processes of its own, which it starts as they are needed and then keeps.

    A process that crashes, hangs or takes too much memory fails its audio alone; another one takes
    its place with the next audio. All but one end after a while without work.
    """

    def __init__(self, size: int, limits: AudioLimits, build: BuildStream = iter_audio) -> None:
        """Start nothing yet.

        Args:
            size: the most processes at once; 0: decode in this process.
            limits: of each audio.
            build: decodes there; it must be picklable.
        """
        self._size = size
        self._limits = limits
        self._build = build
        self._changed = threading.Condition()  # its lock is of all below, and may be taken again
        self._processes: list[DecoderProcess] = []
        self._closed = threading.Event()
        self._watching = False
        atexit.register(self.close)

    @property
    def pids(self) -> list[int]:
        """The numbers of the processes that are there."""
        with self._changed:
            return [process.pid for process in self._processes]

    def iter_audio(self, reader: Reader, *, pcm: PcmFormat | None = None) -> AudioStream:
        """Decode what a blocking `reader` gives, as `auricle.audio.iter_audio` does.

        Nothing is read, and no process is taken, before the first piece is asked for.
        """
        if not self._size:
            return iter_audio(reader, pcm=pcm, limits=self._limits)
        return RemoteStream(self, reader, pcm, self._limits)

    def close(self) -> None:
        """End all processes; audio that is being decoded fails."""
        self._closed.set()
        with self._changed:
            for process in list(self._processes):
                process.kill()
                if not process.taken:
                    self._discard(process)
            self._changed.notify_all()
        atexit.unregister(self.close)

    def wake(self) -> None:
        """Let those who wait for a process see whether they were stopped."""
        with self._changed:
            self._changed.notify_all()

    @contextmanager
    def taken(self, stream: RemoteStream) -> Iterator[DecoderProcess]:
        """Lend a process to `stream`.

        Raises QueueFullError where none becomes free, ServerError where none can be started, and
        EngineStoppedError once closed.
        """
        process = self._take(stream)
        while not process.settle():
            self._discard(process)
            if not process.has_loaded:
                raise ServerError("a process that decodes audio could not be started")
            process = self._take(stream)
        try:
            yield process
        finally:
            self._give_back(process)

    def _take(self, stream: RemoteStream) -> DecoderProcess:
        with self._changed:
            self._changed.wait_for(lambda: stream.stopped or self._has_room, WAIT)
            if self._closed.is_set():
                raise EngineStoppedError("the server is stopping and decodes no new audio")
            stream.check()
            if not self._has_room:
                raise QueueFullError(
                    f"all {self._size} processes that decode audio are busy: try again, or send "
                    "plain PCM, which needs none"
                )
            process = next((each for each in self._processes if each.is_free), None)
            process = process or self._start()
            process.take()
            return process

    @property
    def _has_room(self) -> bool:
        self._bury()
        free = len(self._processes) < self._size or any(each.is_free for each in self._processes)
        return free or self._closed.is_set()

    def _start(self) -> DecoderProcess:
        process = DecoderProcess(self._build, self._limits)
        self._processes.append(process)
        if not self._watching:
            self._watching = True
            threading.Thread(target=self._watch, name="auricle-decoders", daemon=True).start()
        return process

    def _give_back(self, process: DecoderProcess) -> None:
        with self._changed:
            if self._closed.is_set():
                self._discard(process)
            else:
                process.release()
            self._changed.notify()

    def _discard(self, process: DecoderProcess) -> None:
        with self._changed:
            if process in self._processes:
                self._processes.remove(process)
        process.end()

    def _bury(self) -> None:
        """Forget the processes that have ended."""
        for process in [each for each in self._processes if each.is_useless]:
            self._discard(process)

    def _watch(self) -> None:
        """Kill processes that hang, and end those that are idle."""
        while not self._closed.wait(BEAT):
            with self._changed:
                for process in self._processes:
                    process.beat()
                self._bury()
                for process in [each for each in self._processes[1:] if each.is_idle]:
                    self._discard(process)
                self._changed.notify()
