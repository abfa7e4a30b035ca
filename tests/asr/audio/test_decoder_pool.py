"""Decoding in other processes: the same samples and errors, and what breaks there stays there."""

import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from auricle.audio import AudioLimits, AudioStream, PcmFormat, iter_audio
from auricle.audio.processes import DecoderPool, decoder_process, pool
from auricle.audio.processes.messages import DecoderReply
from auricle_types.errors import (
    AudioError,
    AuricleError,
    DecoderCrashedError,
    EngineStoppedError,
    QueueFullError,
    RequestCancelledError,
    ServerError,
)
from tests.asr.audio.scripted_decoders import PIECE, scripted
from tests.asr.audio_files import ALL_FORMATS, Pipe, encoded

PATIENCE = 20.0
LIMITS = AudioLimits(max_bytes=3_000_000, max_seconds=20)
SAMPLES = Path(__file__).parents[3] / "samples"


@pytest.fixture(scope="module")
def decoders() -> Iterator[DecoderPool]:
    decoders = DecoderPool(2, LIMITS)
    yield decoders
    decoders.close()


@pytest.fixture
def unruly() -> Iterator[DecoderPool]:
    unruly = DecoderPool(2, LIMITS, scripted)
    yield unruly
    unruly.close()


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def decoded(stream: AudioStream) -> tuple[np.ndarray, tuple[str, ...], str | None]:
    return np.concatenate(list(stream)), stream.warnings, stream.shortfall


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


def is_busy(pid: int) -> bool:
    """Whether the process has been stopped, or says that it works."""
    state = Path(f"/proc/{pid}/stat").read_text()
    return "(working)" in state or ") T " in state


def begun(stream: AudioStream, threads: ThreadPoolExecutor) -> Future[list[np.ndarray]]:
    return threads.submit(list, stream)


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor() as threads:
        yield threads


def outcome(stream: AudioStream) -> tuple[np.ndarray, tuple[str, ...], str | None] | AudioError:
    try:
        return decoded(stream)
    except AudioError as error:
        return error


def assert_same(
    decoders: DecoderPool, opened: Callable[[], Pipe], pcm: PcmFormat | None = None
) -> tuple[np.ndarray, tuple[str, ...], str | None] | AudioError:
    """Decode here and there, compare how it ends, and return that."""
    here = outcome(iter_audio(opened(), pcm=pcm, limits=LIMITS))
    there = outcome(decoders.iter_audio(opened(), pcm=pcm))
    if isinstance(here, AudioError) or isinstance(there, AudioError):
        assert (type(there), str(there)) == (type(here), str(here))
        return here
    np.testing.assert_array_equal(there[0], here[0])
    assert there[1:] == here[1:]
    return here


# --- the same as in this process ---------------------------------------------------------------


@pytest.mark.parametrize("share", [1.0, 0.6], ids=["whole", "truncated"])
@pytest.mark.parametrize("name", ALL_FORMATS)
def test_samples_and_warnings_are_the_same(name: str, share: float, decoders: DecoderPool) -> None:
    data = encoded(name, 1.0)
    data = data[: int(share * len(data))]
    assert_same(decoders, lambda: Pipe(data))


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("*.opus")), ids=lambda path: path.name)
def test_recorded_speech_is_the_same(path: Path, decoders: DecoderPool) -> None:
    data = path.read_bytes()
    assert isinstance(assert_same(decoders, lambda: Pipe(data, 1 << 14)), tuple)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no audio at all " * 1000,
        bytes(5000),
        b"PK\x03\x04" + bytes(100),
        encoded("pcm16.flac", 0.1)[:60],
        encoded("index_last.m4a", 0.1)[:100],
        encoded("pcm16.wav", 0.1)[:44],
        b"ID3\x04\x00\x00\x00\x00\x00\x05hello" + b"x" * 999,
        b"OggS" + os.urandom(4) * 2000,
        encoded("pcm16.flac", 21.0),
        encoded("pcm24.flac", 0.2) + bytes(LIMITS.max_bytes),
        encoded("index_last.m4a", 0.2) + bytes(LIMITS.max_bytes),
    ],
    ids=range(12),
)
def test_errors_are_the_same(data: bytes, decoders: DecoderPool) -> None:
    assert isinstance(assert_same(decoders, lambda: Pipe(data, 1 << 16)), AudioError)


