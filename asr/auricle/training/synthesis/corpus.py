"""The folder of synthetic speech: tar shards, the manifest, and what a later run must know.

    OUT/train-00000.tar   CORPUS/INDEX.opus ...
    OUT/train.jsonl       one line an utterance, of finished shards only: the truth about OUT
    OUT/plan.json         what the speech was made from

A shard appears under its name when it is whole, and the manifest is replaced as a whole after it,
so a run that is killed loses the shard it was writing and nothing else.
"""

import contextlib
import io
import json
import tarfile
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath

from auricle.storage import replacing, writing
from auricle_types.errors import InvalidOptionError, ManifestError

MANIFEST = "train.jsonl"
PLAN = "plan.json"


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the manifest; `audio_filepath` is inside of the tar `shard`, `duration` in s."""

    audio_filepath: str
    duration: float
    text: str
    speaker: str
    corpus: str
    shard: str

    @property
    def index(self) -> int:
        """The utterance's number in the plan."""
        return int(PurePosixPath(self.audio_filepath).stem)


@dataclass(frozen=True, slots=True)
class SpokenRecording:
    """An utterance as spoken: its file and, but for the shard, its line of the manifest."""

    index: int
    opus: bytes
    duration: float
    text: str
    speaker: str
    corpus: str

    def entry(self, shard: str) -> Entry:
        """Its manifest line in `shard`."""
        path = f"{self.corpus}/{self.index:08d}.opus"
        return Entry(path, self.duration, self.text, self.speaker, self.corpus, shard)


class SpeechFolder:
    """A folder of synthetic speech, opened to be continued.

    Raises:
        InvalidOptionError: the folder holds speech made by another plan.
        ManifestError: its manifest is damaged, or names a shard that is gone.
        StorageError: it cannot be written to.
    """

    def __init__(self, path: Path, plan: Mapping[str, str | int]) -> None:
        self.path = path
        with writing(path):
            path.mkdir(parents=True, exist_ok=True)
        self._agree_on(plan)
        self.entries = _read_entries(path / MANIFEST)
        self._check_shards()

    @property
    def seconds(self) -> float:
        """Speech in finished shards."""
        return sum(entry.duration for entry in self.entries)

    @property
    def next_index(self) -> int:
        """The first entry of the plan that is still to be spoken."""
        return self.entries[-1].index + 1 if self.entries else 0

    @property
    def shards(self) -> list[str]:
        """Finished shards, in order."""
        return list(dict.fromkeys(entry.shard for entry in self.entries))

    def add_shard(self, recordings: Iterable[SpokenRecording]) -> None:
        """Writes all `recordings` into the next shard, then into the manifest."""
        shard = f"train-{len(self.shards):05d}.tar"
        with replacing(self.path / shard) as partial, tarfile.open(partial, "w") as tar:
            entries = [_add(tar, recording, shard) for recording in recordings]
        self.entries += entries
        with replacing(self.path / MANIFEST) as partial:
            partial.write_text("".join(f"{json.dumps(asdict(e))}\n" for e in self.entries))

    def _agree_on(self, plan: Mapping[str, str | int]) -> None:
        path = self.path / PLAN
        if not path.exists():
            with replacing(path) as partial:
                partial.write_text(f"{json.dumps(plan, indent=2)}\n")
            return
        with contextlib.suppress(json.JSONDecodeError):
            if json.loads(path.read_text()) == plan:
                return
        raise InvalidOptionError(
            f"{self.path} holds speech of another seed, text or set of voices (see {path.name}): "
            "go on with those, or choose an empty folder"
        )

    def _check_shards(self) -> None:
        if gone := [shard for shard in self.shards if not (self.path / shard).is_file()]:
            raise ManifestError(f"{self.path / MANIFEST} names shards that are gone: {gone}")


def _read_entries(manifest: Path) -> list[Entry]:
    if not manifest.exists():
        return []
    try:
        return [Entry(**json.loads(line)) for line in manifest.read_text().splitlines()]
    except (json.JSONDecodeError, TypeError) as error:
        raise ManifestError(f"{manifest} is damaged: {error}") from error


def _add(tar: tarfile.TarFile, recording: SpokenRecording, shard: str) -> Entry:
    entry = recording.entry(shard)
    member = tarfile.TarInfo(entry.audio_filepath)  # time 0, owner 0: the same bytes every time
    member.size = len(recording.opus)
    tar.addfile(member, io.BytesIO(recording.opus))
    return entry
