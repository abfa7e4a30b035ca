"""Who spoke when: voices are compared by embeddings and grouped, without knowing anybody."""

from auricle.diarization.labels import with_speakers
from auricle.diarization.turns import Turn, diarize

__all__ = ["Turn", "diarize", "with_speakers"]