def test_the_format_of_headerless_audio_reaches_the_process(decoders: DecoderPool) -> None:
    data = b"ID3\x04\x00\x00\x00\x00\x00\x02no" + encoded("adpcm.wav")
    assert isinstance(assert_same(decoders, lambda: Pipe(data), PcmFormat(8_000)), tuple)


def test_plain_audio_needs_no_process() -> None:
    none = DecoderPool(1, LIMITS)
    for data, pcm in ((encoded("pcm24.wav"), None), (os.urandom(4000), PcmFormat(8_000))):
        assert_same(none, partial(Pipe, data), pcm)
        assert none.pids == []
    none.close()


def test_no_processes_are_asked_for() -> None:
    none = DecoderPool(0, LIMITS)
    assert len(decoded(none.iter_audio(Pipe(encoded("pcm16.flac"))))[0])
    assert none.pids == []
    none.close()


def test_samples_come_before_later_bytes_are_read(decoders: DecoderPool) -> None:
    data = encoded("opus.ogg", 3.0)
    pipe = Pipe(data, 500)
    stream = decoders.iter_audio(pipe)
    next(stream)
    assert pipe.given < len(data) / 2
    stream.close()


def test_what_the_reader_raises_comes_through(decoders: DecoderPool) -> None:
    class Broken(Pipe):
        def read(self, size: int = -1) -> bytes:
            if self.given > 2000:
                raise ConnectionResetError("the client is gone")
            return super().read(size)

    with pytest.raises(ConnectionResetError, match="the client is gone"):
        list(decoders.iter_audio(Broken(encoded("opus.ogg", 3.0))))


def test_a_process_goes_on_after_audio_that_was_closed_or_wrong() -> None:
    single = DecoderPool(1, LIMITS)
    expected = decoded(iter_audio(Pipe(encoded("opus.ogg")), limits=LIMITS))[0]
    np.testing.assert_array_equal(
        decoded(single.iter_audio(Pipe(encoded("opus.ogg"))))[0], expected
    )
    pids = single.pids
    stream = single.iter_audio(Pipe(encoded("pcm16.flac", 15.0)))
    next(stream)
    stream.close()
    with pytest.raises(AudioError):
        list(single.iter_audio(Pipe(b"wrong" * 100)))
    np.testing.assert_array_equal(
        decoded(single.iter_audio(Pipe(encoded("opus.ogg"))))[0], expected
    )
    assert single.pids == pids
    single.close()


# --- what breaks there -------------------------------------------------------------------------


def test_a_crash_fails_its_audio_alone(unruly: DecoderPool) -> None:
    other = unruly.iter_audio(Pipe(encoded("pcm16.flac", 12.0)))
    pieces = [next(other)]
    survivor = set(unruly.pids)
    with pytest.raises(DecoderCrashedError, match=r"crashed \(exit code -11\): convert it to WAV"):
        list(unruly.iter_audio(io.BytesIO(b"crash")))
    pieces.extend(other)
    expected = decoded(iter_audio(Pipe(encoded("pcm16.flac", 12.0))))[0]
    np.testing.assert_array_equal(np.concatenate(pieces), expected)
    assert len(decoded(unruly.iter_audio(Pipe(b"go on")))[0]) == PIECE
    assert survivor <= set(unruly.pids)


def test_a_process_that_sends_nonsense_fails_its_audio_alone(unruly: DecoderPool) -> None:
    list(unruly.iter_audio(Pipe(b"go on")))
    [pid] = unruly.pids
    with pytest.raises(DecoderCrashedError, match="crashed"):
        list(unruly.iter_audio(Pipe(b"babble")))
    until(lambda: unruly.pids == [])  # whoever watches them is still there
    assert len(decoded(unruly.iter_audio(Pipe(b"go on")))[0]) == PIECE
    assert pid not in unruly.pids


def test_a_process_killed_between_two_pieces_is_replaced(unruly: DecoderPool) -> None:
    stream = unruly.iter_audio(Pipe(encoded("pcm16.flac", 12.0)))
    next(stream)
    [pid] = unruly.pids
    os.kill(pid, signal.SIGKILL)
    with pytest.raises(DecoderCrashedError):
        list(stream)
    assert len(decoded(unruly.iter_audio(Pipe(b"go on")))[0]) == PIECE
    assert pid not in unruly.pids


