"""Audio of any length: cut from recordings, or from noise where there are none."""

import io
import wave
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Self

from auricle_cli.load.traffic import Arrival
from auricle_client.sources import whole
from auricle_types.errors import AudioError

NOISE_SECONDS, NOISE_RATE = 20, 16_000
GARBAGE_BYTES = 4096


@dataclass(frozen=True, slots=True)
class WavRecording:
    """The frames of a PCM WAV file, which can be cut anywhere."""

    frames: bytes
    channels: int
    width: int  # bytes of a sample
    rate: int  # Hz

    @classmethod
    def read(cls, content: bytes) -> Self | None:
        """None for what is not PCM in a WAV file, or holds none."""
        try:
            with wave.open(io.BytesIO(content)) as reader:
                frames = reader.readframes(reader.getnframes())
                form = (reader.getnchannels(), reader.getsampwidth(), reader.getframerate())
        except (wave.Error, EOFError):
            return None
        return cls(frames, *form) if len(frames) >= form[0] * form[1] and form[2] else None

    def cut(self, place: float, seconds: float) -> bytes:
        """A WAV file of `seconds` from `place` (0..1) on; after the end comes the start again."""
        step = self.channels * self.width
        total, wanted = len(self.frames) // step, max(1, round(seconds * self.rate))
        start = min(int(place * total), total - 1) * step
        rounds = 1 + -(-wanted // total)
        return self._file((self.frames[: total * step] * rounds)[start : start + wanted * step])

    def _file(self, frames: bytes) -> bytes:
        file = io.BytesIO()
        with wave.open(file, "wb") as writer:
            writer.setnchannels(self.channels)
            writer.setsampwidth(self.width)
            writer.setframerate(self.rate)
            writer.writeframes(frames)
        return file.getvalue()


class Clips:
    """The recordings that arrivals send."""

    def __init__(self, sources: Sequence[WavRecording | bytes]) -> None:
        """Recordings are cut to each arrival's length, files in other formats are sent whole."""
        self._sources = sources

    @classmethod
    def noise(cls, seed: int = 0) -> Self:
        """Make quiet white noise as WAV."""
        loud = array("h", Random(seed).randbytes(2 * NOISE_SECONDS * NOISE_RATE))  # noqa: S311
        quiet = array("h", (sample >> 4 for sample in loud))
        return cls([WavRecording(quiet.tobytes(), 1, 2, NOISE_RATE)])

    @classmethod
    def of(cls, paths: Sequence[str | Path]) -> Self:
        """The recordings at `paths`.

        Raises:
            AudioNotFoundError: there is no such file.
            AudioError: it cannot be read, or there are no paths.
        """
        if not paths:
            raise AudioError("no recordings to cut from: give at least one")
        contents = [whole(path) for path in paths]
        return cls([WavRecording.read(content) or content for content in contents])

    def of_arrival(self, arrival: Arrival) -> bytes:
        """The bytes that an arrival sends."""
        if arrival.garbage:
            return Random(arrival.place).randbytes(GARBAGE_BYTES)  # noqa: S311
        number, place = divmod(arrival.place * len(self._sources), 1)
        source = self._sources[min(int(number), len(self._sources) - 1)]
        return source if isinstance(source, bytes) else source.cut(place, arrival.seconds)
