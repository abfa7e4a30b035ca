"""Manifests as JSON lines: those of evaluations, and those of shards for training."""

import functools
import tempfile
from contextlib import suppress
from pathlib import Path
from random import Random

from auricle.evaluation.clip import load_utterance
from auricle.evaluation.manifest import read_manifest
from auricle.training.shards import read_shards
from auricle_types.errors import AudioError, ManifestError
from tests.asr.audio_files import chirp, write
from tests.fuzz.mutations import mutated, mutated_value, to_json

EXPECTED = (ManifestError,)
_LINE = {"audio_filepath": "a.wav", "text": "a word", "duration": 0.05, "offset": 0.01}
_SHARDED = {**_LINE, "shard": "shard.tar"}


def seeds() -> list[bytes]:
    """One good manifest of each kind."""
    return [f"{to_json(line)}\n\n{to_json(line)}\n".encode() for line in (_LINE, _SHARDED)]


def new(seeds: list[bytes], random: Random) -> bytes:
    """Odd values, odd bytes, or both."""
    line = to_json(mutated_value(_SHARDED, random))
    data = f"{to_json(_LINE)}\n{line}".encode()
    return mutated(data, seeds, random) if random.random() < 0.4 else data


def attempt(data: bytes) -> None:
    """Read a manifest and the audio that it names."""
    path = _folder() / "manifest.jsonl"
    path.write_bytes(data)
    with suppress(ManifestError):
        for _ in read_shards(path, progress=False):
            pass  # a problem is a result
    for utterance in read_manifest(path):
        with suppress(AudioError):
            load_utterance(utterance)


@functools.cache
def _folder() -> Path:
    folder = Path(tempfile.mkdtemp())
    (folder / "a.wav").write_bytes(write(chirp(0.1, 16_000, 1), 16_000))
    return folder
