"""A run's labels: which of its speech has some, what its clips are to say, and the loss."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch

from auricle.config import ModelConfig
from auricle.families.whisper.tokenizer import WhisperTokenizer
from auricle.tokenizer import Vocabulary
from auricle.training.config import TeacherConfig, TrainingConfig
from auricle.training.corpus import Corpus, TrainingUtterance
from auricle.training.distillation import DistillationLoss, DistillationTarget, target_of
from auricle.training.labels import Label, by_student, read_labels
from auricle.training.selection import Speech
from auricle_types.errors import ManifestError

logger = logging.getLogger(__name__)
LEAST_AGREEMENT = 0.2  # of a teacher and the words, or the tokens mean something else


class TeacherLabels:
    """Words and opinions of a teacher for the utterances that it labelled."""

    def __init__(
        self, config: TrainingConfig, teacher: TeacherConfig, speech: Speech, tokenizer: Vocabulary
    ) -> None:
        """Read the labels. Raises ManifestError: they are missing, damaged, or of other tokens."""
        self._config = teacher
        self._model = config.model
        names = {corpus.name for corpus, _ in speech}
        self._labels = {name: _read(teacher.labels / name, tokenizer) for name in names}
        self.loss = DistillationLoss(teacher, config.loss.label_smoothing, config.model.tokens)

    def labelled(self, speech: Speech) -> Speech:
        """The speech that the teacher trusted, with its text. Raises ManifestError: none is."""
        found = [
            (corpus, replace(utterance, text=self._labels[corpus.name][utterance.name].text))
            for corpus, utterance in speech
            if utterance.name in self._labels[corpus.name]
        ]
        logger.info("%d of %d utterances have a label", len(found), len(speech))
        if not found:
            raise ManifestError(f"{self._config.labels}: holds labels of other speech: label again")
        return found

    def target(self, utterances: Sequence[tuple[Corpus, TrainingUtterance]]) -> DistillationTarget:
        """That of a clip of these utterances, which all have labels."""
        labels = [self._labels[corpus.name][utterance.name] for corpus, utterance in utterances]
        return target_of(labels, self._model.tokens.end, self._config.empty_weight)

    def listener(self) -> ModelConfig:
        """The model with the silence that one batch has behind its words, drawn by torch."""
        margin = torch.empty(()).uniform_(*self._config.margin_seconds)
        return replace(self._model, margin_seconds=float(margin))


def _read(folder: Path, tokenizer: Vocabulary) -> dict[str, Label]:
    if not isinstance(tokenizer, WhisperTokenizer):
        raise ManifestError(f"{folder}: labels are for Whisper models")
    labels = {name: by_student(each, tokenizer) for name, each in read_labels(folder).items()}
    agreed = [float((each.likely[:, 0] == each.tokens).float().mean()) for each in labels.values()]
    if agreed and sum(agreed) < LEAST_AGREEMENT * len(agreed):
        raise ManifestError(
            f"{folder}: the teacher's tokens are not those of the model: label again by a teacher "
            "of its vocabulary, or of the one that it was cut of"
        )
    return labels