def test_an_idle_process_that_was_killed_is_replaced_unseen(unruly: DecoderPool) -> None:
    list(unruly.iter_audio(Pipe(b"go on")))
    [pid] = unruly.pids
    os.kill(pid, signal.SIGKILL)
    until(lambda: unruly.pids == [])
    assert len(decoded(unruly.iter_audio(Pipe(b"go on")))[0]) == PIECE


def test_memory_is_bounded(unruly: DecoderPool) -> None:
    list(unruly.iter_audio(Pipe(b"go on")))
    [pid] = unruly.pids
    with pytest.raises(DecoderCrashedError, match="takes too much memory"):
        list(unruly.iter_audio(Pipe(b"eat")))
    assert len(decoded(unruly.iter_audio(Pipe(b"go on")))[0]) == PIECE
    assert pid not in unruly.pids


def test_an_error_that_nobody_foresaw_comes_with_its_traceback(unruly: DecoderPool) -> None:
    with pytest.raises(RuntimeError, match=r"in err\n(.|\n)*ZeroDivisionError: nobody foresaw it"):
        list(unruly.iter_audio(Pipe(b"err")))
    assert len(decoded(unruly.iter_audio(Pipe(b"go on")))[0]) == PIECE


@pytest.mark.parametrize("deed", [b"hang", b"work"])
def test_a_process_that_hangs_is_killed_once_nobody_wants_its_audio(
    deed: bytes, unruly: DecoderPool, threads: ThreadPoolExecutor
) -> None:
    list(unruly.iter_audio(Pipe(b"go on")))
    [pid] = unruly.pids
    stream = unruly.iter_audio(Pipe(deed))
    future = begun(stream, threads)
    until(lambda: is_busy(pid))
    stream.stop()
    with pytest.raises(RequestCancelledError):
        future.result(PATIENCE)
    until(lambda: pid not in unruly.pids)
    assert not Path(f"/proc/{pid}").exists()


def test_a_process_that_hangs_is_killed_after_a_while(
    unruly: DecoderPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decoder_process, "REPLY_BEATS", 2)
    list(unruly.iter_audio(Pipe(b"go on")))
    with pytest.raises(DecoderCrashedError, match="hung: convert"):
        list(unruly.iter_audio(Pipe(b"hang")))


def test_a_process_that_does_not_leave_an_audio_is_killed(unruly: DecoderPool) -> None:
    stream = unruly.iter_audio(Pipe(encoded("pcm16.flac", 12.0)))
    next(stream)
    [pid] = unruly.pids
    os.kill(pid, signal.SIGSTOP)
    stream.close()  # at once
    assert len(decoded(unruly.iter_audio(Pipe(b"go on")))[0]) == PIECE  # in another one
    until(lambda: pid not in unruly.pids)


def test_a_process_is_confined_and_leaves_signals_to_its_owner(unruly: DecoderPool) -> None:
    list(unruly.iter_audio(Pipe(b"go on")))
    for number in (signal.SIGINT, signal.SIGTERM):
        os.kill(unruly.pids[0], number)
    with pytest.raises(AudioError) as told:
        list(unruly.iter_audio(Pipe(b"tell")))
    limits = json.loads(str(told.value))
    assert limits["RLIMIT_CORE"] == 0
    assert limits["RLIMIT_NOFILE"] == 32
    assert limits["RLIMIT_FSIZE"] == LIMITS.max_bytes
    assert 256 << 20 < limits["RLIMIT_DATA"] < 1 << 30


# --- who gets a process ------------------------------------------------------------------------


def both_busy(unruly: DecoderPool) -> list[AudioStream]:
    streams = [unruly.iter_audio(Pipe(encoded("pcm16.flac", 12.0))) for _ in range(2)]
    for stream in streams:
        next(stream)
    return streams


def test_audio_waits_for_a_process(unruly: DecoderPool, threads: ThreadPoolExecutor) -> None:
    first, _ = both_busy(unruly)
    future = begun(unruly.iter_audio(Pipe(b"go on")), threads)
    first.close()
    assert len(future.result(PATIENCE)) == 1
    assert len(unruly.pids) == 2


