"""Transcribed speech, decoded once into one file of samples that is mapped into memory."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from auricle.config import SAMPLE_RATE
from auricle.storage import replacing, writing
from auricle.training.config import OnBad
from auricle.training.problems import Problem, settle
from auricle.training.shards import read_shards
from auricle_types.errors import ManifestError


@dataclass(frozen=True, slots=True)
class TrainingUtterance:
    """One transcribed stretch of a corpus' samples."""

    offset: int  # samples from the start of the corpus
    samples: int
    text: str
    name: str = ""  # of its file; older caches do not say

    @property
    def seconds(self) -> float:
        """The duration of the audio."""
        return self.samples / SAMPLE_RATE


class Corpus:
    """Utterances and their 16-bit samples at 16 kHz."""

    def __init__(self, samples: Path, utterances: list[TrainingUtterance]) -> None:
        self.utterances = utterances
        self.name = samples.parent.name  # of its manifest and the folder around that
        self._samples = np.memmap(samples, dtype=np.int16, mode="r")

    def samples(self, utterance: TrainingUtterance) -> npt.NDArray[np.float32]:
        """The waveform `(S,)` in -1..1."""
        part = self._samples[utterance.offset : utterance.offset + utterance.samples]
        return part.astype(np.float32) / 32768.0


@dataclass(frozen=True, slots=True)
class _Cache:
    """The files of a corpus once it is decoded."""

    index: Path
    problems: Path
    samples: Path


def open_corpus(
    manifest: Path, cache: Path, on_bad: OnBad = "stop", *, progress: bool = True
) -> Corpus:
    """The corpus of a manifest whose audio lies in tar shards beside it; decoded at first use.

    What cannot be read is remembered with the rest and reported at each use. To "stop" at it is
    to hope that it was mended meanwhile, so the shards are read again.

    Raises:
        ManifestError: the manifest or all of its speech is missing; to "stop": some of it.
        StorageError: there is no room for its samples.
    """
    folder = cache / f"{manifest.parent.name}-{manifest.stem}"
    files = _Cache(folder / "index.jsonl", folder / "problems.jsonl", folder / "samples.i16")
    problems = [Problem(*fields) for fields in _read_lines(files.problems)]
    if not files.index.exists() or (problems and on_bad == "stop"):
        problems = _decode(manifest, files, progress)
    settle(problems, str(manifest), on_bad)
    utterances = [TrainingUtterance(**fields) for fields in _read_lines(files.index)]
    if not utterances:
        raise ManifestError(f"{manifest}: holds no utterance that can be read")
    return Corpus(files.samples, utterances)


def _decode(manifest: Path, files: _Cache, progress: bool) -> list[Problem]:
    """Write the samples first and the index last, so that an index means a whole corpus."""
    with writing(files.index):
        files.index.parent.mkdir(parents=True, exist_ok=True)
        files.index.unlink(missing_ok=True)
    utterances: list[TrainingUtterance] = []
    problems: list[Problem] = []
    offset = 0
    with replacing(files.samples) as partial, partial.open("wb") as file:
        for found in read_shards(manifest, progress=progress):
            if isinstance(found, Problem):
                problems.append(found)
                continue
            file.write(found.samples.tobytes())
            utterances.append(TrainingUtterance(offset, len(found.samples), found.text, found.name))
            offset += len(found.samples)
    _write_lines(files.problems, problems)
    _write_lines(files.index, map(asdict, utterances))
    return problems


def _read_lines(path: Path) -> list[Any]:
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _write_lines(path: Path, lines: Iterable[object]) -> None:
    """Whole or not at all."""
    with replacing(path) as partial:
        partial.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
