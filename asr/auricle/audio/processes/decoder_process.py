"""A decoding process, as its owner sees it."""

import os
import subprocess
import sys
from multiprocessing import Pipe

from auricle.audio.processes.messages import (
    MAX_REPLY_BYTES,
    DecoderReply,
    LeaveAudio,
    NextSamples,
    OpenAudio,
    ReplyKind,
)
from auricle.audio.processes.worker import BuildStream
from auricle_types.errors import DecoderCrashedError
from auricle_types.options import AudioLimits

BEAT = 0.5  # seconds between two looks at the processes
LOADING_BEATS = 240  # until it has loaded: a cold disk may hold it up
REPLY_BEATS = 60  # until a reply, for which at most a few seconds of audio are decoded
CLOSING_BEATS = 4  # until it has left an audio that nobody wants
IDLE_BEATS = 240  # without an audio

# By a program of its own: multiprocessing would run the owner's main module again, whatever it is.
PROGRAM = (
    "import signal, sys; signal.signal(signal.SIGINT, signal.SIG_IGN); "
    "signal.signal(signal.SIGTERM, signal.SIG_IGN); sys.path[:] = {path!r}; "
    "from auricle.audio.processes.worker import main; main({descriptor})"
)
THREADS = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}  # numpy's, which stay idle

Order = OpenAudio | NextSamples | LeaveAudio | bytes


class DecoderProcess:
    """Decodes one audio at a time; `ask` raises once the process has ended.

    Time is counted in beats, not by the clock: where this process was stopped itself, such as by
    Ctrl-Z, the other one has lost one beat.
    """

    def __init__(self, build: BuildStream, limits: AudioLimits) -> None:
        """Start it; `settle` waits until it has loaded."""
        self._connection, theirs = Pipe()
        with theirs:
            program = PROGRAM.format(path=sys.path, descriptor=theirs.fileno())
            self._process = subprocess.Popen(  # noqa: S603  # our own
                [sys.executable, "-c", program],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                env=os.environ | THREADS,
            )
        self._connection.send((build, limits))
        self._patience = LOADING_BEATS
        self._beats = 0
        self.has_loaded = False
        self._asked = False  # it is its turn
        self._hung = False
        self._open = False  # an audio, of which more may come
        self._closing = True  # an audio, which it has not left yet, or loading
        self.taken = False  # by an audio

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self._process.pid

    @property
    def is_free(self) -> bool:
        """Whether it waits for an audio; false once it has ended."""
        return not self.taken and self._has_left and self._is_alive

    @property
    def is_useless(self) -> bool:
        """Whether it has ended, though no audio needs to learn of that."""
        return not (self.taken or self._is_alive)

    @property
    def is_idle(self) -> bool:
        """Whether it has had nothing to do for long."""
        return not self.taken and self._beats > IDLE_BEATS

    def take(self) -> None:
        """Reserve it for an audio."""
        self.taken, self._beats = True, 0

    def settle(self) -> bool:
        """Wait until it has loaded, or has left the audio before; False: it has ended."""
        try:
            if self._closing:
                self._closing = self._received().kind is not ReplyKind.CLOSED
        except (EOFError, OSError, ValueError):
            return False
        self.has_loaded, self._patience = True, REPLY_BEATS
        return not self._closing

    def ask(self, order: Order) -> DecoderReply:
        """Send an order and wait for the reply. Raises DecoderCrashedError."""
        self._beats, self._asked, self._open = 0, True, True
        try:
            self._connection.send(order)
            reply = self._received()
        except (EOFError, OSError, ValueError) as error:
            raise self._crashed() from error
        self._asked, self._patience = False, REPLY_BEATS
        self._open = reply.texts is None
        if reply.kind is ReplyKind.BROKEN:
            self.kill()
            self._process.wait()
        return reply

    def hurry(self) -> None:
        """Give it little time for the present reply; from any thread."""
        if not self._closing:
            self._beats, self._patience = 0, CLOSING_BEATS

    def release(self) -> None:
        """Free it for another audio; where the present one has not ended, make it leave that.

        That takes no time here. A process that should reply instead is killed.
        """
        self._beats, self._patience, self._closing = 0, CLOSING_BEATS, self._open
        if self._open:
            self._leave()
        self.taken = False

    def beat(self) -> None:
        """Note that time passes, and kill the process where it takes too much."""
        self._beats += 1
        if (self._asked or not self._has_left) and self._beats > self._patience:
            self._hung = True
            self.kill()

    def kill(self) -> None:
        """Kill the process; whoever waits for its reply learns of that."""
        self._process.kill()

    def end(self) -> None:
        """Kill the process and free what it holds here, when nobody waits for a reply."""
        self.kill()
        self._process.wait()
        self._connection.close()

    @property
    def _is_alive(self) -> bool:
        return self._process.poll() is None

    @property
    def _has_left(self) -> bool:
        return not self._closing or self._connection.closed or self._connection.poll()

    def _leave(self) -> None:
        try:
            if self._asked:
                self.kill()
            else:
                self._connection.send(LeaveAudio())
        except OSError:
            pass  # it has ended

    def _received(self) -> DecoderReply:
        return DecoderReply.decoded(self._connection.recv_bytes(MAX_REPLY_BYTES))

    def _crashed(self) -> DecoderCrashedError:
        self.kill()
        self._process.wait()
        what = "hung" if self._hung else f"crashed (exit code {self._process.returncode})"
        return DecoderCrashedError(
            f"the process that decoded the audio {what}: convert it to WAV or FLAC and send that"
        )
