"""A run's labels: which of its speech has some, what its clips are to say, and the loss."""

import logging
from collections.abc import Sequence
from dataclasses import replace

import torch

from auricle.config import ModelConfig
from auricle.errors import ManifestError
from auricle.training.config import LossConfig, TeacherConfig
from auricle.training.corpus import Corpus, Utterance
from auricle.training.labels import read_labels
from auricle.training.selection import Speech
from auricle.training.taught import Target, TaughtLoss, target_of

logger = logging.getLogger(__name__)


class Lessons:
    """Words and opinions of a teacher for the utterances that it labelled."""

    def __init__(
        self, config: TeacherConfig, model: ModelConfig, loss: LossConfig, speech: Speech
    ) -> None:
        """Read the labels. Raises ManifestError: they are missing, damaged, or of other tokens."""
        self._config = config
        self._model = model
        names = {corpus.name for corpus, _ in speech}
        vocab_size = model.transformer.vocab_size
        self._labels = {name: read_labels(config.labels / name, vocab_size) for name in names}
        self.loss = TaughtLoss(config, loss.label_smoothing, model.tokens)

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

    def target(self, utterances: Sequence[tuple[Corpus, Utterance]]) -> Target:
        """That of a clip of these utterances, which all have labels."""
        labels = [self._labels[corpus.name][utterance.name] for corpus, utterance in utterances]
        return target_of(labels, self._model.tokens.end, self._config.empty_weight)

    def listener(self) -> ModelConfig:
        """The model with the silence that one batch has behind its words, drawn by torch."""
        margin = torch.empty(()).uniform_(*self._config.margin_seconds)
        return replace(self._model, margin_seconds=float(margin))
