"""Memory by hours of audio: python -m benchmarks.long_recordings.

FLAC files of 1, 3 and 10 hours: the sentences of samples/, each followed by so much of a quiet
room's noise that speech is a twentieth. One after the other they are recognised from the disk with
a journal, as by `auricle transcribe --output-dir`, and memory is read forty times on the way.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import numpy as np
import soundfile

from auricle.config import SAMPLE_RATE
from auricle.recognizer import Recognizer
from auricle_cli.answers import TranscriptionJob
from auricle_cli.inputs import Source
from auricle_cli.local import LocalTranscriber
from auricle_types.options import DecodingOptions
from benchmarks.command import benchmark_options, use_threads
from benchmarks.conditions import Samples
from benchmarks.memory import peak, reset_peak, resident
from benchmarks.recordings import speech
from benchmarks.results import Result, table
from benchmarks.tapes import ROOM

HOURS, QUICK_HOURS = (1.0, 3.0, 10.0), (0.02, 0.04)
SPEECH_SHARE = 0.05
READINGS = 40  # of memory in each recording
WARM_HOURS = 0.1  # first of all: buffers grow to what a batch takes


@click.command(help=__doc__)
@benchmark_options
def main(quick: bool, threads: int, output: Path | None) -> None:
    """Recognise the recordings, print their memory and write the result."""
    use_threads(threads)
    result = Result("long_recordings", quick, threads)
    hours = QUICK_HOURS if quick else HOURS
    with tempfile.TemporaryDirectory() as folder, Recognizer.from_pretrained() as recognizer:
        transcriber = LocalTranscriber(recognizer, DecodingOptions())
        _row(transcriber, Path(folder), QUICK_HOURS[0] if quick else WARM_HOURS)
        rows = [_row(transcriber, Path(folder), each) for each in hours]
    head = ("Hours", "Segments", "First MiB", "Middle MiB", "Last MiB", "Peak MiB", "Journal MiB")
    print(table(head, [_cells(row) for row in rows]))
    result.write({"speech_share": SPEECH_SHARE, "recordings": rows}, output)


def _row(transcriber: LocalTranscriber, folder: Path, hours: float) -> dict[str, Any]:
    """Write a recording, recognise it, and read the memory on the way."""
    path, journal = folder / "long.flac", folder / "long.partial.jsonl"
    write_recording(path, 3600 * hours)
    journal.unlink(missing_ok=True)
    readings: list[dict[str, float]] = []
    step = 3600 * hours / READINGS

    def read_memory(seconds: float) -> None:
        if seconds >= step * len(readings):
            readings.append({"hours": round(seconds / 3600, 3), "mib": round(resident(), 1)})

    reset_peak()
    transcript = transcriber.transcribe(Source(str(path)), TranscriptionJob(journal, read_memory))
    return {
        "hours": hours,
        "segments": len(transcript.segments),
        "readings": readings,
        # The system's own peak may be a little behind the readings.
        "peak_mib": max(round(peak(), 1), *(each["mib"] for each in readings)),
        "journal_mib": round(journal.stat().st_size / 2**20, 1),
    }


def write_recording(path: Path, seconds: float) -> None:
    """Write at least so many seconds as FLAC, a sentence and its silence at a time."""
    with soundfile.SoundFile(path, "w", SAMPLE_RATE, 1, "PCM_16") as file:
        while file.frames < seconds * SAMPLE_RATE:
            for part in _sentences():
                file.write(part)


def _sentences() -> Iterator[Samples]:
    random = np.random.default_rng(0)
    for sentence in speech(9):
        yield sentence
        silence = round(len(sentence) * (1 / SPEECH_SHARE - 1))
        yield (ROOM * random.standard_normal(silence)).astype(np.float32)


def _cells(row: dict[str, Any]) -> list[object]:
    memory = [each["mib"] for each in row["readings"]]
    ends = [memory[0], memory[len(memory) // 2], memory[-1]]
    return [row["hours"], row["segments"], *ends, row["peak_mib"], row["journal_mib"]]


if __name__ == "__main__":
    main()
