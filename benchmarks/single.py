"""One recording at a time, Auricle beside faster-whisper: ready models, and whole processes."""

import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from auricle.audio import load_audio
from benchmarks.corpora import Corpus
from benchmarks.peers.real import ONE_BY_ONE
from benchmarks.readers import Make, side_by_side
from benchmarks.recordings import SAMPLES, seconds
from benchmarks.rounds import Standing, alternate, ratio

CLIP_SECONDS = 5.0
CLIP_ROUNDS, COLD_ROUNDS = 15, 3
SCHOOL = SAMPLES / "school.wav"
COLD_OURS, COLD_PEER = "auricle transcribe", "faster-whisper int8"


@dataclass(slots=True)
class Command:
    """A contestant whose run is a whole process, from its start to its end."""

    name: str
    arguments: Sequence[str]  # of this interpreter
    audio_seconds: float

    def run(self) -> None:
        """Raises CalledProcessError where it fails."""
        subprocess.run([sys.executable, *self.arguments], check=True, capture_output=True)

    def facts(self) -> dict[str, Any]:
        """Nothing beside its speed."""
        return {}


def clip(makes: Mapping[str, Make], corpora: Sequence[Corpus], rounds: int) -> dict[str, Any]:
    """Of the clip that is nearest to 5 s, its model ready: seconds, ours over one by one."""
    found = nearest(corpora, CLIP_SECONDS)
    (standings,) = side_by_side(makes, [found], rounds).values()
    return times(standings, sum(found.seconds), ONE_BY_ONE)


def cold(model: str, folder: str | None, threads: int, rounds: int) -> dict[str, Any]:
    """Of one of the samples, in a new process each time: seconds, ours over faster-whisper's."""
    length = seconds([load_audio(SCHOOL).samples])
    command = ["-m", "auricle_cli", "transcribe", str(SCHOOL), "--model", model]
    commands = [Command(COLD_OURS, command, length)]
    if folder:
        program = ["-m", "benchmarks.peers.faster", folder, str(SCHOOL), str(threads)]
        commands.append(Command(COLD_PEER, program, length))
    return times(alternate(commands, rounds), length, COLD_PEER)


def times(standings: Mapping[str, Standing], length: float, peer: str) -> dict[str, Any]:
    """The median seconds of each, and how many times faster than the peer the first one is."""
    first = next(iter(standings))
    return {
        "audio_seconds": round(length, 2),
        "rounds": len(standings[first].speeds),
        "seconds": {name: round(length / each.speed, 3) for name, each in standings.items()},
        "faster_than_peer": ratio(standings, first, peer),
    }


def nearest(corpora: Sequence[Corpus], length: float) -> Corpus:
    """A corpus of the one utterance whose length in seconds is nearest."""
    rows = [(corpus, row) for corpus in corpora for row in range(len(corpus.texts))]
    corpus, row = min(rows, key=lambda each: abs(each[0].seconds[each[1]] - length))
    return Corpus(corpus.name, [corpus.files[row]], [corpus.waveforms[row]], [corpus.texts[row]])