def test_audio_that_waited_in_vain_is_refused(
    unruly: DecoderPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    streams = both_busy(unruly)
    monkeypatch.setattr(pool, "WAIT", 0.01)
    with pytest.raises(QueueFullError, match="all 2 processes that decode audio are busy"):
        list(unruly.iter_audio(Pipe(b"go on")))
    for stream in streams:
        stream.close()


def test_whoever_waits_can_be_stopped(
    unruly: DecoderPool, threads: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "WAIT", 1000.0)
    streams = both_busy(unruly)
    waiting = unruly.iter_audio(Pipe(b"go on"))
    future = begun(waiting, threads)
    waiting.stop()
    with pytest.raises(RequestCancelledError):
        future.result(PATIENCE)
    for stream in streams:
        stream.close()


def test_an_audio_that_is_stopped_between_two_pieces_frees_its_process(unruly: DecoderPool) -> None:
    streams = both_busy(unruly)
    pids = unruly.pids
    streams[0].stop()
    assert len(decoded(unruly.iter_audio(Pipe(b"go on")))[0]) == PIECE
    assert unruly.pids == pids
    with pytest.raises(RequestCancelledError):
        next(streams[0])
    streams[1].close()


def test_idle_processes_end_but_for_one(
    unruly: DecoderPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for stream in both_busy(unruly):
        stream.close()
    monkeypatch.setattr(decoder_process, "IDLE_BEATS", 1)
    until(lambda: len(unruly.pids) == 1)
    assert len(decoded(unruly.iter_audio(Pipe(b"go on")))[0]) == PIECE


# --- the end -----------------------------------------------------------------------------------


def test_nothing_is_left_of_a_closed_pool(threads: ThreadPoolExecutor) -> None:
    before, before_threads = descriptors(), threading.active_count() + 1  # the one of `threads`
    closing = DecoderPool(3, LIMITS, scripted)
    open_ones = both_busy(closing)
    future = begun(closing.iter_audio(Pipe(b"work")), threads)
    until(lambda: len(closing.pids) == 3)
    pids = closing.pids
    closing.close()
    with pytest.raises(AuricleError):
        future.result(PATIENCE)
    for stream in open_ones:
        stream.close()
    assert not [pid for pid in pids if Path(f"/proc/{pid}").exists()]
    assert closing.pids == []
    until(lambda: descriptors() <= before)  # garbage of earlier tests may go meanwhile
    until(lambda: threading.active_count() <= before_threads)
    with pytest.raises(EngineStoppedError):
        list(closing.iter_audio(Pipe(b"go on")))


def test_a_process_that_cannot_start_is_no_fault_of_the_audio(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(decoder_process, "PROGRAM", "raise SystemExit")
    dead = DecoderPool(1, LIMITS)
    with pytest.raises(ServerError, match="could not be started"):
        list(dead.iter_audio(Pipe(b"go on")))
    assert dead.pids == []
    dead.close()


OWNER = """
import io, sys, threading, time
from auricle.audio import AudioLimits
from auricle.audio.processes import DecoderPool
from tests.asr.audio.scripted_decoders import scripted

pool = DecoderPool(1, AudioLimits(), scripted)
list(pool.iter_audio(io.BytesIO(b"go on")))
threading.Thread(target=list, args=(pool.iter_audio(io.BytesIO(b"work")),), daemon=True).start()
print(*pool.pids, flush=True)
{end}
"""


@pytest.mark.parametrize("end", ["time.sleep(1000)", "pass"], ids=["killed", "without a close"])
def test_processes_end_with_their_owner(tmp_path: Path, end: str) -> None:
    script = tmp_path / "owner.py"
    script.write_text(OWNER.format(end=end))
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(SAMPLES.parent), *sys.path])}
    with subprocess.Popen(
        [sys.executable, script], stdout=subprocess.PIPE, text=True, env=environment
    ) as owner:
        assert owner.stdout is not None
        pid = int(owner.stdout.readline())
        if end != "pass":
            owner.kill()
        owner.wait(PATIENCE)
    until(lambda: not Path(f"/proc/{pid}").exists())


@pytest.mark.parametrize(
    "data", [b"", b"\x09", b"\x01abc", b"\x03", b"\x03[]", b"\x03" + b"[" * 100_000, b"\x04\xff"]
)
def test_a_reply_that_is_none_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - many kinds of it
        DecoderReply.decoded(data)
