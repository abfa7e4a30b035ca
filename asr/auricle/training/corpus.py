"""Transcribed speech, decoded once into one file of samples that is mapped into memory."""

import json
import tarfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from auricle.audio import load_audio
from auricle.config import SAMPLE_RATE
from auricle.errors import ManifestError

Int16 = npt.NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class Utterance:
    """One transcribed stretch of a corpus' samples."""

    offset: int  # samples from the start of the corpus
    samples: int
    text: str

    @property
    def seconds(self) -> float:
        """Duration."""
        return self.samples / SAMPLE_RATE


class _Row(NamedTuple):
    shard: str
    name: str  # of the member
    text: str


class Corpus:
    """Utterances and their 16-bit samples at 16 kHz."""

    def __init__(self, samples: Path, utterances: list[Utterance]) -> None:
        self.utterances = utterances
        self._samples = np.memmap(samples, dtype=np.int16, mode="r")

    def samples(self, utterance: Utterance) -> npt.NDArray[np.float32]:
        """The waveform `(S,)` in -1..1."""
        part = self._samples[utterance.offset : utterance.offset + utterance.samples]
        return part.astype(np.float32) / 32768.0


def open_corpus(manifest: Path, cache: Path) -> Corpus:
    """The corpus of a manifest whose audio lies in tar shards beside it; decoded at first use.

    Raises:
        ManifestError: the manifest, a shard that it names, or an utterance is missing.
    """
    folder = cache / f"{manifest.parent.name}-{manifest.stem}"
    index, samples = folder / "index.jsonl", folder / "samples.i16"
    if not index.exists():
        _decode(manifest, index, samples)
    lines = index.read_text(encoding="utf-8").splitlines()
    return Corpus(samples, [Utterance(**json.loads(line)) for line in lines])


def _decode(manifest: Path, index: Path, samples: Path) -> None:
    """Write the samples first and the index last, so that an index means a whole corpus."""
    index.parent.mkdir(parents=True, exist_ok=True)
    utterances, offset = [], 0
    with samples.open("wb") as file:
        for text, waveform in _read_shards(manifest):
            file.write(waveform.tobytes())
            utterances.append(Utterance(offset, len(waveform), text))
            offset += len(waveform)
    partial = index.with_suffix(".partial")
    partial.write_text("".join(json.dumps(asdict(u)) + "\n" for u in utterances), encoding="utf-8")
    partial.replace(index)


def _read_shards(manifest: Path) -> Iterator[tuple[str, Int16]]:
    rows = _rows_by_shard(manifest)
    with tqdm(total=sum(map(len, rows.values())), unit="utt", desc=manifest.name) as progress:
        for shard, texts in rows.items():
            missing = set(texts)
            for name, data in _members(manifest.parent / shard):
                if name in missing:
                    yield texts[name], _int16(load_audio(data).samples)
                    missing.remove(name)
                    progress.update()
            if missing:
                raise ManifestError(f"{manifest}: {shard} holds no {min(missing)}")


def _rows_by_shard(manifest: Path) -> dict[str, dict[str, str]]:
    rows: dict[str, dict[str, str]] = {}
    for row in _rows(manifest):
        rows.setdefault(row.shard, {})[row.name] = row.text
    return rows


def _rows(manifest: Path) -> list[_Row]:
    try:
        lines = manifest.read_text(encoding="utf-8").splitlines()
        rows = [_row(json.loads(line)) for line in lines]
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise ManifestError(f"{manifest}: cannot be read: {error}") from error
    if not rows:
        raise ManifestError(f"{manifest}: holds no utterances")
    return rows


def _row(line: dict[str, Any]) -> _Row:
    return _Row(line["shard"], line["audio_filepath"], line["text"])


def _members(shard: Path) -> Iterator[tuple[str, bytes]]:
    try:
        with tarfile.open(shard) as tar:
            for member in tar:
                file = tar.extractfile(member)
                if file is not None:
                    yield member.name, file.read()
    except (OSError, tarfile.TarError) as error:
        raise ManifestError(f"{shard}: cannot be read: {error}") from error


def _int16(samples: npt.NDArray[np.float32]) -> Int16:
    scaled: Int16 = np.rint(samples * 32768.0).clip(-32768, 32767).astype(np.int16)
    return scaled
