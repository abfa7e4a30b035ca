"""All training speech of a recipe, labelled chunk by chunk."""

from pathlib import Path

from tqdm import tqdm

from auricle.engine.devices import resolve_device
from auricle.evaluation import normalizer
from auricle.pretrained import load_pretrained
from auricle.training.config import TrainingConfig, load_training_config
from auricle.training.labels.label import Label, write_labels
from auricle.training.labels.teacher import Teacher
from auricle.training.selection import Speech
from auricle.training.speech import load_speech
from auricle_types.errors import InvalidOptionError

CHUNK = 64  # utterances in a file: what a run that is interrupted says again at most
TOGETHER = 8  # whole windows in a batch


def label(recipe: Path) -> int:
    """Label the training speech of `recipe` as its `[teacher]` says; the number of utterances.

    Chunks that are there already stay: run again, it goes on.

    Raises:
        InvalidOptionError: the recipe is not valid or has no teacher.
        ManifestError: speech is missing or cannot be trained on.
        ModelError: the teacher cannot be loaded.
        StorageError: the disk is full.
    """
    config = load_training_config(recipe)
    if config.teacher is None:
        raise InvalidOptionError(f"{recipe}: has no [teacher]")
    chunks = _missing(load_speech(config), config.teacher.labels)
    if chunks:
        _label(config, config.teacher.model or config.init, chunks)
    return sum(map(len, chunks.values()))


def _label(config: TrainingConfig, model: Path | None, chunks: dict[Path, Speech]) -> None:
    if model is None:
        raise InvalidOptionError("[teacher] needs a model, or the recipe an init")
    checkpoint = load_pretrained(model, audio_context="full")
    device = resolve_device(config.device)
    teacher = Teacher(checkpoint, device, normalizer("whisper"))
    with tqdm(total=sum(map(len, chunks.values())), unit="utt", desc="labels") as bar:
        for path, speech in chunks.items():
            labels: dict[str, Label] = {}
            for first in range(0, len(speech), TOGETHER):
                few = speech[first : first + TOGETHER]
                labels |= teacher.label(few)
                bar.update(len(few))
            write_labels(path, labels)


def _missing(speech: Speech, folder: Path) -> dict[Path, Speech]:
    """The speech of each chunk that is not there yet, by its file."""
    chunks: dict[Path, Speech] = {}
    for corpus in dict.fromkeys(corpus for corpus, _ in speech):
        mine = [pair for pair in speech if pair[0] is corpus]
        for first in range(0, len(mine), CHUNK):
            path = folder / corpus.name / f"{first // CHUNK:05d}.safetensors"
            chunks[path] = mine[first : first + CHUNK]
    return {path: part for path, part in chunks.items() if not path.exists()}
