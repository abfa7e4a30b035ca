"""Audio that comes while it is spoken: a microphone, or a recording that is played.

All of it is 16-bit PCM, mono, at 16 kHz, in chunks of a tenth of a second.
"""

import queue
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from auricle_cli.failure import Failure, complain
from auricle_cli.inputs import OWN_FILES
from auricle_types.options import PcmFormat

RATE = 16_000
CHUNK_SAMPLES = RATE // 10
PCM = PcmFormat(RATE)
Chunks = Iterator[bytes]


@contextmanager
def microphone(name: str | None, stopped: threading.Event) -> Iterator[Chunks]:
    """Yield what a microphone hears until `stopped`; `name` is a part of its name, or its number.

    Raises Failure where there is none, or the library that reads it is missing.
    """
    sounddevice = _sounddevice()
    heard: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()

    def take(data: Any, frames: int, times: Any, status: Any) -> None:  # noqa: ANN401, ARG001
        if status:
            complain(f"the microphone lost audio: {status}")
        heard.put(bytes(data))

    device = int(name) if name is not None and name.isdigit() else name
    try:
        with sounddevice.RawInputStream(
            samplerate=RATE,
            blocksize=CHUNK_SAMPLES,
            device=device,
            channels=1,
            dtype="int16",
            callback=take,
            finished_callback=lambda: heard.put(None),
        ):
            yield _until(stopped, heard)
    except (sounddevice.PortAudioError, ValueError) as error:
        raise Failure(
            f"no microphone can be read: {error}; `python -m sounddevice` lists the devices, "
            "--microphone chooses one, and --input takes a recording instead"
        ) from error


def _sounddevice() -> Any:  # noqa: ANN401  # it has no types
    try:
        import sounddevice
    except ImportError as error:
        raise Failure("a microphone needs sounddevice: pip install 'auricle[mic]'") from error
    except OSError as error:  # the Python package without the library
        raise Failure(
            "a microphone needs the PortAudio library: install libportaudio2 (Debian, Ubuntu) or "
            "portaudio (Fedora, Homebrew)"
        ) from error
    return sounddevice


def _until(stopped: threading.Event, heard: "queue.SimpleQueue[bytes | None]") -> Chunks:
    """Yield what is heard until `stopped`, and what was heard before that. Raises Failure."""
    left: int | None = None  # chunks, once it is stopped
    while left is None or left > 0:
        if left is None and stopped.is_set():
            left = heard.qsize()
            continue
        try:
            chunk = heard.get(timeout=0.2)
        except queue.Empty:  # look again whether it is stopped
            continue
        if chunk is None:
            raise Failure("the microphone ended: was it unplugged?")
        yield chunk
        left = left and left - 1


@contextmanager
def recording(
    path: Path,
    stopped: threading.Event,
    *,
    pcm: PcmFormat | None = None,
    realtime: bool = False,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[Chunks]:
    """Yield a recording, at the pace at which it was spoken if `realtime`, until `stopped`.

    Raises Failure where it cannot be read.
    """
    from auricle.audio import load_audio  # late: a client of a server may do without
    from auricle_types.errors import AudioError

    try:
        samples = load_audio(path, pcm=pcm, limits=OWN_FILES).samples
    except (AudioError, OSError) as error:
        raise Failure(f"{path}: {error}") from error
    data = (samples * 32_767).round().clip(-32_768, 32_767).astype("<i2").tobytes()
    yield _played(data, stopped, clock if realtime else None)


def _played(data: bytes, stopped: threading.Event, clock: Callable[[], float] | None) -> Chunks:
    began = clock() if clock is not None else 0.0
    for start in range(0, len(data), 2 * CHUNK_SAMPLES):
        chunk = data[start : start + 2 * CHUNK_SAMPLES]
        spoken = (start + len(chunk)) / (2 * RATE)
        elapsed = clock() - began if clock is not None else spoken
        if stopped.wait(max(0.0, spoken - elapsed)):
            return
        yield chunk
