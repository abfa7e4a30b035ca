"""The speech that accuracy is measured on."""

from dataclasses import dataclass
from pathlib import Path

from auricle.config import SAMPLE_RATE
from auricle.evaluation import load_utterance, read_manifest
from benchmarks.conditions import Samples


@dataclass(frozen=True, slots=True)
class Corpus:
    """A manifest's utterances in memory."""

    name: str
    files: list[str]
    waveforms: list[Samples]
    texts: list[str]

    @classmethod
    def load(cls, manifest: Path, limit: int | None = None) -> "Corpus":
        """The first `limit` utterances; all by default."""
        utterances = read_manifest(manifest)[:limit]
        return cls(
            manifest.stem,
            [utterance.audio.name for utterance in utterances],
            [load_utterance(utterance).samples for utterance in utterances],
            [utterance.text for utterance in utterances],
        )

    @property
    def seconds(self) -> list[float]:
        """The duration of each utterance."""
        return [len(waveform) / SAMPLE_RATE for waveform in self.waveforms]

    @property
    def size(self) -> dict[str, float]:
        """How many utterances and minutes there are."""
        return {"utterances": len(self.texts), "minutes": round(sum(self.seconds) / 60, 1)}
